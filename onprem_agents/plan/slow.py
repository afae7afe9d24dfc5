"""Roles that are too slow for a stack's developers: every floor that they miss, with the cheapest change that helps.

A change is planned before it is named. One that needs no more GPUs comes before one that does; of the others that which
needs the fewest. A speed is that with all developers at work on the role at once, as `advise` ranks by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onprem_agents.plan.agents_used import Plans, agents_used
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.ways_out import steps_to
from onprem_agents.sizing import Memory, speed_of
from onprem_agents.sizing.floors import Floors
from onprem_agents.sizing.speed import turns_on
from onprem_agents.stack.settings import Platform

_FLOORS = Floors()
_MOST_REPLICAS = 256
"""The most that `replicas` takes."""


@dataclass(frozen=True, kw_only=True)
class _Change:
    """Settings of the stack in words, the GPUs that the role then takes, and the stack with them."""

    text: str
    gpus: int
    settings: Platform


def with_speed_notes(
    settings: Platform, roles: Sequence[ServingPlan], plans: Plans
) -> tuple[ServingPlan, ...]:
    """Return the roles, each with a note where it is too slow for the stack's developers."""
    return tuple(
        replace(role, notes=(*role.notes, *_notes(settings, index, role, plans)))
        for index, role in enumerate(roles)
    )


def _notes(settings: Platform, index: int, role: ServingPlan, plans: Plans) -> Iterator[str]:
    developers, memory = len(settings.access.developers), role.fit.memory
    if not developers or memory is None:
        return
    missed = _FLOORS.missed(speed_of(memory, developers, role.replicas))
    if not missed:
        return
    told = "; ".join(miss.found for miss in missed)
    yield f"too slow with {_people(developers)} at work: {told}; {_way(settings, index, role, plans)}"


def _way(settings: Platform, index: int, role: ServingPlan, plans: Plans) -> str:
    developers = len(settings.access.developers)
    changes = sorted(_changes(settings, index, role, plans), key=lambda change: change.gpus)
    for change in changes:
        planned = plans(change.settings)
        if planned and _is_fast(planned[index], developers):
            return change.text
    return (
        f"no more of such servers help: take a faster model or GPUs ('onprem-agents advise --developers {developers}' "
        "ranks them), or fewer developers at once"
    )


def _changes(settings: Platform, index: int, role: ServingPlan, plans: Plans) -> Iterator[_Change]:
    """Yield more servers, alone or with what lets each carry more developers."""
    developers = len(settings.access.developers)
    for more in _beside(settings, index, role):
        planned = plans(_with(settings, index, more)) if more else (role,) * (index + 1)
        carried = _carried(planned[index].fit.memory, developers) if planned else 0
        if not carried:
            continue
        served = planned[index]
        replicas = max(math.ceil(developers / carried), served.replicas)
        if replicas <= _MOST_REPLICAS:
            fields = more if replicas == served.replicas else {**more, "replicas": replicas}
            yield from _placed(settings, index, served, fields, replicas)


def _beside(settings: Platform, index: int, role: ServingPlan) -> Iterator[dict[str, Any]]:
    """Yield what may be changed beside the number of servers: nothing, then what costs little."""
    smaller = {} if settings.models[index].kv_cache_dtype == "fp8" else {"kv_cache_dtype": "fp8"}
    yield {}
    if smaller:
        yield smaller
    together = role.resources.gpus * 2
    if together <= role.pool.most_together:
        yield {"tensor_parallel": together}
    least = max((agent.limits.least_context_tokens for agent in agents_used(settings)), default=None)
    if least is not None and least < role.context_tokens:
        yield {"context": least, **smaller}


def _placed(
    settings: Platform, index: int, served: ServingPlan, fields: dict[str, Any], replicas: int
) -> Iterator[_Change]:
    """Yield the change in the pool as it is, then with as many nodes as it may need; no context is cut for nodes."""
    changed = _with(settings, index, fields)
    steps = steps_to(f"platform.models[{index}]", settings.models[index], fields)
    yield _Change(text=" and ".join(steps), gpus=0, settings=changed)
    each, pool, more = served.resources.gpus, served.pool, replicas - served.replicas
    if "context" in fields or pool.node_names:  # which nodes could be named nobody knows
        return
    closest = math.ceil(more * each / pool.gpus_per_node)
    farthest = math.ceil(more / max(1, pool.gpus_per_node // each))
    for added in sorted({closest - 1, closest, farthest}):
        if added > 0:
            nodes = pool.nodes + added
            yield _Change(
                text=" and ".join([*steps, f"set {pool.where}.nodes to {nodes}"]),
                gpus=added * pool.gpus_per_node,
                settings=_with_nodes(changed, pool, nodes),
            )


def _with(settings: Platform, index: int, fields: dict[str, Any]) -> Platform:
    models = list(settings.models)
    models[index] = models[index].model_copy(update=fields)
    return settings.model_copy(update={"models": tuple(models)})


def _with_nodes(settings: Platform, pool: Pool, nodes: int) -> Platform:
    hardware = settings.hardware
    if not hardware.pools:
        return settings.model_copy(update={"hardware": hardware.model_copy(update={"nodes": nodes})})
    pools = tuple(
        one.model_copy(update={"nodes": nodes}) if pool.where == f"platform.hardware.pools[{number}]" else one
        for number, one in enumerate(hardware.pools)
    )
    return settings.model_copy(update={"hardware": hardware.model_copy(update={"pools": pools})})


def _is_fast(role: ServingPlan, developers: int) -> bool:
    memory = role.fit.memory
    return memory is not None and not _FLOORS.missed(speed_of(memory, developers, role.replicas))


def _people(number: int) -> str:
    return "1 developer" if number == 1 else f"{number:,} developers"


def _carried(memory: Memory | None, developers: int) -> int:
    """Return how many of the developers one server is fast enough for."""
    if memory is None:
        return 0
    low, high = 0, developers
    while low < high:
        middle = (low + high + 1) // 2
        if _FLOORS.reached_by(turns_on(memory, middle, 1)):
            low = middle
        else:
            high = middle - 1
    return low
