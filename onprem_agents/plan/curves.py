"""What a role gives as its context or the number of its developers changes: points for plots and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from onprem_agents.plan.serving import ServingPlan
from onprem_agents.sizing import Speed, fit, speed_of
from onprem_agents.sizing.memory import Memory

_LEAST_CONTEXT_TOKENS = 8_192
_DOUBLINGS = 16
_MOST_POINTS = 40


@dataclass(frozen=True, kw_only=True)
class ContextPoint:
    """What a role gives with sessions of that many tokens: how many at once, and what each of its developers gets."""

    context_tokens: int
    sessions: int
    speed: Speed


def by_context(serving: ServingPlan, developers: int) -> tuple[ContextPoint, ...]:
    """Return the points of a role for each doubled context that fits, up to the model's own limit."""
    return tuple(_context_points(serving, developers))


def _context_points(serving: ServingPlan, developers: int) -> Iterator[ContextPoint]:
    request = _memory(serving).request
    most = request.model.architecture.max_context_tokens
    doubled = [_LEAST_CONTEXT_TOKENS * 2**power for power in range(_DOUBLINGS)]
    for tokens in sorted({*(one for one in doubled if one < most), most, serving.context_tokens}):
        found = fit(replace(request, context_tokens=tokens))
        if found.memory is None or found.sessions == 0:
            return
        yield ContextPoint(
            context_tokens=tokens,
            sessions=found.sessions * serving.holders,
            speed=speed_of(found.memory, developers, serving.replicas),
        )


def by_developers(serving: ServingPlan, most: int) -> tuple[Speed, ...]:
    """Return the speed for 1 to `most` developers at the planned context."""
    step = max(1, math.ceil(most / _MOST_POINTS))
    return tuple(speed_for(serving, number) for number in sorted({*range(1, most + 1, step), most}))


def speed_for(serving: ServingPlan, developers: int) -> Speed:
    """Return the speed for that many developers at the planned context."""
    return speed_of(_memory(serving), developers, serving.replicas)


def _memory(serving: ServingPlan) -> Memory:
    memory = serving.fit.memory
    if memory is None:
        raise ValueError(f"{serving.role} was planned without an account of its memory")
    return memory
