"""What a role gives as its context or the number of its developers changes: points for plots and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from onprem_agents.plan.serving import ServingPlan
from onprem_agents.sizing import fit
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.throughput import NEW_TOKENS, bounds_of

PROMPT_TOKENS = 30_000
"""The prompt whose first token is timed: instructions, tools and the first files of a task."""

_LEAST_CONTEXT_TOKENS = 8_192
_MOST_POINTS = 40


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What each of `developers` gets who work on one role at once.

    Tokens per second of each one's answer, seconds until the first token of a prompt of `PROMPT_TOKENS` that is new
    (cold) and of one whose beginning the prefix cache holds (warm). `bound`: no server is faster, most are slower.
    """

    developers: int
    tokens_per_second: float
    first_token_cold_seconds: float
    first_token_warm_seconds: float
    bound: bool


@dataclass(frozen=True, kw_only=True)
class ContextPoint:
    """What a role gives with sessions of that many tokens: how many at once, and what each of its developers gets."""

    context_tokens: int
    sessions: int
    pace: Pace


def pace_of(memory: Memory, *, sessions: int, developers: int, replicas: int) -> Pace:
    """Return the pace of that many developers on as many replicas, each of which holds `sessions` at once.

    Whoever finds no room waits, so no more answers come at once than sessions are held.
    """
    at_once = max(1, min(math.ceil(developers / replicas), sessions))
    bounds = bounds_of(memory, at_once)
    return Pace(
        developers=developers,
        tokens_per_second=bounds.decode_tokens_per_second_all / at_once,
        first_token_cold_seconds=PROMPT_TOKENS / bounds.prefill_tokens_per_second,
        first_token_warm_seconds=NEW_TOKENS / bounds.prefill_tokens_per_second,
        bound=True,
    )


def by_context(serving: ServingPlan, developers: int) -> tuple[ContextPoint, ...]:
    """Return the points of a role for each doubled context that fits, up to the model's own limit."""
    return tuple(_context_points(serving, developers))


def _context_points(serving: ServingPlan, developers: int) -> Iterator[ContextPoint]:
    memory = _memory(serving)
    most = memory.request.model.architecture.max_context_tokens
    doubled = [_LEAST_CONTEXT_TOKENS * 2**power for power in range(30)]
    for tokens in sorted({*(one for one in doubled if one < most), most, serving.context_tokens}):
        found = fit(replace(memory.request, context_tokens=tokens))
        if found.memory is None or found.sessions == 0:
            return
        pace = pace_of(
            found.memory, sessions=found.sessions, developers=developers, replicas=serving.replicas
        )
        yield ContextPoint(context_tokens=tokens, sessions=found.sessions * serving.replicas, pace=pace)


def by_developers(serving: ServingPlan, most: int) -> tuple[Pace, ...]:
    """Return the pace of 1 to `most` developers at the planned context."""
    step = max(1, math.ceil(most / _MOST_POINTS))
    return tuple(pace_at(serving, number) for number in sorted({*range(1, most + 1, step), most}))


def pace_at(serving: ServingPlan, developers: int) -> Pace:
    """Return the pace of that many developers at the planned context."""
    memory = _memory(serving)
    return pace_of(
        memory, sessions=serving.fit.sessions, developers=max(1, developers), replicas=serving.replicas
    )


def _memory(serving: ServingPlan) -> Memory:
    memory = serving.fit.memory
    if memory is None:
        raise ValueError(f"{serving.role} was planned without an account of its memory")
    return memory
