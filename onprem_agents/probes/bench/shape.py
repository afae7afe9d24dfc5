"""One session as it is drawn from a profile: which rounds it has, how long they are, what comes before each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from onprem_agents.probes.bench.profile import Profile, value_at

After = Literal["start", "tool", "human"]
# A tool's result is never empty, and a session of thousands of rounds outlives any run.
_LEAST_TOKENS, _MOST_ROUNDS = 16, 2_000


@dataclass(frozen=True, kw_only=True)
class Round:
    """One request: what it waited for and how long, what it adds to the prompt, how long its answer may be."""

    after: After
    pause_seconds: float
    new_tokens: int
    output_tokens: int


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One session; all sessions share the first `shared_tokens` of their prompts."""

    shared_tokens: int
    rounds: tuple[Round, ...]


def draw(profile: Profile, chance: Random) -> Shape:
    """Return a session of the profile; the same one for the same state of `chance`."""
    return Shape(shared_tokens=profile.shared_tokens, rounds=tuple(_rounds(profile, chance))[:_MOST_ROUNDS])


def _rounds(profile: Profile, chance: Random) -> Iterator[Round]:
    answered = 0
    for after in _occasions(profile, chance):
        output = max(1, round(_drawn(profile.output_tokens, chance)))
        if after == "start":
            new = _drawn(profile.opening_tokens, chance)
        else:  # the answer before it is part of the growth
            new = _drawn(profile.growth_tokens, chance) - answered
        yield Round(
            after=after,
            pause_seconds=_pause(profile, after, chance),
            new_tokens=max(_LEAST_TOKENS, round(new)),
            output_tokens=output,
        )
        answered = output


def _occasions(profile: Profile, chance: Random) -> Iterator[After]:
    """Yield what each round comes after: a person's message begins a request, tools' results go on with it."""
    for request in range(max(1, round(_drawn(profile.requests_per_session, chance)))):
        yield "human" if request else "start"
        for _ in range(round(_drawn(profile.tool_rounds_per_request, chance))):
            yield "tool"


def _pause(profile: Profile, after: After, chance: Random) -> float:
    if after == "start":
        return 0.0
    table = profile.tool_pause_seconds if after == "tool" else profile.human_pause_seconds
    return min(_drawn(table, chance), profile.longest_pause_seconds)


def _drawn(table: Mapping[float, float], chance: Random) -> float:
    return value_at(table, chance.random())
