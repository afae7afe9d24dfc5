"""What the policies know of the agents' needs and of vLLM's architectures agrees with the rest of the product."""

from __future__ import annotations

import pytest

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.catalog import load_catalog
from onprem_agents.contract.limits import output_cap_tokens
from policy.agent_needs import AGENT_NEEDS, AgentNeeds, titles
from policy.architectures import _MISSING_IN, missing_architecture


def _obstacle(agent: Agent, context_tokens: int) -> str | None:
    return agent.obstacle(
        context_tokens=context_tokens,
        max_output_tokens=output_cap_tokens(context_tokens),
        tool_calling=True,
    )


def test_every_agent_is_there_once_in_the_products_order_with_its_title_and_path() -> None:
    told = [(needs.name, needs.title, needs.path) for needs in AGENT_NEEDS]

    assert told == [(agent.name, agent.title, agent.path) for agent in AGENTS]


@pytest.mark.parametrize(
    ("needs", "agent"), list(zip(AGENT_NEEDS, AGENTS, strict=True)), ids=lambda each: each.name
)
def test_an_agent_can_work_in_the_window_that_it_needs_and_in_none_below(
    needs: AgentNeeds, agent: Agent
) -> None:
    assert _obstacle(agent, needs.least_context_tokens) is None
    assert _obstacle(agent, needs.least_context_tokens - 1) is not None
    # windows are served in whole units of 1024 tokens
    below = range(1024, needs.least_context_tokens, 1024)
    assert all(_obstacle(agent, tokens) is not None for tokens in below)


def test_agents_are_told_as_a_person_would_list_them() -> None:
    opencode, codex, claude, *_ = AGENT_NEEDS

    assert titles([claude]) == "Claude Code"
    assert titles([opencode, codex, claude]) == "opencode, Codex CLI and Claude Code"


def test_every_architecture_is_one_of_the_catalogue_and_missing_before_it_is_known_to_be_served() -> None:
    by_type: dict[str, list[str]] = {}
    for model in load_catalog().models:
        by_type.setdefault(model.architecture.model_type, []).append(model.name)

    assert set(_MISSING_IN) <= set(by_type)
    for model in load_catalog().models:
        # the catalogue's own minimum is a release that serves it, so the table must not deny it
        assert missing_architecture(model, model.min_vllm) is None, model.name
