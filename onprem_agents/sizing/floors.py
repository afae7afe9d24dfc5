"""The speed below which a model is not worth having, and whether a replica reaches it: for `advise` and for plans."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing.load_bounds import Bound, at_least, at_most, most_agents
from onprem_agents.sizing.load_profile import OUTPUT_TOKENS
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

    def most_agents(self, turns: Turns) -> float:
        """Return a number of agents on that replica beyond which it surely is too slow; 0 where one is too many."""
        return most_agents(turns, self.tokens_per_second, self.first_token_seconds)

    def reached_by(self, turns: Turns) -> bool:
        """Return whether those turns are as fast as that; the network is solved where bounds on it leave it open."""
        if not self._are_held(at_least(turns)):
            return False
        most = at_most(turns)
        if most is not None and self._are_held(most):
            return True
        load = turns.congestion()
        return self._are_held(Bound(turns.answer_seconds(load.met), turns.first_token_seconds(load)))

    def _are_held(self, seconds: Bound) -> bool:
        answer_seconds, first_token_seconds = seconds
        return (
            OUTPUT_TOKENS / answer_seconds >= self.tokens_per_second
            and first_token_seconds <= self.first_token_seconds
        )
