"""How fast a platform is for each of its developers, all of them at work at once: what is expected, no bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from onprem_agents.sizing.load_profile import (
    NEW_TOKENS,
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    TOOL_SECONDS,
    mean_context_tokens,
)
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.pace import COMPUTE, Pace, pace_of
from onprem_agents.sizing.queueing import Congestion, congestion
from onprem_agents.sizing.starting import start_seconds

POOL = "KV pool"


@dataclass(frozen=True, kw_only=True)
class Room:
    """Sessions of the mean length: `kept` find room in one replica's KV pool, `at_once` of them are served at once."""

    kept: int
    at_once: int


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


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A turn on one replica that `agents` agents use: the seconds of its prompt alone, and of its whole beside others.

    `kept_share` of the turns find their session in the KV pool; the others compute it anew.
    """

    pace: Pace
    agents: int
    room: Room

    @property
    def kept_share(self) -> float:
        """The share of turns whose session is still in the pool: the last used ones are, whoever comes next."""
        return min(1.0, self.room.kept / self.agents) if _keeps(self.pace) else 0.0

    @property
    def prompt_seconds(self) -> float:
        """The seconds that a turn's prompt adds to the steps of its replica."""
        context = self.pace.context_tokens
        kept = self.pace.prompt_seconds(NEW_TOKENS, context - NEW_TOKENS)
        if self.kept_share == 1:
            return kept
        return self.kept_share * kept + (1 - self.kept_share) * self.pace.prompt_seconds(context)

    def seconds(self, at_once: int) -> float:
        """Return how long a turn takes of which so many run at once: their steps, and each one's prompt."""
        prompt = self.prompt_seconds + self.pace.extra_seconds(at_once)
        return OUTPUT_TOKENS * self.pace.step_seconds(at_once) + at_once * prompt


def speed_of(memory: Memory, developers: int, replicas: int = 1) -> Speed:
    """Return the expected speed of that many replicas for that many developers; the fullest replica counts."""
    pace = pace_of(memory)
    agents = math.ceil(developers / replicas)
    turn = Turn(pace=pace, agents=agents, room=room_of(memory))
    load = congestion(agents, TOOL_SECONDS, turn.room.at_once, turn.seconds)
    cold, warm = (first_token_seconds(turn, load, new) for new in (PROMPT_TOKENS, NEW_TOKENS))
    return Speed(
        tokens_per_second_per_developer=tokens_per_second(turn, load),
        first_token_seconds_cold_30k=cold,
        first_token_seconds_warm_30k=warm,
        load_seconds=start_seconds(memory.request.variant.weights_gib),
        at_work=load.at_work * developers / agents,
        bounded_by=_bounded_by(turn, load),
        developers=developers,
    )


def room_of(memory: Memory) -> Room:
    """Return how many sessions of the mean length one replica keeps and serves at once; at least one of each."""
    request, layout = memory.request, memory.layout
    pace_tokens = mean_context_tokens(request.context_tokens)
    blocks = layout.blocks_in(memory.careful_pool_gib)
    kept = max(1, blocks // layout.blocks_per_request(pace_tokens)) * request.data_parallel
    return Room(kept=kept, at_once=min(kept, request.max_num_seqs * request.data_parallel))


def tokens_per_second(turn: Turn, load: Congestion) -> float:
    """Return the speed of an answer while it runs."""
    served = load.at_work / load.turns_per_second  # Little's law: seconds of a turn once it is served
    prompt = turn.prompt_seconds + turn.pace.extra_seconds(load.at_work)
    return OUTPUT_TOKENS / max(served - prompt, OUTPUT_TOKENS * turn.pace.step_seconds(1))


def first_token_seconds(turn: Turn, load: Congestion, new_tokens: int) -> float:
    """Return the seconds to the first token of a prompt: room, the prompts before it, then its own steps."""
    busy = min(1.0, load.turns_per_second * turn.prompt_seconds)
    before = min(turn.agents - 1.0, busy / (1 - busy) if busy < 1 else math.inf) * turn.prompt_seconds
    own = turn.pace.first_token_seconds(new_tokens, PROMPT_TOKENS - new_tokens, load.at_work)
    return load.waiting / load.turns_per_second + before + own


def _bounded_by(turn: Turn, load: Congestion) -> str:
    """Return where most of a turn's time goes: to what its steps wait for, its prompt, or to a pool that is full."""
    at_work = max(1.0, load.at_work)
    causes = {cause: OUTPUT_TOKENS * seconds for cause, seconds in turn.pace.step_by_cause(at_work).items()}
    context = turn.pace.context_tokens
    prompt = turn.pace.prompt_seconds(NEW_TOKENS, context - NEW_TOKENS)
    causes[COMPUTE] += at_work * prompt
    causes[POOL] = at_work * (turn.prompt_seconds - prompt) + load.waiting / load.turns_per_second
    return max(causes, key=lambda cause: causes[cause])


def _keeps(pace: Pace) -> bool:
    """Return whether the release keeps prefixes for that model unless told otherwise."""
    request = pace.work.request
    if request.prefix_caching is not None:
        return request.prefix_caching
    return request.rules.hybrid_prefix_caching or not request.model.architecture.is_hybrid
