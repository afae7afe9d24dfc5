"""Which agents a stack's roles serve: told for each role, and refused where it is none of those that are used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.agents import AGENTS
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.cli.agents_view import agents_line
from onprem_agents.cli.render import yaml_of
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.agent_changes import dearer_changes
from onprem_agents.plan.report import report
from onprem_agents.plan.support import wire_obstacles
from onprem_agents.vllm import known_releases, serves
from tests.unit.manifest_samples import STACK, planned
from tests.unit.part_samples import server

pytestmark = pytest.mark.unit


def line(plan: PlatformPlan, role: int = 0) -> str:
    return agents_line(report(plan)["models"][role]["agents"])


def why(plan: PlatformPlan) -> dict[str, Any]:
    return {agent["agent"]: agent["why"] for agent in report(plan)["models"][0]["agents"]}


def test_a_role_with_a_long_window_serves_every_agent() -> None:
    told = report(planned(model={"context": 65_536}))["models"][0]["agents"]

    assert [agent["agent"] for agent in told] == [agent.name for agent in AGENTS]
    assert all(agent["served"] and agent["why"] is None and agent["reason"] is None for agent in told)


def test_the_line_of_a_role_marks_each_agent_and_says_why_one_is_not_served() -> None:
    # Claude Code compacts at 32768 - 4096 - 13000 = 15672 and starts with 22k; Qwen Code at 85 %: 27852, below 28000.
    assert line(planned(model={"context": 32_768})) == (
        "agents opencode ✓, Codex CLI ✓, Claude Code ✗ (context below 65,536), Qwen Code ✗ (context below 65,536), "
        "Cline CLI ✓, Kilo CLI ✓, GitHub Copilot CLI ✓, pi ✓, Continue CLI ✓, aider ✓, goose ✓"
    )


def test_each_role_is_judged_by_its_own_window() -> None:
    plan = planned(model={"context": 16_384}, second_role=True)

    assert "Codex CLI ✗ (context below 32,768)" in line(plan, 0)
    assert "✗" not in line(plan, 1)


def test_a_model_that_an_agent_cannot_talk_to_is_told_by_the_catalogues_reason() -> None:
    plan = planned(
        model={"model": "openai/gpt-oss-120b", "context": 65_536},
        hardware={"accelerator": "H100", "gpusPerNode": 2},
    )

    assert why(plan)["codex"] == "harmony models refuse Codex's namespace tools"
    assert why(plan)["opencode"] is None


def test_the_reason_for_developers_says_what_the_agent_starts_with() -> None:
    told = {
        agent["agent"]: agent["reason"]
        for agent in report(planned(model={"context": 32_768}))["models"][0]["agents"]
    }

    assert told["claude"] == (
        "a context of 32768 makes claude compact at 15672 tokens, which leaves no room beside its own first request of "
        "about 22000, serve at least 65536"
    )


@pytest.mark.parametrize(
    ("version", "translation", "unserved"),
    [
        ("0.33.0", "native", set()),
        ("0.12.0", "native", set()),
        ("0.11.1", "native", set()),
        # /v1/messages came with 0.11.1, /v1/responses with 0.10.0.
        ("0.11.0", "native", {"claude"}),
        ("0.9.2", "native", {"claude", "codex"}),
        # Both proxies make chat completions of Anthropic's messages; neither spares vLLM the Responses API.
        ("0.9.2", "litellm", {"codex"}),
        ("0.9.2", "claude-code-router", {"codex"}),
    ],
)
def test_an_agent_whose_wire_the_release_lacks_needs_a_proxy_that_translates_it(
    version: str, translation: Any, unserved: set[str]
) -> None:
    found = wire_obstacles(version, translation)

    assert set(found) == unserved
    assert all(
        obstacle.lies_in == "wire" and obstacle.brief.startswith(f"vLLM {version} has no /v1/")
        for obstacle in found.values()
    )


def test_every_release_that_is_known_speaks_the_wire_of_every_agent() -> None:
    assert all(serves(version, agent.path) for version in known_releases() for agent in AGENTS)


def test_developers_are_told_of_a_wire_that_is_missing() -> None:
    old: dict[str, Any] = {
        "model": {"model": "Qwen/Qwen3-32B", "context": 32_768},
        "hardware": {"accelerator": "H100", "gpusPerNode": 2},
        "serving": {"vllm": "0.11.0"},
    }
    native = planned(**old).connection.main

    assert (
        native.unsupported_reasons["claude"]
        == "vLLM 0.11.0 has no /v1/messages, and claude asks nothing else"
    )
    assert "codex" in native.supported_agents


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)
def test_an_agent_starts_with_less_than_what_it_may_compact_at(agent: Any) -> None:
    assert 0 < agent.limits.first_request_tokens < agent.limits.least_compaction_tokens


def refused(**changed: Any) -> Problem:
    with pytest.raises(InvalidInput) as caught:
        planned(**changed)
    (problem,) = caught.value.problems
    return problem


def test_a_window_below_every_agents_least_is_refused_with_the_shortest_that_serves_one() -> None:
    problem = refused(model={"context": 8_192})

    assert problem.where == "platform.models[0].context"
    assert problem.cause == "not-supported"
    assert problem.found == "coder with 8192 tokens"
    assert problem.why == (
        "it serves none of the agents that developers use: "
        "opencode, Cline CLI, Kilo CLI, pi, aider, goose (context below 16,384); "
        "Codex CLI, GitHub Copilot CLI, Continue CLI (context below 32,768); "
        "Claude Code, Qwen Code (context below 65,536)"
    )
    assert problem.fix == (
        "set platform.models[0].context to 16384; "
        "or set platform.access.agents to [] where nobody works with an agent"
    )


def test_a_stack_whose_developers_use_no_agent_is_not_judged_by_agents() -> None:
    plan = planned(model={"context": 8_192}, access={"agents": []})

    assert plan.main.context_tokens == 8_192
    assert plan.notes == ()
    assert line(plan) == "agents none, as the stack says"


def test_a_model_that_calls_no_tools_serves_where_nobody_works_with_an_agent() -> None:
    mute: dict[str, Any] = {
        "model": {"model": "microsoft/phi-4", "context": 16_384},
        "hardware": {"accelerator": "H100", "gpusPerNode": 1},
    }
    plan = planned(**mute, access={"agents": []})

    assert plan.main.flags.tool_call_parser is None
    assert not plan.connection.main.tool_calling
    assert refused(**mute).cause == "no-tool-calls"


def test_one_role_that_serves_agents_is_enough() -> None:
    plan = planned(model={"context": 8_192}, second_role=True)

    assert all(not agent["served"] for agent in report(plan)["models"][0]["agents"])
    titles = ", ".join(agent.title for agent in AGENTS)
    (note,) = plan.main.notes
    assert note == (
        f"the first role does the work, and coder does not serve {titles}, as fast does: put fast first in "
        "platform.models, or change coder"
    )


def test_only_the_agents_that_developers_use_are_told_and_count() -> None:
    plan = planned(model={"context": 32_768}, access={"agents": ["codex", "opencode"]})

    assert line(plan) == "agents opencode ✓, Codex CLI ✓"
    problem = refused(model={"context": 32_768}, access={"agents": ["claude"]})
    assert problem.where == "platform.models[0].context"
    assert problem.why.endswith(": Claude Code (context below 65,536)")
    assert problem.fix.startswith("set platform.models[0].context to 65536; or ")


def test_an_agent_that_no_role_serves_is_a_note_where_others_are_served() -> None:
    plan = planned(model={"context": 32_768}, access={"agents": ["claude", "opencode"]})

    assert plan.notes == (
        "coder: no role serves Claude Code (context below 65,536); set platform.models[0].context to 65536",
    )


def test_a_change_that_helps_one_agent_is_told_although_nothing_helps_another() -> None:
    gpt: dict[str, Any] = {"model": "openai/gpt-oss-120b", "context": 32_768}
    hardware = {"accelerator": "H100", "gpusPerNode": 2}
    said = planned(model=gpt, hardware=hardware, access={"agents": ["codex", "claude", "pi"]})
    silent = planned(model=gpt, hardware=hardware)

    assert said.main.notes[-1] == (
        "no role serves Codex CLI (harmony models refuse Codex's namespace tools); Claude Code (context below 65,536); "
        "set platform.models[0].context to 65536 for Claude Code"
    )
    assert silent.main.notes[-1] == (
        "no role serves Claude Code, Qwen Code (context below 65,536); set platform.models[0].context to 65536"
    )


def test_an_agent_of_the_stack_that_nothing_would_serve_is_noted_without_a_way() -> None:
    gpt: dict[str, Any] = {"model": "openai/gpt-oss-120b", "context": 65_536}
    hardware = {"accelerator": "H100", "gpusPerNode": 2}
    said = planned(model=gpt, hardware=hardware, access={"agents": ["codex", "pi"]})
    silent = planned(model=gpt, hardware=hardware)

    note = "coder: no role serves Codex CLI (harmony models refuse Codex's namespace tools)"
    assert note in said.notes
    assert not any("no role serves" in note for note in silent.notes), "the role's line tells it"


@pytest.mark.parametrize(
    ("changed", "fix"),
    [
        # The KV pool holds a session of about 51k tokens in the model's own precision, twice that in half the bytes.
        pytest.param(
            {
                "model": {"model": "Llama-3.2-11B-Vision", "context": 32_768, "kvCacheDtype": "auto"},
                "hardware": {"accelerator": "RTX-5090", "gpusPerNode": 1, "nodes": 1},
            },
            "set platform.models[0].context to 65536 and set platform.models[0].kvCacheDtype to fp8",
            id="half the cache",
        ),
        # Trained for 32768 tokens: no setting makes it longer.
        pytest.param(
            {
                "model": {"model": "Qwen/Qwen2.5-Coder-7B-Instruct", "context": 32_768},
                "hardware": {"accelerator": "L4", "gpusPerNode": 1, "nodes": 1},
            },
            "set platform.models[0].model to Qwen2.5-VL-7B and set platform.models[0].context to 65536",
            id="another model",
        ),
        pytest.param(
            {
                "model": {"model": "Qwen/Qwen3-Coder-30B-A3B-Instruct", "context": 65_536},
                "hardware": {"accelerator": "H100", "gpusPerNode": 1, "nodes": 1},
                "serving": {"vllm": "0.11.0"},
            },
            "set platform.serving.vllm to 0.12.0",
            id="a release",
        ),
    ],
)
def test_the_cheapest_change_is_named_and_holds(changed: dict[str, Any], fix: str) -> None:
    problem = refused(**changed, access={"agents": ["claude"]})

    assert problem.fix.partition("; or ")[0] == fix
    assert "claude" in with_fix(changed, fix).main.supported_agents


def with_fix(changed: dict[str, Any], fix: str) -> PlatformPlan:
    """Plan the stack again with what a fix says of it."""
    again: dict[str, Any] = {name: dict(section) for name, section in changed.items()}
    for step in fix.split(" and "):
        told = re.fullmatch(r"set platform\.(models\[0\]|\w+)\.(\w+) to (\S+)", step)
        assert told is not None, step
        section, key, value = told.groups()
        again["model" if section.startswith("models") else section][key] = (
            int(value) if value.isdigit() else value
        )
    return planned(**again)


def test_another_model_of_its_class_is_tried_before_other_gpus_and_a_small_model_after_them() -> None:
    plan = planned(model={"context": 8_192}, access={"agents": []})

    texts = [
        change.text for change in dearer_changes(plan.settings, plan.serving, AGENTS, catalog=load_catalog())
    ]

    def named(model: str) -> str:
        return f"set platform.models[0].model to {model} and set platform.models[0].context to 16384"

    bought = [index for index, text in enumerate(texts) if "platform.hardware.accelerator" in text]
    # Of about 27 billion parameters: 31 are of its class, 4 are not.
    assert texts.index(named("gemma-4-31B")) < bought[0]
    assert texts.index(named("gemma-3-4b")) > bought[-1]
    assert len(bought) == bought[-1] - bought[0] + 1
    assert texts[bought[0]].endswith("and set platform.models[0].context to 16384")


def test_names_of_no_agent_and_names_that_repeat_are_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(access={"agents": ["claud", "opencode", "opencode"]})

    assert [(problem.where, problem.cause, problem.fix) for problem in caught.value.problems] == [
        ("platform.access.agents[0]", "unknown-name", "did you mean claude?"),
        ("platform.access.agents[2]", "repeated", "leave out platform.access.agents[2]"),
    ]


def test_a_server_that_stands_alone_is_not_judged_by_agents() -> None:
    part = server(context=8_192)

    assert part.serving.context_tokens == 8_192
    assert part.serving.supported_agents == ()


def test_explain_shows_the_agents_of_a_stack_that_plan_refuses(tmp_path: Path) -> None:
    stack = yaml_of([{"config": {"onprem-coding-agents:platform": shortened()}}])
    (tmp_path / "Pulumi.short.yaml").write_text(stack, encoding="utf-8")

    explained, refused_by = (
        CliRunner().invoke(main, [command, "short", "--stacks", str(tmp_path)])
        for command in ("explain", "plan")
    )

    assert explained.exit_code == 0, explained.output
    assert (
        "  agents opencode ✗ (context below 16,384), Codex CLI ✗ (context below 32,768)" in explained.output
    )
    assert refused_by.exit_code == 1
    assert "set platform.models[0].context to 16384" in refused_by.output


def shortened() -> dict[str, Any]:
    (model,) = STACK["models"]
    return STACK | {"models": [model | {"context": 8_192}]}
