"""Which agents can work with a served model, and for the others the reason: the model's own, or the window's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from onprem_agents.catalog import Model
from onprem_agents.contract.limits import Agent, agent_obstacle

AGENTS: tuple[Agent, ...] = get_args(Agent)


def unsupported_reasons(
    model: Model, *, context_tokens: int, max_output_tokens: int, tool_calling: bool
) -> Mapping[Agent, str]:
    """Return why an agent cannot work with that model, for each agent that cannot; limits in tokens."""
    reasons: dict[Agent, str] = {}
    for agent in AGENTS:
        obstacle = _model_refuses(model, agent) or agent_obstacle(
            agent,
            context_tokens=context_tokens,
            max_output_tokens=max_output_tokens,
            tool_calling=tool_calling,
        )
        if obstacle is not None:
            reasons[agent] = obstacle
    return reasons


def _model_refuses(model: Model, agent: Agent) -> str | None:
    support = model.agents[agent]
    return support.why if support.works == "no" else None
