"""How fast a platform is for each of its developers, all of them at work at once: what is expected, no bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from onprem_agents.sizing.load_profile import OUTPUT_TOKENS, TOOL_SECONDS, mean_context_tokens
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.pace import COMPUTE, Pace, pace_of
from onprem_agents.sizing.queueing import Congestion, congestion
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.starting import start_seconds

POOL = "KV pool"


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What a developer sees while that many are at work: each one's agent has a turn, waits for its tools, and again.

    `tokens_per_second_per_developer` is that of an answer while it runs, `first_token_seconds_*` how long a prompt of
    30,000 tokens waits for its first token, none or all but one turn's of it cached; `load_seconds` a cold start from
    weights on a disk. `at_work` is how many turns run at once on average, over all replicas, `bounded_by` what most of
    a turn's time goes to.
    """

    tokens_per_second_per_developer: float
    first_token_seconds_cold_30k: float
    first_token_seconds_warm_30k: float
    load_seconds: int
    at_work: float
    bounded_by: str
    developers: int

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "developers": self.developers,
            "tokensPerSecondPerDeveloper": round(self.tokens_per_second_per_developer, 1),
            "firstTokenSecondsCold30k": round(self.first_token_seconds_cold_30k, 2),
            "firstTokenSecondsWarm30k": round(self.first_token_seconds_warm_30k, 2),
            "loadSeconds": self.load_seconds,
            "atWork": round(self.at_work, 1),
            "boundedBy": self.bounded_by,
        }


class Turns(NamedTuple):
    """The turns of `agents` agents on one replica; a tuple, as a search makes very many.

    Of their sessions `kept` find room in its KV pool, `at_once` are served at once; a turn whose session was lost
    computes it anew.
    """

    pace: Pace
    agents: int
    kept: int
    at_once: int
    keeps_prefixes: bool

    @property
    def kept_share(self) -> float:
        """The share of turns whose session is still in the pool: the last used ones are, whoever comes next."""
        return min(1.0, self.kept / self.agents) if self.keeps_prefixes else 0.0

    def congestion(self) -> Congestion:
        """Return how many turns are at work, and how fast they come."""
        pace = self.pace
        each = pace.turn_seconds(self.kept_share) + pace.experts

        def seconds(running: int) -> float:
            """Return how long a turn takes of which so many run: their steps, and the prompt of each."""
            steps = OUTPUT_TOKENS * pace.step_seconds(running)
            return steps + running * (each - pace.experts_seconds(running))

        return congestion(self.agents, TOOL_SECONDS, self.at_once, seconds)

    def tokens_per_second(self, load: Congestion) -> float:
        """Return the speed of an answer while it runs."""
        pace = self.pace
        served = load.at_work / load.turns_per_second  # Little's law: seconds of a turn once it is served
        prompt = pace.turn_seconds(self.kept_share) + pace.experts - pace.experts_seconds(load.at_work)
        return OUTPUT_TOKENS / max(served - prompt, OUTPUT_TOKENS * pace.step_seconds(1))

    def first_token_seconds(self, load: Congestion, *, warm: bool) -> float:
        """Return the seconds to the first token of a prompt: room, the prompts before it, then its own steps."""
        prompt = self.pace.turn_seconds(self.kept_share)
        busy = load.turns_per_second * prompt
        before = min(self.agents - 1.0, busy / (1 - busy)) if busy < 1 else self.agents - 1.0
        own = self.pace.first_token_seconds(load.at_work, warm=warm)
        return load.waiting / load.turns_per_second + before * prompt + own

    def bounded_by(self, load: Congestion) -> str:
        """Return where most of a turn goes: to what its steps wait for, to its prompt, or to a pool that is full."""
        at_work = max(1.0, load.at_work)
        causes = {
            cause: OUTPUT_TOKENS * seconds for cause, seconds in self.pace.step_by_cause(at_work).items()
        }
        prompt = self.pace.turn_seconds(1.0)
        causes[COMPUTE] += at_work * prompt
        anew = self.pace.turn_seconds(self.kept_share) - prompt
        causes[POOL] = at_work * anew + load.waiting / load.turns_per_second
        return max(causes, key=lambda cause: causes[cause])


def speed_of(memory: Memory, developers: int, replicas: int = 1) -> Speed:
    """Return the expected speed of that many replicas for that many developers; the fullest replica counts."""
    turns = turns_on(memory, developers, replicas)
    load = turns.congestion()
    return Speed(
        tokens_per_second_per_developer=turns.tokens_per_second(load),
        first_token_seconds_cold_30k=turns.first_token_seconds(load, warm=False),
        first_token_seconds_warm_30k=turns.first_token_seconds(load, warm=True),
        load_seconds=start_seconds(memory.request.variant.weights_gib),
        at_work=load.at_work * developers / turns.agents,
        bounded_by=turns.bounded_by(load),
        developers=developers,
    )


def turns_on(memory: Memory, developers: int, replicas: int) -> Turns:
    """Return the turns of the fullest of so many replicas. Sessions of the mean length fill its pool."""
    request, layout = memory.request, memory.layout
    blocks = layout.blocks_in(memory.careful_pool_gib)
    kept = blocks // layout.blocks_per_request(mean_context_tokens(request.context_tokens))
    kept, ranks = max(1, kept), request.data_parallel
    return Turns(
        pace=pace_of(memory),
        agents=math.ceil(developers / replicas),
        kept=kept * ranks,
        at_once=min(kept, request.max_num_seqs) * ranks,
        keeps_prefixes=keeps_prefixes(request),
    )


def keeps_prefixes(request: FitRequest) -> bool:
    """Return whether the release keeps prefixes for that model unless told otherwise."""
    if request.prefix_caching is not None:
        return request.prefix_caching
    return request.rules.memory.hybrid_prefix_caching or not request.model.architecture.is_hybrid
