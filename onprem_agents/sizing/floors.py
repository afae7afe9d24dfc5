"""The speed below which a model is not worth having, and whether a replica reaches it: for `advise` and for plans."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing.load_profile import OUTPUT_TOKENS, TOOL_SECONDS
from onprem_agents.sizing.shown import rate, wait
from onprem_agents.sizing.speed import Speed, Turns


@dataclass(frozen=True, kw_only=True)
class Miss:
    """A floor that is not reached: in words, and with what is expected instead."""

    floor: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Floors:
    """Tokens per second that each developer gets at least while all are at work; seconds to a first token at most.

    The first token is that of a prompt of 30,000 tokens that no cache holds. 15 tokens/s are about twice what people
    read; an answer of 425 tokens then takes half a minute.
    """

    tokens_per_second: float = 15.0
    first_token_seconds: float = 20.0

    def missed(self, speed: Speed) -> tuple[Miss, ...]:
        """Return every floor that this speed misses; a wait for a session is held to that of a first token."""
        each, first = speed.tokens_per_second_per_developer, speed.first_token_seconds_cold_30k
        limit, waits = self.first_token_seconds, speed.session_wait_seconds
        found = []
        if each < self.tokens_per_second:
            found.append(
                Miss(
                    floor=f"below {self.tokens_per_second:g} tokens/s for each developer",
                    found=f"about {rate(each)} tokens/s for each, at least {self.tokens_per_second:g} wanted",
                )
            )
        if first > limit:
            found.append(
                Miss(
                    floor=f"over {limit:g} s to the first token of 30k",
                    found=f"{wait(first)} to the first token of 30k, at most {limit:g} s wanted",
                )
            )
        if waits > limit:
            found.append(
                Miss(
                    floor=f"over {limit:g} s of wait for a session",
                    found=f"{wait(waits)} of it until a session is free",
                )
            )
        return tuple(found)

    def misses(self, speed: Speed) -> str | None:
        """Return in words the first floor that this speed misses, None where it is fast enough."""
        return next((miss.floor for miss in self.missed(speed)), None)

    def reached_by(self, turns: Turns) -> bool:
        """Return whether those turns are as fast as that; the network is solved where its least load leaves it open."""
        limit, (met, waiting_seconds) = self.first_token_seconds, _least_load(turns)
        if waiting_seconds + turns.pace.first_token_seconds(met) > limit:
            return False
        if self._is_slower(turns.answer_seconds(met)):
            return False
        load = turns.congestion()
        return (
            not self._is_slower(turns.answer_seconds(load.met)) and turns.first_token_seconds(load) <= limit
        )

    def _is_slower(self, answer_seconds: float) -> bool:
        return OUTPUT_TOKENS / answer_seconds < self.tokens_per_second


def _least_load(turns: Turns) -> tuple[float, float]:
    """Return turns that one has beside it and seconds that it waits for room, neither more than there will be.

    No more turns end in a second than with every other turn adding its own tokens and prompt alone. The agents that do
    not pause then are at the replica, and of so many at least the share that has room is served.
    """
    agents, most = turns.agents, min(turns.agents, turns.at_once)
    each = OUTPUT_TOKENS * turns.pace.session + turns.prompt_seconds(1)
    turns_per_second = most / (turns.turn_seconds(1) + (most - 1) * each)
    met = most * (1 - turns_per_second * TOOL_SECONDS / agents)
    return max(1.0, met), max(0.0, (agents - most) / turns_per_second - TOOL_SECONDS)
