"""Options of vLLM that a stack gives itself: what is taken, what is refused, and with which key it is said instead."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

import onprem_agents.plan
from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import ServingPlan
from onprem_agents.stack.settings import Platform
from onprem_agents.vllm import ServeFlags, known_releases, load_release, option_of, parse_argv
from tests.unit.manifest_samples import planned
from tests.unit.part_samples import server

pytestmark = pytest.mark.unit

OPTIONS = load_catalog().server_options
PLAN = Path(onprem_agents.plan.__file__).parent
ROOT = Path(__file__).parents[2]
KNOWN = {option for release in known_releases() for option in load_release(release).options()}


def coder(*words: str, release: str | None = None, **role: Any) -> ServingPlan:
    serving = {} if release is None else {"vllm": release}
    return planned(model={"extraArgs": list(words), **role}, serving=serving).main


def refused(*words: str, release: str | None = None, **role: Any) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        coder(*words, release=release, **role)
    assert {problem.where for problem in caught.value.problems} == {"platform.models[0].extraArgs"}
    return list(caught.value.problems)


def test_what_is_taken_stands_last_as_it_was_written() -> None:
    serving = coder("--max_logprobs=5", "--attention-backend", "FLASHINFER")

    assert serving.argv[-3:] == ("--max_logprobs=5", "--attention-backend", "FLASHINFER")
    assert serving.argv[:-3] == coder().argv
    assert serving.fit == coder().fit


def test_what_is_taken_and_modelled_is_in_the_flags() -> None:
    assert coder("--max-num-queued-reqs", "64").flags.max_num_queued_reqs == 64


def test_without_cuda_graphs_their_memory_goes_to_the_cache() -> None:
    eager = coder("--enforce-eager")

    assert eager.fit.kv_pool_gib > coder().fit.kv_pool_gib
    assert [note for note in eager.notes if "--enforce-eager" in note]


# vllm-project LLMKube#1030: a pod that restarts for ever over an option of another release.
def test_an_option_that_the_release_does_not_know_is_refused_with_what_became_of_it() -> None:
    (problem,) = refused("--swap-space", "16")

    assert problem.cause == "release-refuses"
    assert problem.found == "'--swap-space 16'"
    assert problem.why == "vLLM 0.33.0 does not know --swap-space and would stop at start"


def test_an_option_of_a_later_release_is_refused_with_the_release_that_has_it() -> None:
    (problem,) = refused("--sse-keep-alive-interval", "5", "--max-num-queued-reqs", "9", release="0.28.0")[1:]

    assert problem.found == "'--max-num-queued-reqs 9'"
    assert "since vLLM 0.29" in problem.fix


def test_a_misspelt_option_is_answered_with_the_nearest() -> None:
    (problem,) = refused("--max-logprop", "3")

    assert "did you mean --max-logprobs" in problem.fix


@pytest.mark.parametrize(
    ("words", "key", "fix"),
    [
        (("--max-model-len", "128K"), "context", "set platform.models[0].context to 131072"),
        (("--max-model-len=auto",), "context", "set platform.models[0].context"),
        (("-tp", "2"), "tensorParallel", "set platform.models[0].tensorParallel to 2"),
        (("--max-num-seqs", "9"), "maxNumSeqs", "set platform.models[0].maxNumSeqs to 9"),
        (
            ("--tool-call-parser=hermes",),
            "toolCallParser",
            "set platform.models[0].toolCallParser to hermes",
        ),
        (("--no-enable-prefix-caching",), "prefixCaching", "set platform.models[0].prefixCaching"),
        (("--speculative-config.method", "mtp"), "speculativeTokens", "speculativeTokens"),
        (("--spec-method", "ngram"), "speculativeTokens", "speculativeTokens"),
        (("--no-language-model-only",), "vision", "set platform.models[0].vision"),
        (("--shutdown-timeout", "5"), "longestTurnSeconds", "platform.timeouts.longestTurnSeconds to 5"),
    ],
)
def test_what_a_setting_says_is_refused_with_its_key(words: tuple[str, ...], key: str, fix: str) -> None:
    (problem,) = refused(*words)

    assert problem.cause == "contradiction"
    assert key in problem.why
    assert problem.fix.startswith("take it out and set ")
    assert problem.fix.endswith(fix)


@pytest.mark.parametrize(
    "words",
    [
        ("--cpu-offload-gb=4",),
        ("--enable-lora",),
        ("--lora-modules", "a=/x"),
        ("--pipeline-parallel-size", "2"),
        ("--data-parallel-size", "2"),
        ("--kv-cache-memory-bytes", "8G"),
        ("--num-gpu-blocks-override", "9"),
        ("--block-size", "32"),
        ("--kv-offloading-size", "8"),
        ("--disable-hybrid-kv-cache-manager",),
        ("--dtype", "float32"),
        ("--skip-mm-profiling",),
    ],
)
def test_what_the_memory_is_not_sized_for_is_refused(words: tuple[str, ...]) -> None:
    (problem,) = refused(*words)

    assert problem.found.strip("'").startswith(words[0].partition("=")[0])
    assert problem.fix.startswith("take it out")


@pytest.mark.parametrize("dtype", ["auto", "bfloat16", "half"])
def test_a_value_that_changes_no_memory_is_taken(dtype: str) -> None:
    assert coder("--dtype", dtype).argv[-2:] == ("--dtype", dtype)


def test_what_is_off_anyway_may_be_switched_off() -> None:
    assert coder("--no-enable-lora", "--cpu-offload-gb=0").argv[-2:] == (
        "--no-enable-lora",
        "--cpu-offload-gb=0",
    )


@pytest.mark.parametrize("option", ["--api-key", "--hf-token"])
def test_a_secret_is_refused_and_not_shown(option: str) -> None:
    (problem,) = refused(option, "hunter2-hunter2")

    assert "hunter2" not in str(problem)
    assert "serverKey" in problem.fix or "storageSecret" in problem.fix


def test_a_word_that_looks_like_a_key_is_refused_wherever_it_stands() -> None:
    with pytest.raises(InvalidInput) as caught:
        coder("--attention-backend", "sk-abcdef0123456789")

    (problem,) = caught.value.problems
    assert problem.where == "platform.models[0].extraArgs[1]"
    assert problem.cause == "looks-like-key"
    assert "sk-" not in str(problem)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--seed", "abc"), "--seed: a whole number is expected, not 'abc'"),
        (("--uvicorn-log-level", "loud"), "vLLM 0.33.0 takes one of: critical, debug"),
        (("--enforce-eager", "True"), "'True' belongs to no option"),
        (("--max-logprobs",), "--max-logprobs lacks its value"),
        (("serve",), "'serve' belongs to no option"),
        (("sh", "-c", "vllm serve x"), "'sh' belongs to no option"),
    ],
)
def test_what_vllm_would_stop_at_is_refused(words: tuple[str, ...], why: str) -> None:
    assert any(problem.why.startswith(why) for problem in refused(*words))


@pytest.mark.parametrize("word", [16, True, 0.5])
def test_a_number_is_refused_with_the_quotes_that_make_it_a_word(word: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        coder("--max-logprobs", word)

    (problem,) = caught.value.problems
    assert problem.where == "platform.models[0].extraArgs[1]"
    assert problem.fix == f'write it in quotes: "{str(word).lower()}"'


def test_a_value_that_kubernetes_would_replace_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        coder("--seed", "$(SEED)")

    assert "Kubernetes replaces" in caught.value.problems[0].why


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = {
        problem.found for problem in refused("--swap-space=16", "--max-model-len", "4096", "--enable-lora")
    }

    assert told == {"'--swap-space 16'", "'--max-model-len 4096'", "'--enable-lora'"}


def test_a_component_is_told_of_its_own_arguments() -> None:
    with pytest.raises(InvalidInput) as caught:
        server(extraArgs=["--max-model-len", "4096", "--api-key", "x"])

    context, key = caught.value.problems
    assert (context.where, context.fix) == ("extraArgs", "take it out and set context to 4096")
    assert key.fix == "take it out and set serverKey"


# Devstral's files are Mistral's own; a copy on a volume may be in the form of Hugging Face.
def test_how_files_are_read_may_be_said_anew_and_the_plan_tells() -> None:
    serving = coder(
        "--tokenizer-mode",
        "auto",
        model="mistralai/Devstral-Small-2-24B-Instruct-2512",
        source="pvc://models/devstral",
    )

    assert serving.flags.tokenizer_mode == "auto"
    assert parse_argv(serving.argv).flags.tokenizer_mode == "auto", "vLLM takes the last of two"
    assert [note for note in serving.notes if "in place of --tokenizer-mode mistral" in note]


def test_an_option_without_which_the_model_answers_wrongly_cannot_be_said_otherwise() -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(
            model={"model": "stepfun-ai/Step-3.7-Flash-FP8", "extraArgs": ["--no-disable-cascade-attn"]},
            hardware={"accelerator": "H100", "gpusPerNode": 8, "nodes": 1},
        )

    (problem,) = [problem for problem in caught.value.problems if problem.where.endswith("extraArgs")]
    assert problem.found == "--enable-cascade-attn"
    assert problem.why.endswith("works with --disable-cascade-attn alone")


def test_a_plugin_may_bring_the_parser_that_the_stack_names() -> None:
    serving = coder("--tool-parser-plugin", "/plugins/ours.py", toolCallParser="ours")

    assert serving.flags.tool_call_parser == "ours"
    assert serving.argv[-2:] == ("--tool-parser-plugin", "/plugins/ours.py")


def test_images_may_be_limited_where_they_are_taken() -> None:
    assert coder("--limit-mm-per-prompt", '{"image":2}', vision=True).flags.limit_mm_per_prompt == {
        "image": 2
    }
    (problem,) = refused("--limit-mm-per-prompt", '{"image":2}')
    assert problem.fix.endswith("set platform.models[0].vision")


def test_the_example_in_the_docs_is_planned_as_it_stands() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    section = page.partition("## When the plan is not enough\n")[2].partition("\n## ")[0]
    example = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])

    serving = planned(models=example["models"]).main

    assert serving.argv[-3:] == ("--max-logprobs=5", "--attention-backend", "FLASHINFER")
    assert serving.flags.speculative_config is not None
    assert serving.vision is True
    keys = set(example["models"][0]) - {"role", "model", "speculativeTokens"}
    assert not [key for key in keys if f"`{key}" not in section.partition("```yaml")[2].partition("```")[2]]


def derived_fields() -> set[str]:
    """Return the fields of ServeFlags that a module of the plan sets."""
    found = set()
    for module in PLAN.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
                found |= names if node.func.id == "ServeFlags" else set()
                found |= names & set(vars(ServeFlags())) if node.func.id == "replace" else set()
    return found


def test_every_option_that_the_plan_sets_is_refused_with_its_setting_or_the_reason() -> None:
    derived = derived_fields()
    assert len(derived) > 25

    unguarded = [
        option_of(field)
        for field in derived
        if not any(entry.means(option_of(field)) and entry.refused for entry in OPTIONS)
    ]
    assert not unguarded, "say in catalog/server-options.yaml which setting says it, or why nobody may"


def test_every_entry_means_an_option_of_some_release_and_every_setting_exists() -> None:
    strangers = [entry.option for entry in OPTIONS if not any(entry.means(option) for option in KNOWN)]
    # Gone before the oldest release that is known, and still in people's manifests.
    assert set(strangers) <= {"--task"}
    keys = set(paths(Platform))
    for entry in (*OPTIONS, *load_catalog().server_variables):
        if entry.setting is not None and not entry.setting.startswith("onprem-coding-agents:"):
            path = entry.setting.removeprefix("platform.")
            assert path in keys or f"models.{path}" in keys, entry.setting


def paths(section: Any, above: str = "") -> list[str]:
    from onprem_agents.stack.section import sections_in

    found = []
    for info in section.model_fields.values():
        path = f"{above}{info.alias}"
        found.append(path)
        for inner in sections_in(info.annotation):
            found += paths(inner, f"{path}.")
    return found
