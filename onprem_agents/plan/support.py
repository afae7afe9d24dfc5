"""Which agents can work with a served model, and for the others the reason: the model's own, or the window's."""

from __future__ import annotations

from collections.abc import Mapping

from onprem_agents.agents import AGENTS
from onprem_agents.catalog import Model


def unsupported_reasons(
    model: Model | None, *, context_tokens: int, max_output_tokens: int, tool_calling: bool
) -> Mapping[str, str]:
    """Return why an agent cannot work with a model, for each agent that cannot; limits in tokens.

    Of a model that the catalogue does not tell (None), only the limits speak.
    """
    reasons: dict[str, str] = {}
    for agent in AGENTS:
        own = model.obstacle(agent.name) if model is not None else None
        obstacle = own or agent.obstacle(
            context_tokens=context_tokens, max_output_tokens=max_output_tokens, tool_calling=tool_calling
        )
        if obstacle is not None:
            reasons[agent.name] = obstacle
    return reasons
