"""How fast a platform is for each of its developers, all of them at work at once: what is expected, no bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from onprem_agents.sizing.load_profile import OUTPUT_TOKENS, TOOL_SECONDS, mean_context_tokens
from onprem_agents.sizing.losses import FIRST_TOKEN_SECONDS
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.pace import COMPUTE, Pace, pace_of, step_by_cause
from onprem_agents.sizing.queueing import Congestion, congestion
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.shown import RATE_DIGITS, WAIT_DIGITS
from onprem_agents.sizing.starting import start_seconds

POOL = "KV pool"


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What a developer sees while that many are at work: each one's agent has a turn, waits for its tools, and again.

    `tokens_per_second_per_developer` is that of an answer while it runs, `first_token_seconds_*` how long a prompt of
    30,000 tokens waits for its first token, none or all but one turn's of it cached; `session_wait_seconds` is what of
    that, and of each turn, passes until there is room; `load_seconds` a cold start from weights on a disk. `at_work` is
    how many turns run at once on average, over all replicas, `bounded_by` what most of a turn's time goes to.
    """

    tokens_per_second_per_developer: float
    first_token_seconds_cold_30k: float
    first_token_seconds_warm_30k: float
    session_wait_seconds: float
    load_seconds: int
    at_work: float
    bounded_by: str
    developers: int

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "developers": self.developers,
            "tokensPerSecondPerDeveloper": round(self.tokens_per_second_per_developer, RATE_DIGITS),
            "firstTokenSecondsCold30k": round(self.first_token_seconds_cold_30k, WAIT_DIGITS),
            "firstTokenSecondsWarm30k": round(self.first_token_seconds_warm_30k, WAIT_DIGITS),
            "sessionWaitSeconds": round(self.session_wait_seconds, WAIT_DIGITS),
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

    def prompt_seconds(self, running: float) -> float:
        """Return what a turn's prompt adds to the steps that take it, where so many turns run.

        Sessions at work stay in the pool; of the others those that were used last, whoever comes next.
        """
        pace, others = self.pace, running - 1
        if self.kept >= self.agents:
            return pace.kept_prompt
        if self.kept <= others:
            return pace.lost_prompt
        share = (self.kept - others) / (self.agents - others)
        return share * pace.kept_prompt + (1 - share) * pace.lost_prompt

    @property
    def own_seconds(self) -> float:
        """How long a turn's own prompt keeps it; a step with a prompt reads all experts."""
        return self.prompt_seconds(1) + self.pace.experts

    def answer_seconds(self, running: float) -> float:
        """Return how long an answer takes of which so many run: its steps, and the prompts of the others in them."""
        pace = self.pace
        read = pace.experts_seconds(running) if pace.experts else 0.0
        steps = OUTPUT_TOKENS * (pace.fixed + running * pace.session + read)
        return steps + (running - 1) * (self.prompt_seconds(running) + pace.experts - read)

    def turn_seconds(self, running: float) -> float:
        """Return how long a turn takes of which so many run: its prompt, then its answer."""
        return self.own_seconds + self.answer_seconds(running)

    def congestion(self) -> Congestion:
        """Return how many turns are at work, and how fast they come."""
        return congestion(self.agents, TOOL_SECONDS, self.at_once, self.turn_seconds)

    def first_token_seconds(self, load: Congestion, *, warm: bool = False) -> float:
        """Return the seconds to the first token of a prompt: room, the prompts before it, then its own steps."""
        prompt = self.prompt_seconds(load.met)
        busy = load.turns_per_second * prompt
        before = min(self.agents - 1.0, busy / (1 - busy)) if busy < 1 else self.agents - 1.0
        return load.waiting_seconds + before * prompt + self.pace.first_token_seconds(load.met, warm=warm)


def speed_of(memory: Memory, developers: int, replicas: int = 1) -> Speed:
    """Return the expected speed of that many replicas for that many developers; the fullest replica counts."""
    turns = turns_on(memory, developers, replicas)
    load = turns.congestion()
    return Speed(
        tokens_per_second_per_developer=OUTPUT_TOKENS / turns.answer_seconds(load.met),
        first_token_seconds_cold_30k=max(FIRST_TOKEN_SECONDS, turns.first_token_seconds(load)),
        first_token_seconds_warm_30k=max(FIRST_TOKEN_SECONDS, turns.first_token_seconds(load, warm=True)),
        session_wait_seconds=load.waiting_seconds,
        load_seconds=start_seconds(memory.request.variant.weights_gib),
        at_work=load.at_work * developers / turns.agents,
        bounded_by=_bounded_by(memory, turns, load),
        developers=developers,
    )


def turns_on(memory: Memory, developers: int, replicas: int) -> Turns:
    """Return the turns of the fullest of so many replicas. Sessions of the mean length fill its pool."""
    request, layout = memory.request, memory.layout
    blocks = layout.blocks_in(memory.careful_pool_gib)
    found = max(1, blocks // layout.blocks_per_request(mean_context_tokens(request.context_tokens)))
    ranks = request.data_parallel
    return Turns(
        pace=pace_of(memory),
        agents=math.ceil(developers / replicas),
        kept=found * ranks if keeps_prefixes(request) else 0,
        at_once=min(found, request.max_num_seqs) * ranks,
    )


def keeps_prefixes(request: FitRequest) -> bool:
    """Return whether the release keeps prefixes for that model unless told otherwise."""
    if request.prefix_caching is not None:
        return request.prefix_caching
    return request.rules.memory.hybrid_prefix_caching or not request.model.architecture.is_hybrid


def _bounded_by(memory: Memory, turns: Turns, load: Congestion) -> str:
    """Return where most of a turn goes: to what its steps wait for, to its prompt, or to a pool that is full."""
    causes = {cause: OUTPUT_TOKENS * took for cause, took in step_by_cause(memory, load.met).items()}
    causes[COMPUTE] += load.met * turns.pace.kept_prompt
    causes[POOL] = load.met * (turns.prompt_seconds(load.met) - turns.pace.kept_prompt) + load.waiting_seconds
    return max(causes, key=lambda cause: causes[cause])
