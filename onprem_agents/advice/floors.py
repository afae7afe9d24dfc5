"""The speed below which a model is not worth having, and whether a replica reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing import Speed
from onprem_agents.sizing.load_profile import OUTPUT_TOKENS, TOOL_SECONDS
from onprem_agents.sizing.queueing import met_at
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

    def reached_by(self, turns: Turns) -> bool:
        """Return whether those turns are as fast as that.

        They are where the replica keeps up with as many turns as meet at the speed of the floor: more slow it down, and
        the slower it is the more meet. The network itself is solved only where the first token is in doubt.
        """
        pace, agents = turns.pace, turns.agents
        own, met = turns.own_seconds, float(turns.at_once)
        if self.tokens_per_second:
            answer = OUTPUT_TOKENS / self.tokens_per_second
            met = min(met, met_at(agents, TOOL_SECONDS, own + answer))
            if turns.answer_seconds(met) > answer:
                return False
        limit = self.first_token_seconds
        if pace.first_token_seconds(1) > limit:
            return False
        if met < turns.at_once:
            # no more prompts come before one's own than with the quickest answers
            prompt = turns.prompt_seconds(met)
            busy = agents / (TOOL_SECONDS + own + turns.answer_seconds(1)) * prompt
            before = min(agents - 1.0, busy / (1 - busy)) if busy < 1 else agents - 1.0
            if before * prompt + pace.first_token_seconds(met) <= limit:
                return True
        return turns.first_token_seconds(turns.congestion()) <= limit
