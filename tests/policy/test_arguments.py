"""Arguments that vLLM refuses, that never reach it, or that name what it cannot load, and how sure that is."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from policy.checks import check_manifests, graph_of
from policy.graph import UNKNOWN
from policy.table import POLICIES
from tests.policy.option_changes import GGUF, LIKELY, LOADED, LOST, TAKEN, UPGRADE, deployment

pytestmark = pytest.mark.policy


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("vllm/vllm-openai:v0.33.0", TAKEN),
        ("mirror.example.internal/vllm/vllm-openai:v0.33.0", TAKEN),  # a mirror keeps the last two parts
        ("vllm/vllm-openai:latest", LIKELY),  # which release that is nobody knows
        ("vllm/vllm-openai:v0.33.1", LIKELY),  # newer than all facts, yet of their minor
        ("vllm/vllm-openai:v0.10.2", None),  # older than all facts; the oldest has it
        ("vllm/vllm-openai:v0.17.1", None),  # the last release that has it
        ("vllm/vllm-openai:v0.17.9", None),  # judged by 0.17.1, of its own minor
        ("vllm/vllm-openai:v0.34.0", None),  # newer than all facts: it may have it again
        ("quay.io/ascend/vllm-ascend:v0.18.0rc1", None),  # its plugin brings options of its own
        ("vllm/vllm-omni:v0.18.0", None),
    ],
)
def test_how_sure_it_is_that_an_option_is_refused_depends_on_what_tells_the_release(
    image: str, expected: str | None
) -> None:
    server = deployment(["Qwen/Qwen3-32B-FP8", "--swap-space", "16"], image=image)

    told = {finding.policy for finding in check_manifests([server])} & {TAKEN, LIKELY}

    assert told == ({expected} if expected else set())


@pytest.mark.parametrize(
    ("command", "args", "expected"),
    [
        (["vllm", "serve", "m/x", "--swapspace"], [], TAKEN),
        (["/usr/local/bin/vllm", "serve", "m/x", "--swapspace"], [], TAKEN),
        (["python3", "-m", "vllm.entrypoints.openai.api_server", "--model=m/x", "--swapspace"], [], TAKEN),
        (["sh", "-c", "set -e; export A=b; exec env C=d vllm serve m/x --swapspace"], [], TAKEN),
        (["tini", "--", "vllm", "serve", "m/x", "--swapspace"], [], TAKEN),
        (
            ["sh", "-c", "pip install ours && exec vllm serve m/x --swapspace"],
            [],
            LIKELY,
        ),  # may bring an option
        (
            ["sh", "-c", ". /opt/env && exec vllm serve m/x --swapspace"],
            [],
            LIKELY,
        ),  # another vllm may be found
        (["/opt/wrap.sh", "vllm", "serve", "m/x", "--swapspace"], [], LIKELY),  # may take it for itself
        (["/opt/start.sh"], ["--swapspace"], None),  # a script of somebody's own
        (["python3", "-m", "sglang.launch_server"], ["--swapspace"], None),  # another engine
        (["sh", "-c", "vllm serve m/x $(cat /opt/options)"], [], None),  # may be any
        (["sh", "-c", "echo --swapspace; exec vllm serve m/x"], [], None),  # not vLLM's
        (["vllm", "bench", "serve", "--swapspace"], [], None),  # another subcommand
    ],
)
def test_an_unknown_option_is_refused_where_vllm_alone_reads_it(
    command: list[str], args: list[str], expected: str | None
) -> None:
    findings = check_manifests([deployment(args, command=command)])

    assert {finding.policy for finding in findings} & {TAKEN, LIKELY} == ({expected} if expected else set())


def test_an_image_that_starts_vllm_by_itself_is_judged_as_its_command() -> None:
    server = deployment(["--model=Qwen/Qwen3-32B-FP8", "--swapspace"])
    del server["spec"]["template"]["spec"]["containers"][0]["command"]

    assert TAKEN in {finding.policy for finding in check_manifests([server])}


@pytest.mark.parametrize(
    ("options", "told"), [([], 2), (["--our-scheduler"], 1), (["--our-scheduler", "--ours"], 0)]
)
def test_options_of_a_build_of_ones_own_are_known_where_the_configuration_lists_them(
    options: list[str], told: int
) -> None:
    server = deployment(["Qwen/Qwen3-32B-FP8", "--our-scheduler", "--ours=1"], image="acme/vllm:prod")
    policy = next(policy for policy in POLICIES if policy.name == LIKELY)

    assert len(policy.find(graph_of([server]), {"ownOptions": options})) == told


@pytest.mark.parametrize(
    "device", ["habana.ai/gaudi", "huawei.com/Ascend910", "google.com/tpu", "aws.amazon.com/neuron"]
)
def test_a_vllm_for_other_devices_has_options_of_its_own(device: str) -> None:
    limits = {"limits": {device: "1"}}
    server = deployment(["Qwen/Qwen3-32B-FP8", "--swapspace"], image="acme/vllm:prod", resources=limits)

    assert {finding.policy for finding in check_manifests([server])}.isdisjoint({TAKEN, LIKELY})


def test_what_the_option_parser_answers_itself_is_no_unknown_option() -> None:
    server = deployment(["Qwen/Qwen3-32B-FP8", "--help"])

    assert {finding.policy for finding in check_manifests([server])}.isdisjoint({TAKEN, LIKELY})


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("--max-model-len={{ .Values.context }}", None),  # Helm's, before it is rendered
        ("--tensor-parallel-size={{ or .Spec.Parallelism.Tensor 1 }}", None),  # KServe's
        ("--max-model-len=${CONTEXT}", LIKELY),  # Flux may fill it in; Kubernetes does not
        ("--max-model-len=many", TAKEN),
    ],
)
def test_what_is_filled_in_before_is_not_refused(word: str, expected: str | None) -> None:
    findings = check_manifests([deployment(["Qwen/Qwen3-32B-FP8", word])])

    assert {finding.policy for finding in findings} & {TAKEN, LIKELY} == ({expected} if expected else set())


def test_an_option_and_its_value_in_one_word_are_told_without_the_value() -> None:
    findings = check_manifests([deployment(["Qwen/Qwen3-32B-FP8", "--hf-token abc123"])])
    told = next(finding.told for finding in findings if finding.policy == TAKEN)

    assert "takes --hf-token and its value in one word for no option" in told
    assert "abc123" not in told


def test_packages_that_are_mounted_may_be_another_vllm() -> None:
    mount = {"name": "patch", "mountPath": "/usr/local/lib/python3.12/dist-packages/vllm/engine"}
    server = deployment(["Qwen/Qwen3-32B-FP8", "--swapspace"], volumeMounts=[mount])

    assert {finding.policy for finding in check_manifests([server])} & {TAKEN, LIKELY} == {LIKELY}


def test_options_that_kserves_own_server_does_not_know_are_passed_over_as_it_does() -> None:
    """kserve v0.20.0, huggingfaceserver/__main__.py: parse_known_args leaves the rest unread."""
    service = yaml.safe_load("""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: qwen, namespace: ml}
spec:
  predictor:
    model:
      modelFormat: {name: huggingface}
      runtime: kserve-huggingfaceserver
      args: [--model_name=qwen, --model_id=Qwen/Qwen3-32B-FP8, --backend=vllm, --swapspace, '16']
      resources: {limits: {nvidia.com/gpu: '1'}}
""")

    assert {finding.policy for finding in check_manifests([service])}.isdisjoint({TAKEN, LIKELY})


@pytest.mark.parametrize(
    "words",
    [
        ["--speculative-config", ""],  # vllm 0.33.0, optional_type: an empty text leaves it unset
        ["--max-num-seqs", "None"],
        ["--structured-outputs-config", '{"backend":"xgrammar","limit":16k}'],  # numbers may be short in it
        ["--max_model_len=128k", "-tp=1", "-O3", "--max-num-batched-tok", "2048"],
        ["--seed", UNKNOWN],
        ["--additional-config", '{"a":1}'],
    ],
)
def test_what_the_option_parser_takes_is_no_fault(words: list[Any]) -> None:
    findings = check_manifests([deployment(["Qwen/Qwen3-32B-FP8", *words])])

    assert {finding.policy for finding in findings}.isdisjoint({TAKEN, LIKELY, LOST})


@pytest.mark.parametrize(
    ("image", "fires"),
    [
        ("vllm/vllm-openai:v0.17.1", True),  # the last release that takes it
        ("vllm/vllm-openai:v0.33.0", False),  # refused already
        ("vllm/vllm-openai:latest", False),  # judged by the newest, and advised by it
        ("registry.example.com/ml/vllm-custom:prod", False),
    ],
)
def test_an_option_that_the_newest_release_lacks_is_told_before_the_upgrade(image: str, fires: bool) -> None:
    words = ["Qwen/Qwen3-32B-FP8", "--swap-space", "16"]
    told = {f.policy: f.told for f in check_manifests([deployment(words, image=image)])}

    assert (UPGRADE in told) is fires
    assert "it is gone since vLLM 0.18: leave the option out" in told.get(
        UPGRADE, told.get(TAKEN, told.get(LIKELY, ""))
    )


def test_options_that_stay_are_no_obstacle_to_an_upgrade() -> None:
    server = deployment(["Qwen/Qwen3-32B-FP8", "--max-model-len", UNKNOWN], image="vllm/vllm-openai:v0.17.1")

    assert UPGRADE not in {finding.policy for finding in check_manifests([server])}


@pytest.mark.parametrize(
    "start", [["vllm", "serve"], ["python3", "-m", "vllm.entrypoints.openai.api_server"]]
)
def test_a_word_behind_a_switch_is_no_model(start: list[str]) -> None:
    """vLLM 0.32.0, run: with --model elsewhere, True becomes the model or an argument that nobody knows."""
    server = deployment(
        ["--model", "Qwen/Qwen3-32B-FP8", "--enable-prompt-tokens-details", "True"], command=start
    )
    told = {finding.policy: finding.told for finding in check_manifests([server])}

    assert "'True' belongs to no option and is taken for the model" in told[TAKEN]
    assert "'True' is not in the catalogue" not in str(told)


@pytest.mark.parametrize(
    ("command", "args", "lost"),
    [
        (["sh", "-c", "vllm serve m/x"], ["--seed", "1"], True),
        (["sh", "-c"], ["vllm serve m/x", "--seed", "1"], True),
        (["sh", "-c", 'vllm serve m/x "$@"'], ["--seed=1"], True),  # $0 takes the only one
        (["sh", "-c", 'vllm serve m/x "$@"', "--"], ["--seed", "1"], False),
        (["sh", "-c", 'vllm serve m/x "$@"'], ["bash", "--seed", "1"], False),
        (["sh", "-c", 'vllm serve m/x "$0" "$@"'], ["--seed", "1"], False),
        (["sh", "-c", "vllm serve m/x ${*}"], ["--", "--seed", "1"], False),
        (["sh", "-c", "vllm serve m/x --seed $1"], ["--", "1"], False),
        (["sh", "-c", "vllm serve m/x"], ["bash"], False),
        (["sh", "-c", "vllm serve m/x"], ["--our-own"], False),  # no option of vLLM's
        (["sh", "-c", "vllm serve m/x"], [], False),
        (["sh", "-c", UNKNOWN], ["--seed", "1"], False),  # may hand them on
        (["sh", "-c", "vllm serve m/x"], [UNKNOWN], False),
        (["/opt/start.sh"], ["--seed", "1"], False),
        (["vllm", "serve", "m/x"], ["--seed", "1"], False),
    ],
)
def test_options_are_lost_where_no_word_of_the_script_stands_for_them(
    command: list[Any], args: list[Any], lost: bool
) -> None:
    findings = check_manifests([deployment(args, command=command)])

    assert (LOST in {finding.policy for finding in findings}) is lost


@pytest.mark.parametrize(
    ("image", "words", "expected"),
    [
        ("vllm/vllm-openai:v0.33.0", ["/models/q.Q4_K_M.gguf", "--tokenizer", "m/x"], LOADED),
        ("vllm/vllm-openai:v0.33.0", ["unsloth/Qwen3-32B-GGUF:Q4_K_M"], LOADED),
        ("vllm/vllm-openai:v0.33.0", ["unsloth/Qwen3-32B-GGUF"], GGUF),  # may hold other files too
        ("vllm/vllm-openai:v0.33.0", ["acme/flint-nvfp4.gguf"], None),  # the one model that reads such a file
        ("vllm/vllm-openai:v0.23.0", ["/models/q.Q4_K_M.gguf"], GGUF),  # the last release that loads it
        ("vllm/vllm-openai:v0.23.5", ["/models/q.Q4_K_M.gguf"], GGUF),  # between it and the first without
        ("vllm/vllm-openai:v0.19.1", ["/models/q-00001-of-00003.gguf"], GGUF),
        ("registry.example.com/ml/vllm-gguf:prod", ["/models/q.gguf"], GGUF),  # may bring the plugin
        ("vllm/vllm-openai:v0.33.0", ["Qwen/Qwen3-32B-FP8"], None),
        ("vllm/vllm-openai:v0.33.0", [UNKNOWN], None),
    ],
)
def test_a_file_of_llama_cpp_is_refused_where_no_loader_is_left(
    image: str, words: list[Any], expected: str | None
) -> None:
    told = {finding.policy for finding in check_manifests([deployment(words, image=image)])}

    assert told & {LOADED, GGUF} == ({expected} if expected else set())


def test_parts_of_a_file_are_told_where_only_the_first_is_read() -> None:
    words = ["/models/q-00001-of-00003.gguf"]
    old, new = (
        next(
            finding.told
            for finding in check_manifests([deployment(words, image=f"vllm/vllm-openai:{tag}")])
            if finding.policy == GGUF
        )
        for tag in ("v0.19.1", "v0.22.1")
    )

    assert "the first of several files alone" in old
    assert "the first of several files alone" not in new


def test_a_plugin_that_the_script_installs_may_load_it() -> None:
    script = "pip install vllm-gguf-plugin && exec vllm serve unsloth/Qwen3-32B-GGUF:Q4_K_M"
    findings = check_manifests([deployment([], command=["bash", "-c", script])])

    assert {finding.policy for finding in findings} & {LOADED, GGUF} == {GGUF}
