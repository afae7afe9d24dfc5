"""What would let a stack's roles serve agents that they do not serve: the cheapest change, planned before it is named.

The order is that of what a change costs: a release or a proxy, a longer context, the KV cache in half the bytes,
another checkpoint, another model, other GPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onprem_agents.agents import Agent
from onprem_agents.catalog import Catalog
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.substitute import substitutes
from onprem_agents.plan.support import Obstacle
from onprem_agents.plan.ways_out import checkpoint_fields, offers, steps_to
from onprem_agents.stack.settings import Platform
from onprem_agents.vllm import known_releases, serves, version_key

Unserved = Mapping[str, Obstacle]
"""What keeps agents from working with one role, by their names."""

# A model of less than this share of the parameters is another class of model: larger GPUs are named before it.
_SAME_CLASS = 0.5


@dataclass(frozen=True, kw_only=True)
class AgentChange:
    """Settings of the stack in words, and the stack with them."""

    text: str
    settings: Platform


def cheapest(changes: Iterator[AgentChange], holds: Callable[[Platform], bool]) -> AgentChange | None:
    """Return the first change with which the stack holds, None where none does."""
    return next((change for change in changes if holds(change.settings)), None)


def setting_changes(
    settings: Platform, roles: Sequence[ServingPlan], agents: Sequence[Agent], unserved: Sequence[Unserved]
) -> Iterator[AgentChange]:
    """Yield changes that keep model and hardware, those of the first role first; they may not fit."""
    wires = list(_wires(settings, roles[0].vllm_release, agents, unserved))
    yield from wires
    yield from _longer(settings, roles, agents)
    for wire in wires:
        for change in _longer(wire.settings, roles, agents):
            yield AgentChange(text=f"{wire.text} and {change.text}", settings=change.settings)


def _longer(
    settings: Platform, roles: Sequence[ServingPlan], agents: Sequence[Agent]
) -> Iterator[AgentChange]:
    """Yield longer contexts, alone and with what may make room for them."""
    wanted = [_contexts(role, agents) for role in roles]
    for more in _beside_the_context():
        for index, contexts in enumerate(wanted):
            role = settings.models[index]
            if any(getattr(role, name) == value for name, value in more.items()):
                continue
            yield from (_changed(settings, index, {"context": tokens, **more}) for tokens in contexts)
    for index, contexts in enumerate(wanted):
        model, served = roles[index].model, roles[index].variant
        for variant in sorted(model.variants, key=lambda one: -one.weights_gib):
            if variant.hf_id != served.hf_id:
                fields = checkpoint_fields(model, variant)
                yield from (_changed(settings, index, {"context": tokens, **fields}) for tokens in contexts)


def dearer_changes(
    settings: Platform,
    roles: Sequence[ServingPlan],
    agents: Sequence[Agent],
    *,
    catalog: Catalog,
) -> Iterator[AgentChange]:
    """Yield other models of the first role, then other GPUs, the least memory first, then models of another class."""
    main, least = roles[0], min(agent.limits.least_context_tokens for agent in agents)
    role = settings.models[0]
    context = {} if role.context is None or role.context >= least else {"context": least}
    others = [model for model in substitutes(main.model, catalog) if model.name != main.model.name]
    models = {
        model.name: _changed(settings, 0, {"model": model.name, "precision": None, **context})
        for model in others
    }
    same_class = {
        model.name for model in others if model.total_params >= _SAME_CLASS * main.model.total_params
    }
    yield from (change for name, change in models.items() if name in same_class)
    if not settings.hardware.pools and main.pool.share is None:  # else nobody knows what to change
        yield from _other_gpus(settings, main, context, catalog)
    yield from (change for name, change in models.items() if name not in same_class)


def _other_gpus(
    settings: Platform, main: ServingPlan, context: Mapping[str, Any], catalog: Catalog
) -> Iterator[AgentChange]:
    pool = main.pool
    for gpu, size in offers(main.model, main.variant, pool.accelerator.vendor, catalog):
        changed = _changed(settings, 0, {"tensor_parallel": None, **context})
        hardware = settings.hardware.model_copy(
            update={
                "tier": None,
                "accelerator": gpu.name,
                "gpus_per_node": size,
                "nodes": pool.nodes,
                "mig_strategy": "single",
            }
        )
        steps = [
            f"set platform.hardware.accelerator to {gpu.name}",
            f"set platform.hardware.gpusPerNode to {size}",
            *(() if settings.hardware.tier is None else ("leave out platform.hardware.tier",)),
            *(
                ()
                if settings.hardware.mig_strategy == "single"
                else ("leave out platform.hardware.migStrategy",)
            ),
            *(
                ()
                if pool.nodes in (1, settings.hardware.nodes)
                else (f"set platform.hardware.nodes to {pool.nodes}",)
            ),
            *filter(None, [changed.text]),
        ]
        yield AgentChange(
            text=" and ".join(steps), settings=changed.settings.model_copy(update={"hardware": hardware})
        )


def _beside_the_context() -> Iterator[dict[str, Any]]:
    """Yield what may be changed together with a role's context, what costs least first."""
    yield {}
    yield {"kv_cache_dtype": "fp8"}
    yield {"tensor_parallel": None}
    yield {"sessions": None}
    yield {"sessions": None, "kv_cache_dtype": "fp8"}


def _contexts(role: ServingPlan, agents: Sequence[Agent]) -> list[int]:
    """Return the windows at which the role would serve more of the agents, the shortest first."""
    least = {agent.limits.least_context_tokens for agent in agents}
    return sorted(tokens for tokens in least if tokens > role.context_tokens)


def _wires(
    settings: Platform, version: str, agents: Sequence[Agent], unserved: Sequence[Unserved]
) -> Iterator[AgentChange]:
    """Yield a later release and a proxy where the release does not speak as an agent does."""
    silent = [
        agent
        for agent in agents
        if any(agent.name in obstacles and obstacles[agent.name].lies_in == "wire" for obstacles in unserved)
    ]
    if not silent:
        return
    for known in known_releases():
        if version_key(known) > version_key(version) and all(serves(known, agent.path) for agent in silent):
            serving = settings.serving.model_copy(update={"vllm": known})
            yield AgentChange(
                text=f"set platform.serving.vllm to {known}",
                settings=settings.model_copy(update={"serving": serving}),
            )
            break
    if settings.translation == "native":
        yield AgentChange(
            text="set platform.translation to litellm",
            settings=settings.model_copy(update={"translation": "litellm"}),
        )


def _changed(settings: Platform, index: int, fields: dict[str, Any]) -> AgentChange:
    role = settings.models[index]
    models = list(settings.models)
    models[index] = role.model_copy(update=fields)
    return AgentChange(
        text=" and ".join(steps_to(f"platform.models[{index}]", role, fields)),
        settings=settings.model_copy(update={"models": tuple(models)}),
    )
