"""How much a served model thinks: the setting, what the family and the release take, and what refuses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from onprem_agents.catalog import ThinkingControl
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import PlatformPlan, plan_stack
from onprem_agents.plan.report import report
from onprem_agents.stack.settings import Platform
from onprem_agents.vllm import load_release, newest_release, parse_argv, to_argv
from tests.unit.catalog_samples import CATALOG, ONLY_ON_OLDER, planned, serving_releases

pytestmark = pytest.mark.unit

QWEN = "Qwen/Qwen3.6-27B-FP8"
THINKERS = [model for model in CATALOG.models if model.reasoning]
NEWEST = newest_release()
CLOSED = (
    "Considering the limited time by the user, I have to give the solution based on the thinking directly now.\n"
    "</think>"
)


def plan(model: str, thinking: Any = None, *, vllm: str | None = None, **role: Any) -> PlatformPlan:
    entry = {"role": "coder", "model": model, "context": 65536, **role}
    if thinking is not None:
        entry["thinking"] = thinking
    raw = {
        "hardware": {"accelerator": "B300", "gpusPerNode": 8},
        "models": [entry],
        "serving": {"vllm": vllm} if vllm else {},
        "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
    }
    return plan_stack(raw, stack="test")


def refused(model: str, thinking: Any = None, **changes: Any) -> Problem:
    with pytest.raises(InvalidInput) as caught:
        plan(model, thinking, **changes)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("model", THINKERS, ids=lambda model: model.name)
def test_what_steers_each_model_that_thinks_is_known_with_its_source(model: Any) -> None:
    control = CATALOG.thinking_control(model)

    assert control is not None
    assert control.source.where
    assert model.thinking != "effort" or control.efforts


def test_no_control_names_a_model_or_parser_that_is_not_there() -> None:
    used = {id(CATALOG.thinking_control(model)) for model in THINKERS}
    names = {model.name for model in CATALOG.models}
    controls = {id(c): c for model in THINKERS if (c := CATALOG.thinking_control(model)) is not None}

    assert set(controls) == used
    assert {name for control in controls.values() for name in control.models} <= names


def test_a_control_that_is_about_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="parser or the models"):
        ThinkingControl.model_validate({"source": {"where": "nobody", "read": "2026-11-28"}})


@pytest.mark.parametrize(
    ("model", "default", "budget", "effort", "arguments"),
    [
        (QWEN, "on", 2048, None, None),
        ("Qwen/Qwen3.8-27B", "on", None, "low", {"reasoning_effort": "low"}),
        ("google/gemma-4-31B-it", "off", None, None, None),
        ("openai/gpt-oss-120b", "on", None, "low", None),
        ("zai-org/GLM-5.2", "on", None, "high", {"reasoning_effort": "high"}),
        (
            "deepseek-ai/DeepSeek-V4-Flash-0731",
            "on",
            None,
            "low",
            {"thinking": True, "reasoning_effort": "low"},
        ),
        ("XiaomiMiMo/MiMo-V2-Flash", "off", None, None, {"enable_thinking": False}),
        ("ByteDance-Seed/Seed-OSS-36B-Instruct", "on", 2048, None, {"thinking_budget": 2048}),
        ("Qwen/QwQ-32B", "on", 2048, None, None),
    ],
)
def test_where_nothing_is_said_a_model_thinks_little_in_the_way_of_its_family(
    model: str, default: str, budget: int | None, effort: str | None, arguments: dict[str, Any] | None
) -> None:
    changes: dict[str, Any] = {"context": 32768} if model == "Qwen/QwQ-32B" else {}
    told = plan(model, **changes)
    thinking = told.main.thinking

    assert thinking is not None
    assert (thinking.default, thinking.budget_tokens, thinking.effort) == (default, budget, effort)
    assert thinking.because
    assert told.main.flags.default_chat_template_kwargs == arguments


def test_a_model_that_does_not_think_has_nothing_to_say_of_it() -> None:
    told = plan("Qwen/Qwen3-Coder-30B-A3B-Instruct")

    assert told.main.thinking is None
    assert told.connection.main.thinking is None
    assert report(told)["models"][0]["thinking"] is None


@pytest.mark.parametrize(
    ("thinking", "arguments"),
    [
        ({"default": "off"}, {"enable_thinking": False}),
        ({"default": "on"}, None),
        ({"budgetTokens": 4096}, None),
        ({"default": "auto"}, None),
    ],
)
def test_the_switch_of_a_qwen_is_told_where_it_differs_from_its_own(
    thinking: Any, arguments: dict[str, Any] | None
) -> None:
    told = plan(QWEN, thinking).main

    assert told.flags.default_chat_template_kwargs == arguments
    assert (told.flags.reasoning_config is None) == (
        "budgetTokens" not in thinking and thinking != {"default": "auto"}
    )


def test_a_model_that_thinks_where_asked_can_be_told_to_think_always() -> None:
    told = plan("google/gemma-4-31B-it", {"default": "on", "budgetTokens": 1024}).main

    assert told.flags.default_chat_template_kwargs == {"enable_thinking": True}
    assert told.thinking is not None
    assert told.thinking.said() == "on, budget 1,024 tokens"


def test_a_switch_of_words_is_told_in_words() -> None:
    told = plan("MiniMaxAI/MiniMax-M3", {"default": "off"})

    assert told.main.flags.default_chat_template_kwargs == {"thinking_mode": "disabled"}
    assert told.connection.main.thinking is not None
    assert told.connection.main.thinking.switch is None, "false would not switch it"


@pytest.mark.parametrize(("word", "default"), [("on", "on"), ("off", "off"), ("true", "on"), ("no", "off")])
def test_what_yaml_reads_as_a_truth_value_is_the_word_that_was_written(word: str, default: str) -> None:
    thinking = yaml.safe_load(f"default: {word}")

    assert isinstance(thinking["default"], bool), "the trap"
    told = plan(QWEN, thinking).main.thinking
    assert told is not None
    assert told.default == default


@pytest.mark.parametrize(
    ("vllm", "config"),
    [
        ("0.18.1", None),
        ("0.19.1", {"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}),
        ("0.27.1", None),
        ("0.28.0", {"reasoning_end_str": CLOSED}),
        (NEWEST, {"reasoning_end_str": CLOSED}),
    ],
)
def test_each_release_is_told_of_a_budget_what_it_does_not_know_itself(
    vllm: str, config: dict[str, str] | None
) -> None:
    told = plan(QWEN, vllm=vllm).main

    assert told.flags.reasoning_config == config
    assert told.thinking is not None
    assert (told.thinking.budget_tokens is None) == (vllm == "0.18.1")
    if vllm == "0.18.1":
        assert "0.19.1 does" in told.thinking.because


@pytest.mark.parametrize(
    ("model", "thinking", "changes", "where", "cause", "words"),
    [
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", {"default": "on"}, {}, "default", "not-supported", "does not think"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", {"effort": "low"}, {}, "effort", "not-supported", "does not think"),
        ("openai/gpt-oss-120b", {"default": "off"}, {}, "default", "not-supported", "effort to low"),
        ("MiniMaxAI/MiniMax-M2.7", {"default": "off"}, {}, "default", "not-supported", "budgetTokens to 1024"),
        ("openai/gpt-oss-120b", {"budgetTokens": 2048}, {}, "budgetTokens", "not-supported", "effort to low"),
        ("tencent/Hunyuan-A13B-Instruct", {"budgetTokens": 2048}, {"context": 32768}, "budgetTokens",
         "not-supported", "default to off"),
        (QWEN, {"effort": "low"}, {}, "effort", "not-supported", "no efforts apart"),
        ("zai-org/GLM-5.2", {"effort": "low"}, {}, "effort", "not-supported", "high, max"),
        (QWEN, {"budgetTokens": 2048}, {"vllm": "0.18.1"}, "budgetTokens", "release-too-old", "0.19.1"),
        ("Qwen/Qwen3-32B", {"default": "off"}, {"vllm": "0.13.0", "context": 32768}, "default", "release-too-old",
         "0.14.1"),
        (QWEN, {"budgetTokens": 8192}, {}, "budgetTokens", "contradiction", "4096"),
        ("deepseek-ai/DeepSeek-V3.1", {"default": "on"}, {}, "default", "no-tool-calls", "calls tools only"),
        ("deepseek-ai/DeepSeek-V3.1", {"budgetTokens": 2048}, {}, "budgetTokens", "no-tool-calls",
         "calls tools only"),
        (QWEN, {"default": "off", "budgetTokens": 2048}, {}, "", "contradiction", "uses up neither"),
        (QWEN, {"budgetTokens": 1023}, {}, "budgetTokens", "bad-value", "1024"),
        (QWEN, {"default": "sometimes"}, {}, "default", "bad-value", "'on', 'off' or 'auto'"),
        (QWEN, {"effort": "none"}, {}, "effort", "bad-value", "'minimal'"),
        (QWEN, {"budget": 2048}, {}, "budget", "unknown-key", "budgetTokens"),
    ],
)  # fmt: skip
def test_what_a_model_or_release_does_not_take_is_refused_with_why_and_what_to_do(
    model: str, thinking: Any, changes: dict[str, Any], where: str, cause: str, words: str
) -> None:
    problem = refused(model, thinking, **changes)

    assert problem.where == ".".join(("platform.models[0].thinking", *([where] if where else [])))
    assert problem.cause == cause
    assert words in str(problem)


def test_that_a_model_without_thoughts_is_not_to_think_is_no_contradiction() -> None:
    assert plan("Qwen/Qwen3-Coder-30B-A3B-Instruct", {"default": "off"}).main.thinking is None


def test_an_answer_without_room_for_a_budget_gets_none() -> None:
    told = plan(QWEN, context=16384).main.thinking

    assert told is not None
    assert told.budget_tokens is None
    assert "no room" in told.because


@pytest.mark.parametrize("default", ["on", "off", "auto"])
@pytest.mark.parametrize("model", THINKERS, ids=lambda model: model.name)
def test_however_a_model_is_to_think_its_flags_are_those_that_each_release_takes(
    model: Any, default: str
) -> None:
    control = CATALOG.thinking_control(model)
    assert control is not None
    variant = model.variants[0]
    releases = [known for known in serving_releases(model, variant) if variant.hf_id not in ONLY_ON_OLDER]
    for version in {releases[0], releases[-1], *(r for r in ("0.19.1", "0.28.0") if r in releases)}:
        flags = planned(model, variant, version, thinking={"default": default})
        read = parse_argv(to_argv(flags, version), release=version)
        assert (read.unknown, read.problems, dict(read.other)) == ((), (), {}), version
        assert read.flags == flags
        takes_defaults = "--default-chat-template-kwargs" in load_release(version).options()
        if control.switch is not None and takes_defaults and (default == "off") != (model.thinking == "off"):
            told = flags.default_chat_template_kwargs or {}
            wanted = control.switched_off if default == "off" else control.switched_on
            assert default == "auto" or told[control.switch] == wanted


def test_the_contract_tells_agents_what_the_plan_says() -> None:
    told = plan("Qwen/Qwen3.8-27B").connection.main

    assert told.thinking is not None
    assert (told.thinking.effort, told.thinking.efforts) == ("low", ("low", "medium", "xhigh"))
    assert "-effort" not in told.claude_capabilities
    budget = plan(QWEN).connection.main
    assert budget.thinking is not None
    assert budget.thinking.budget_tokens == 2048
    assert budget.claude_capabilities[-1] == "-adaptive_thinking"
    json.loads(plan(QWEN).connection.to_json())


def test_the_schema_says_the_three_words() -> None:
    schema = Platform.model_json_schema(by_alias=True)["$defs"]["Thinking"]["properties"]["default"]

    assert schema["enum"] == ["on", "off", "auto"]
