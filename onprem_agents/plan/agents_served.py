"""Which agents each role of a stack serves, and why not the others: a line of the plan for each role."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.catalog import Model
from onprem_agents.contract.limits import output_cap_tokens
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.support import Obstacle, obstacles_of, wire_obstacles
from onprem_agents.stack.domain import Translation


@dataclass(frozen=True, kw_only=True)
class AgentServed:
    """One agent and what keeps it from working with a role; None where it is served."""

    agent: Agent
    obstacle: Obstacle | None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values: `why` for a line, `reason` for its developers, both None where it is served."""
        return {
            "agent": self.agent.name,
            "title": self.agent.title,
            "served": self.obstacle is None,
            "why": self.obstacle.brief if self.obstacle is not None else None,
            "reason": self.obstacle.reason if self.obstacle is not None else None,
        }


def agents_of(
    model: Model,
    *,
    context_tokens: int,
    tool_calling: bool,
    version: str,
    translation: Translation,
) -> tuple[AgentServed, ...]:
    """Return every agent that is known, in their fixed order, as that model of that vLLM release serves it."""
    limits = obstacles_of(
        model,
        context_tokens=context_tokens,
        max_output_tokens=output_cap_tokens(context_tokens),
        tool_calling=tool_calling,
    )
    found = {**limits, **wire_obstacles(version, translation)}
    return tuple(AgentServed(agent=agent, obstacle=found.get(agent.name)) for agent in AGENTS)


def agents_served(serving: ServingPlan, translation: Translation) -> tuple[AgentServed, ...]:
    """Return every agent that is known, in their fixed order, as that role serves it behind that translation."""
    return agents_of(
        serving.model,
        context_tokens=serving.context_tokens,
        tool_calling=serving.flags.tool_call_parser is not None,
        version=serving.vllm_release,
        translation=translation,
    )


def behind(serving: ServingPlan, translation: Translation) -> ServingPlan:
    """Return the role as developers' machines are told of it behind that translation.

    A server that stands alone does not know what stands before it, so its own reasons leave out the wire.
    """
    served = agents_served(serving, translation)
    reasons = {each.agent.name: each.obstacle.reason for each in served if each.obstacle is not None}
    return replace(serving, unsupported_reasons=reasons)
