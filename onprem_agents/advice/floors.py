"""The speed below which a model is not worth having, and whether a replica reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing import Speed
from onprem_agents.sizing.load_bounds import Bound, at_least, at_most, most_agents
from onprem_agents.sizing.load_profile import OUTPUT_TOKENS
from onprem_agents.sizing.speed import Turns


@dataclass(frozen=True, kw_only=True)
class Floors:
    """Tokens per second that each developer gets at least while all are at work; seconds to a first token at most.

    The first token is that of a prompt of 30,000 tokens that no cache holds. 15 tokens/s are about twice what people
    read; an answer of 425 tokens then takes half a minute.
    """

    tokens_per_second: float = 15.0
    first_token_seconds: float = 20.0

    def misses(self, speed: Speed) -> str | None:
        """Return in words what that speed misses, None where it is fast enough."""
        rate, wait = speed.tokens_per_second_per_developer, speed.first_token_seconds_cold_30k
        if rate < self.tokens_per_second:
            return f"below {self.tokens_per_second:g} tokens/s for each developer"
        if wait > self.first_token_seconds:
            return f"over {self.first_token_seconds:g} s to the first token of 30k"
        return None

    def most_agents(self, turns: Turns) -> float:
        """Return a number of agents on that replica beyond which it surely is too slow; 0 where one is too many."""
        return most_agents(turns, self.tokens_per_second, self.first_token_seconds)

    def reached_by(self, turns: Turns) -> bool:
        """Return whether those turns are as fast as that; the network is solved where bounds on it leave it open."""
        most = at_most(turns)
        if most is not None and self._are_held(most):
            return True
        if not self._are_held(at_least(turns)):
            return False
        load = turns.congestion()
        return self._are_held(Bound(turns.answer_seconds(load.met), turns.first_token_seconds(load)))

    def _are_held(self, seconds: Bound) -> bool:
        answer_seconds, first_token_seconds = seconds
        return (
            OUTPUT_TOKENS / answer_seconds >= self.tokens_per_second
            and first_token_seconds <= self.first_token_seconds
        )
