"""Arguments of a server that starts and serves badly, or that vLLM refuses: one change, exactly one policy."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml

from policy.checks import check_manifests, graph_of
from policy.graph import UNKNOWN
from policy.table import POLICIES
from tests.policy.option_changes import (
    BESIDE_ANOTHER,
    CACHE,
    CHUNKS,
    CODE,
    DTYPE,
    EAGER,
    GPT,
    GPUS,
    MANDATORY,
    MUTATIONS,
    NGRAMS,
    OURS,
    SPECULATION,
    TYPE,
    deployment,
    gpus,
    image,
)
from tests.policy.programs import Manifest, argument, bent, both, put
from tests.policy.test_mutations import DRAFT, PRODUCT, START, UNCACHED, WORK, Change

pytestmark = pytest.mark.policy


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_makes_exactly_one_policy_fire_and_it_says_what_to_change(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    findings = check_manifests(bent(change))

    assert [finding.policy for finding in findings] == [policy], "\n".join(f.told for f in findings)
    assert part in findings[0].told
    assert findings[0].message.startswith(findings[0].resource), "a message is a sentence about its object"
    assert findings[0].change, "what to change is a sentence of its own"
    assert findings[0].level == ("mandatory" if policy in MANDATORY else "advisory")


HARMLESS: dict[str, Change] = {
    "a draft that runs eagerly": both(
        UNCACHED,
        argument("--speculative-config", '{"method":"mtp","num_speculative_tokens":3,"enforce_eager":true}'),
    ),
    "eager mode told off": argument("--no-enforce-eager"),
    "a level that compiles": argument("-O3"),
    "no cache where guessing spoils it": both(UNCACHED, DRAFT),
    "no cache where others take it over": both(
        UNCACHED, argument("--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both"}')
    ),
    "no cache at a server that no agent talks to": both(
        UNCACHED, put("server", "metadata", "labels", "onprem-coding-agents/agents", value="false")
    ),
    "n-grams on a model without states": both(GPT, argument("--speculative-config", NGRAMS)),
    "n-grams where vLLM leaves its scheduling to itself": both(
        GPT, argument("--speculative-config", NGRAMS), image("vllm:v0.32.0")
    ),
    "n-grams with asynchronous scheduling, where the runner takes both": both(
        GPT, argument("--speculative-config", NGRAMS), argument("--async-scheduling")
    ),
    "the type of the checkpoint": argument("--dtype", "auto"),
    "BF16, written out": argument("--dtype", "bfloat16"),
    "a model of one stage, over all GPUs": argument("--pipeline-parallel-size", "1"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nothing_is_left_alone(name: str) -> None:
    assert check_manifests(bent(HARMLESS[name])) == []


@pytest.mark.parametrize(
    "config",
    [
        {"method": "suffix"},  # it chooses how far it guesses
        {"method": "mtp", "num_speculative_tokens": 1},
        {"method": "ngram", "num_speculative_tokens": "4"},  # read as a number
        {"model": "m/draft"},  # whose config may tell how far
        {"method": "eagle3", "model": "m/draft", "num_speculative_tokens": 3},
        {"method": "mtp", "num_speculative_tokens_per_batch_size": [[1, 8, 3]]},
    ],
)
def test_a_speculation_that_may_start_is_not_refused(config: dict[str, Any]) -> None:
    server = deployment(["Qwen/Qwen3-32B-FP8", "--speculative-config", json.dumps(config)])

    assert SPECULATION not in {finding.policy for finding in check_manifests([server])}


@pytest.mark.parametrize("option", ["--enforce-eager", "--trust-remote-code", "--dtype"])
def test_what_is_only_known_at_run_time_is_no_fault_of_an_option(option: str) -> None:
    """An argument that is an Output may be any: no advice can be given on it."""

    def change(program: dict[str, Manifest]) -> None:
        argument(option)(program)
        args = program["server"]["spec"]["predictor"]["containers"][0]["args"]
        args[args.index(option)] = UNKNOWN

    told = {finding.policy for finding in check_manifests(bent(change))}

    assert told.isdisjoint(OURS)


@pytest.mark.parametrize(
    "change",
    [
        argument("--dtype", UNKNOWN),
        both(UNCACHED, argument("--speculative-config", UNKNOWN)),
        gpus(UNKNOWN),
        argument("--tensor-parallel-size", UNKNOWN),
    ],
)
def test_a_value_that_is_only_known_at_run_time_proves_no_advice(change: Change) -> None:
    told = {finding.policy for finding in check_manifests(bent(change))}

    assert told.isdisjoint(OURS)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("google/gemma-3-27b-it", DTYPE),  # vllm 0.33.0, config/model.py: gemma3 is refused in FP16
        ("openai/gpt-oss-20b", DTYPE),  # vllm 0.33.0, layers/quantization/mxfp4.py: BF16 alone
        ("google/gemma-4-12B-it", TYPE),  # gemma4 is not in that list
        ("acme/secret-1b", None),  # nothing is known of its type
    ],
)
def test_what_half_does_depends_on_the_model(model: str, expected: str | None) -> None:
    findings = check_manifests([deployment([model, "--dtype", "half"])])

    assert {finding.policy for finding in findings} & {DTYPE, TYPE} == ({expected} if expected else set())


def test_old_gpus_may_need_half() -> None:
    change = both(argument("--dtype", "half"), put(*PRODUCT, value="Tesla-T4"))

    assert TYPE not in {finding.policy for finding in check_manifests(bent(change))}


@pytest.mark.parametrize(
    ("words", "fires"),
    [
        (["moonshotai/Kimi-K2-Thinking", "--trust-remote-code"], False),  # its entry asks for it
        (["Qwen/Qwen3-32B", "--trust-remote-code"], True),
        (["acme/secret-1b", "--trust-remote-code"], True),  # from the hub, whatever lies there
        (["acme/secret-1b", "--trust-remote-code", "--revision", "main"], True),
        (["acme/secret-1b", "--trust-remote-code", "--revision", "0123456789" * 4], False),
        (["/models/secret", "--trust-remote-code"], False),  # a copy that somebody keeps
        (["Qwen/Qwen3-32B"], False),
    ],
)
def test_code_of_a_checkpoint_is_told_where_it_is_needless_or_may_change(
    words: list[str], fires: bool
) -> None:
    findings = check_manifests([deployment(words)])

    assert (CODE in {finding.policy for finding in findings}) is fires


@pytest.mark.parametrize(
    ("trusted", "fires"), [([], True), (["acme/"], False), (["acme/secret-1b"], False), (["ac/"], True)]
)
def test_code_that_somebody_has_read_is_trusted(trusted: list[str], fires: bool) -> None:
    server = deployment(["acme/secret-1b", "--trust-remote-code"])
    policy = next(policy for policy in POLICIES if policy.name == CODE)

    assert bool(policy.find(graph_of([server]), {"trustedModels": trusted})) is fires


FOREIGN: list[Manifest] = [
    deployment(
        [
            "Qwen/Qwen3.6-27B-FP8",
            "--enforce_eager",
            "--no-enable-prefix-caching",
            "--trust-remote-code",
            "--dtype=half",
        ],
        resources={"limits": {"nvidia.com/gpu": "2"}},
    ),
    yaml.safe_load("""
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: llm, namespace: ml}
spec:
  model: {uri: hf://Qwen/Qwen3.6-27B-FP8, name: Qwen/Qwen3.6-27B-FP8}
  parallelism: {tensor: 1}
  template:
    containers:
    - name: main
      image: vllm/vllm-openai:v0.33.0
      env:
      - name: VLLM_ADDITIONAL_ARGS
        value: --enforce-eager --no-enable-prefix-caching --trust-remote-code --dtype half
      resources: {limits: {nvidia.com/gpu: '2'}}
"""),
    yaml.safe_load("""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: llm, namespace: ml}
spec:
  predictor:
    containers:
    - name: kserve-container
      image: registry.example.com/vllm:prod
      command: [bash, -c]
      args:
      - exec python3 -m vllm.entrypoints.openai.api_server --model Qwen/Qwen3.6-27B-FP8 --enforce-eager
        --no-enable-prefix-caching --trust-remote-code --dtype half
      resources: {limits: {nvidia.com/gpu: 2}}
"""),
]


@pytest.mark.parametrize("manifest", FOREIGN, ids=lambda manifest: manifest["kind"])
def test_somebody_elses_server_gets_the_same_advice_in_its_own_words(manifest: Manifest) -> None:
    findings = check_manifests([manifest])
    told = {finding.policy: finding.told for finding in findings}

    assert told.keys() >= {EAGER, CACHE, TYPE, CODE, GPUS}
    assert "the argument --enforce-eager" in told[EAGER]
    assert "extraArgs" not in told[EAGER], "a stack of ours has that key, nobody else"


@pytest.mark.parametrize("manifest", FOREIGN, ids=lambda manifest: manifest["kind"])
def test_somebody_elses_server_without_these_options_gets_no_word_of_them(manifest: Manifest) -> None:
    text = yaml.safe_dump(manifest, width=10_000)
    for word in (
        "--enforce-eager",
        "--enforce_eager",
        "--no-enable-prefix-caching",
        "--trust-remote-code",
        "--dtype=half",
    ):
        text = text.replace(f"- {word}\n", "- --disable-cascade-attn\n").replace(word, "")
    findings = check_manifests([yaml.safe_load(text.replace("--dtype half", ""))])

    assert {finding.policy for finding in findings}.isdisjoint({EAGER, CHUNKS, CACHE, DTYPE, TYPE, CODE})


def test_servers_of_one_object_that_have_the_same_fault_are_told_of_once() -> None:
    service = copy.deepcopy(FOREIGN[1])
    service["spec"]["prefill"] = {"template": copy.deepcopy(service["spec"]["template"])}

    told = [finding.policy for finding in check_manifests([service])]

    assert told.count(EAGER) == 1
    assert told.count(CODE) == 1


def test_every_policy_of_the_module_is_fired_here() -> None:
    assert {policy for _, policy, _ in MUTATIONS.values()} - {WORK, START} == OURS - BESIDE_ANOTHER
    assert {policy.name for policy in POLICIES} >= OURS
