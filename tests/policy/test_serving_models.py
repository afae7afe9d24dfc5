"""What a server's model and its agents ask of it: one change, exactly one policy, which says what to change."""

from __future__ import annotations

import pytest

from policy.checks import check_manifests, graph_of
from tests.policy.programs import argument, bent, both, put, without
from tests.policy.serving_changes import (
    DOWNLOAD,
    DRAFT,
    EXAMPLES,
    EXISTS,
    FITS,
    FORMAT,
    GEMMA,
    HERMES,
    HF,
    HOLDS,
    IMAGE,
    LOADS,
    MINE,
    MODEL,
    NAMED,
    NAMES,
    OLD,
    PREDICTOR,
    PROMISE,
    PROMISED,
    PROXIES,
    ROUTES,
    SESSIONS,
    SLASH,
    SMALL_CONTEXT,
    SOURCES,
    SPEAKS,
    SUITS,
    TEMPLATE,
    TEMPLATE_OF_GEMMA,
    WEIGHTS,
    Change,
    ai_route,
    contract,
    mine,
    model,
    proxy,
    release,
    sources,
)

pytestmark = pytest.mark.policy

MUTATIONS: dict[str, tuple[Change, str, str]] = {
    # change, the one policy that fires, a part of its message
    "a model newer than the release": (release("0.16.0"), LOADS, "no Qwen3_5ForConditionalGeneration"),
    "a model newer than a mirror's release": (
        both(release("0.14.1"), put(*IMAGE, value="registry.example.com/mirror/vllm/vllm:v0.14.1")),
        LOADS,
        "Take vLLM 0.17.1 or newer: platform.serving.vllm",
    ),
    "a checkpoint of a later release": (
        release("0.22.1", checkpoint="nvidia/Qwen3.6-27B-NVFP4"),
        SUITS,
        "known to be served from 0.28.0 on",
    ),
    "a template that the image does not hold": (
        argument("--chat-template", f"{EXAMPLES}/tool_chat_template_qwen3.jinja"),
        EXISTS,
        "tool_chat_template_qwen3coder.jinja",
    ),
    "a template that came later": (
        both(
            release("0.19.1"), argument("--chat-template", "examples/tool_chat_template_muse_glimmer.jinja")
        ),
        EXISTS,
        "vLLM's image of 0.19.1 does not hold",
    ),
    "a template of another family": (
        argument("--chat-template", HERMES),
        TEMPLATE,
        "Leave out --chat-template",
    ),
    "no template where one is known to be needed": (
        GEMMA,
        TEMPLATE,
        f"Set --chat-template to {TEMPLATE_OF_GEMMA}",
    ),
    "a template of another generation": (
        both(GEMMA, argument("--chat-template", f"{EXAMPLES}/tool_chat_template_gemma3_pythonic.jinja")),
        TEMPLATE,
        "tool_chat_template_gemma4.jinja",
    ),
    "no room for any agent": (argument("--max-model-len", "4096"), HOLDS, "even aider needs 9142"),
    "a model's own window without room": (
        both(
            put(*DOWNLOAD, value="hf://google/gemma-2-9b-it"),
            put("server", "metadata", "labels", "onprem-coding-agents/role", value="coder"),
            argument("--tool-call-parser", "hermes"),
            argument("--tool-parser-plugin", "/plugins/ours.py"),
            without("--max-model-len"),
            without("--reasoning-parser"),
        ),
        HOLDS,
        "serves a context of 8192 tokens",
    ),
    "no room for some agents": (
        SMALL_CONTEXT,
        FITS,
        "too small for Claude Code (needs 42285), Qwen Code (needs 61000)",
    ),
    "no room for one agent": (argument("--max-model-len", "49152"), FITS, "too small for Qwen Code"),
    "an agent that the model is known to fail with": (
        both(
            put(*DOWNLOAD, value="hf://openai/gpt-oss-20b"),
            argument("--tool-call-parser", "openai"),
            argument("--reasoning-parser", "openai_gptoss"),
        ),
        MODEL,
        "serves gpt-oss-20b, which does not work with Codex CLI",
    ),
    "a model without a parser for its calls": (
        both(
            put(*DOWNLOAD, value="hf://deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"),
            argument("--tool-call-parser", "hermes"),
            argument("--reasoning-parser", "deepseek_r1"),
        ),
        MODEL,
        "does not work with any coding agent: vLLM has no parser for its tool calls",
    ),
    "a release without Anthropic's API": (
        OLD,
        SPEAKS,
        "has no /v1/messages: 404 for Claude Code",
    ),
    "a promise beyond the window": (
        both(contract(agents=["claude"]), SMALL_CONTEXT),
        PROMISED,
        "its context of 32768 tokens is too small for Claude Code (needs 42285)",
    ),
    "a promise beyond the release": (
        both(contract(supportedAgents=["claude", "codex"]), OLD),
        PROMISED,
        "vLLM 0.10.2 has no /v1/messages for Claude Code",
    ),
    "names with a slash alone": (
        argument("--served-model-name", "agents/coder"),
        SLASH,
        "--served-model-name",
    ),
    "a route that asks for another name": (ai_route("qwen"), ROUTES, "asks ours for qwen"),
    "a backend that is asked by another name": (
        ai_route("coder", modelNameOverride="qwen"),
        ROUTES,
        "answers to coder alone",
    ),
    "a proxy that asks for another name": (
        proxy("hosted_vllm/qwen"),
        PROXIES,
        "for qwen (the model ours in data[",
    ),
    "a proxy that asks for the name at Hugging Face": (
        proxy("openai/Qwen/Qwen3.6-27B-FP8", "http://coder-predictor/v1"),
        PROXIES,
        "(hosted_vllm/coder)",
    ),
    "a contract of a name that nothing serves": (
        both(contract(model="planner")),
        NAMES,
        "tells clients of a model planner (role coder)",
    ),
    "several sources in the model": (
        both(model(**SOURCES, storageUris=[HF]), NAMED),
        WEIGHTS,
        "Move it up to spec.predictor.storageUris",
    ),
    "one source beside the model": (
        both(model(**SOURCES), NAMED, put(*PREDICTOR, "storageUri", value="hf://Qwen/Qwen3.6-27B-FP8")),
        WEIGHTS,
        "Move it to spec.predictor.model.storageUri",
    ),
    "one source and several": (
        both(model(), put(*PREDICTOR, "storageUris", value=[HF])),
        WEIGHTS,
        "refuses the two together",
    ),
    "a path that is not absolute": (sources({**HF, "mountPath": "models"}), WEIGHTS, "takes absolute paths"),
    "paths without a folder in common": (
        sources(HF, {**DRAFT, "mountPath": "/draft"}),
        WEIGHTS,
        "no folder in common",
    ),
    "a format that the runtime does not list": (
        model(modelFormat={"name": "huggingface"}),
        FORMAT,
        "to vLLM, or add huggingface to the runtime's",
    ),
    "more sessions than the cache holds": (
        put(*PROMISE, value={"onprem-coding-agents/sessions": "16"}),
        SESSIONS,
        "promised to hold 16 sessions of 131072 tokens",
    ),
}

_ADVISORY = {SESSIONS, SUITS, TEMPLATE, FITS, MODEL, SPEAKS, SLASH, NAMES, FORMAT}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_makes_exactly_one_policy_fire_and_it_says_what_to_change(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    findings = check_manifests(bent(change))

    assert [finding.policy for finding in findings] == [policy], "\n".join(f.told for f in findings)
    assert part in findings[0].told
    assert findings[0].told.startswith(findings[0].resource), "a message is a sentence about its object"
    assert findings[0].change, "what to change stands apart"
    assert findings[0].level == ("advisory" if policy in _ADVISORY else "mandatory")


def test_sessions_are_held_by_all_replicas_together() -> None:
    # each replica of the compliant program holds 5 sessions of 131072 tokens
    two = put(*PREDICTOR, "minReplicas", value=2)

    assert mine(bent(both(put(*PROMISE, value={"onprem-coding-agents/sessions": 10}), two))) == []
    assert mine(bent(both(put(*PROMISE, value={"onprem-coding-agents/sessions": 11}), two))) == [SESSIONS]


def test_a_company_asks_for_a_larger_window_by_a_setting() -> None:
    policy = MINE[HOLDS]
    graph = graph_of(bent(argument("--max-model-len", "65536")))

    assert policy.find(graph) == []
    (found,) = policy.find(graph, {"minimumContextTokens": 131_072})
    assert "below the 131072 that this policy is configured to ask for" in found.message
    # a setting below what any agent needs changes nothing: the window of 4096 is refused all the same
    small = graph_of(bent(argument("--max-model-len", "4096")))
    assert len(policy.find(small, {"minimumContextTokens": 1024})) == 1
