"""Which agents can work with a served model, and why the others cannot: for the model, the wire or the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.catalog import Model
from onprem_agents.stack.domain import Translation
from onprem_agents.vllm import serves

# What each translation proxy makes of an API that it does not hand on as it is: chat completions. LiteLLM 1.109.1
# hands /v1/responses on with `hosted_vllm/`, claude-code-router 2.0.0 speaks Anthropic's API alone (both run 2026-11).
_TRANSLATED: Mapping[Translation, tuple[str, ...]] = {
    "native": (),
    "litellm": ("/v1/messages",),
    "claude-code-router": ("/v1/messages",),
}


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why an agent cannot work with a served model.

    `lies_in` is what would have to be another one, `reason` a sentence for its developers, `brief` a few words for a
    line of a plan.
    """

    lies_in: Literal["model", "tool calls", "wire", "context"]
    reason: str
    brief: str


def obstacles_of(
    model: Model | None, *, context_tokens: int, max_output_tokens: int, tool_calling: bool
) -> Mapping[str, Obstacle]:
    """Return what keeps agents from working with a model, by the agent's name; limits in tokens.

    Of a model that the catalogue does not tell (None), only the limits speak.
    """
    found: dict[str, Obstacle] = {}
    for agent in AGENTS:
        own = model.obstacle(agent.name) if model is not None else None
        limit = agent.obstacle(
            context_tokens=context_tokens, max_output_tokens=max_output_tokens, tool_calling=tool_calling
        )
        if own is not None:
            found[agent.name] = Obstacle(lies_in="model", reason=own, brief=own)
        elif limit is not None and not tool_calling:
            found[agent.name] = Obstacle(lies_in="tool calls", reason=limit, brief="no tool calls")
        elif limit is not None:
            least = agent.limits.least_context_tokens
            found[agent.name] = Obstacle(lies_in="context", reason=limit, brief=f"context below {least:,}")
    return found


def wire_obstacles(version: str, translation: Translation) -> Mapping[str, Obstacle]:
    """Return what keeps agents from being understood by that vLLM release behind that translation, by their names."""
    return {
        agent.name: _no_wire(agent, version)
        for agent in AGENTS
        if agent.path not in _TRANSLATED[translation] and not serves(version, agent.path)
    }


def _no_wire(agent: Agent, version: str) -> Obstacle:
    brief = f"vLLM {version} has no {agent.path}"
    return Obstacle(lies_in="wire", reason=f"{brief}, and {agent.name} asks nothing else", brief=brief)


def unsupported_reasons(
    model: Model | None, *, context_tokens: int, max_output_tokens: int, tool_calling: bool
) -> Mapping[str, str]:
    """Return why an agent cannot work with a model, for each agent that cannot; as `obstacles_of`."""
    found = obstacles_of(
        model,
        context_tokens=context_tokens,
        max_output_tokens=max_output_tokens,
        tool_calling=tool_calling,
    )
    return {name: obstacle.reason for name, obstacle in found.items()}
