"""Which agents a stack's roles serve: told for each role, and refused where it is none of those that are used."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.agents import AGENTS
from onprem_agents.cli.agents_view import agents_line
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.report import report
from onprem_agents.plan.support import wire_obstacles
from onprem_agents.vllm import known_releases, serves
from tests.unit.manifest_samples import planned

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
