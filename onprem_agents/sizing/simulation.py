"""A discrete-event simulation of developers at work on one replica, step by step of its engine.

Against it the closed formulas of `speed` are checked: it has the same seconds for a step, but knows which turn meets
which, whose prompt delays whom, and which sessions were used last when the KV pool is full. Probes, a new prompt and a
warm one a minute, time the first token.

What happens is counted once the queue is in balance: whoever has waited longest came in the second half of the time, so
that no wait is cut off by the beginning of the run. Where that takes too long, the waits are told as "at least".
"""

from __future__ import annotations

import heapq
import math
import random
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from onprem_agents.sizing.load_profile import (
    NEW_TOKENS,
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    START_TOKENS,
    TOOL_SECONDS,
    mean_context_tokens,
)
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.speed import Turns

_LEAST_WARM_UP_SECONDS, _LEAST_MEASURED_SECONDS = 240.0, 600.0
_MOST_SECONDS = 36_000.0
"""Of developers' time, for one replica: more than a working day, which takes a few seconds to compute."""
_LEAST_ANSWERS = 20
_PROBE_SECONDS = 60.0
_SLOW_SHARE = 0.95


@dataclass(kw_only=True)
class Tally:
    """What one or more replicas were seen to do after warming up; `seconds` are those of the longest run.

    `at_work` is how many turns ran at once on average. `cut_off` tells that waits still grew when the run ended: they
    are longer than what was seen. `turns` are the waits of turns for their first tokens, `cold` and `warm` those of
    the probes.
    """

    seconds: float = 0.0
    tokens: int = 0
    answers: int = 0
    answer_seconds: float = 0.0
    at_work: float = 0.0
    cut_off: bool = False
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another replica did meanwhile."""
        self.seconds = max(self.seconds, other.seconds)
        self.tokens += other.tokens
        self.answers += other.answers
        self.answer_seconds += other.answer_seconds
        self.at_work += other.at_work
        self.cut_off |= other.cut_off
        self.cold += other.cold
        self.warm += other.warm
        self.turns += other.turns

    @property
    def tokens_per_second_per_developer(self) -> float | None:
        """The speed of an answer while it runs; None where none ended."""
        return self.tokens / self.answer_seconds if self.answer_seconds else None

    def first_token_seconds(self, *, warm: bool = False) -> float | None:
        """The mean wait for the first token of the probes; None where none got one."""
        waits = self.warm if warm else self.cold
        return math.fsum(waits) / len(waits) if waits else None

    @property
    def slow_turn_seconds(self) -> float | None:
        """The wait for a first token that 95 of 100 turns do not exceed; None where no turn got one."""
        return sorted(self.turns)[math.ceil(_SLOW_SHARE * len(self.turns)) - 1] if self.turns else None


@dataclass(kw_only=True)
class _Job:
    """A prompt and its answer: new tokens that are left, the seconds that each adds, and the session, None: a probe."""

    agent: int | None
    left: int
    token_seconds: float
    output: int
    arrived: float
    cold: bool = False
    answered: float = 0.0


def simulate(turns: Turns, context_tokens: int, room_tokens: float, most_at_once: int, seed: int) -> Tally:
    """Return what one replica with those turns does.

    A session has `context_tokens` at most; `room_tokens` find room in the pool, in sessions of any length,
    of which `most_at_once` are served at once.
    """
    return _Replica(turns, context_tokens, room_tokens, most_at_once, random.Random(seed)).run()  # noqa: S311 - no secret


def room_tokens(memory: Memory) -> float:
    """Return the tokens of sessions of mean length that find room in the KV pools of one replica."""
    layout, tokens = memory.layout, mean_context_tokens(memory.request.context_tokens)
    sessions = layout.blocks_in(memory.careful_pool_gib) / layout.blocks_per_request(tokens)
    return sessions * tokens * memory.request.data_parallel


class _Replica:
    def __init__(
        self, turns: Turns, context_tokens: int, room_tokens: float, most_at_once: int, dice: random.Random
    ) -> None:
        self._turns, self._pace, self._dice = turns, turns.pace, dice
        self._limit, self._mean = context_tokens, mean_context_tokens(context_tokens)
        least = min(START_TOKENS, context_tokens)
        self._length = [dice.uniform(least, context_tokens) for _ in range(turns.agents)]
        self._room, self._most = room_tokens, most_at_once
        self._kept: OrderedDict[int, float] = OrderedDict()  # the session used longest ago first
        self._running: set[int] = set()
        self._waiting: deque[tuple[float, int]] = deque()
        self._prompts: deque[_Job] = deque()
        self._answers: list[tuple[int, int, _Job]] = []
        self._events = [(dice.expovariate(1 / TOOL_SECONDS), agent) for agent in range(turns.agents)]
        heapq.heapify(self._events)
        self._now, self._step, self._number = 0.0, 0, 0
        self._begun: float | None = None
        self._busy_seconds = 0.0
        self._tally = Tally()

    def run(self) -> Tally:
        probe, cold = _LEAST_WARM_UP_SECONDS / 2, True
        while not self._is_over():
            while self._events and self._events[0][0] <= self._now:
                self._waiting.append(heapq.heappop(self._events))
            if self._now >= probe:
                self._probe(cold=cold)
                cold, probe = not cold, probe + _PROBE_SECONDS / 2
            self._admit()
            if self._prompts or self._answers:
                self._run_step()
            else:
                self._now = min(self._events[0][0] if self._events else probe, probe)
        measured = self._now - (self._begun or 0.0)
        self._tally.seconds, self._tally.at_work = measured, self._busy_seconds / measured
        return self._tally

    def _is_over(self) -> bool:
        """Begin to measure once the queue is in balance, and return whether enough was seen."""
        if self._begun is None:
            late = self._now > _MOST_SECONDS / 2
            if late or (self._now >= _LEAST_WARM_UP_SECONDS and 2 * self._longest_wait() <= self._now):
                self._begun, self._tally.cut_off = self._now, 2 * self._longest_wait() > self._now
            return False
        if self._now < self._begun + _LEAST_MEASURED_SECONDS:
            return False
        return self._tally.answers >= _LEAST_ANSWERS or self._now > _MOST_SECONDS

    def _longest_wait(self) -> float:
        return self._now - self._waiting[0][0] if self._waiting else 0.0

    def _probe(self, *, cold: bool) -> None:
        tokens = PROMPT_TOKENS if cold else NEW_TOKENS
        seconds = self._pace.cold_prompt if cold else self._pace.warm_prompt
        arrived = self._now - self._longest_wait()
        self._prompts.append(
            _Job(
                agent=None, left=tokens, token_seconds=seconds / tokens, output=1, arrived=arrived, cold=cold
            )
        )

    def _admit(self) -> None:
        """Let in the turns for which there is room, in their order, and drop idle sessions for it."""
        while self._waiting and len(self._running) < self._most:
            arrived, agent = self._waiting[0]
            length = self._length[agent]
            kept = agent in self._kept and self._turns.kept > 0
            needed = 0.0 if kept else length
            if not self._make_room(needed, agent):
                return
            self._waiting.popleft()
            self._kept[agent] = length
            self._kept.move_to_end(agent)
            self._running.add(agent)
            tokens = NEW_TOKENS if kept else max(NEW_TOKENS, round(length))
            seconds = self._pace.kept_prompt if kept else self._pace.lost_prompt * length / self._mean
            output = max(1, round(self._dice.expovariate(1 / OUTPUT_TOKENS)))
            self._prompts.append(
                _Job(agent=agent, left=tokens, token_seconds=seconds / tokens, output=output, arrived=arrived)
            )

    def _make_room(self, needed: float, agent: int) -> bool:
        free = self._room - math.fsum(self._kept.values()) - needed
        idle = [one for one in self._kept if one not in self._running and one != agent]
        while free < 0 and idle:
            free += self._kept.pop(idle.pop(0))
        return free >= 0 or not self._running

    def _run_step(self) -> None:
        """Give each answer a token and the prompts what is left of the batch, in their order."""
        decoding = len(self._answers)
        seconds = self._pace.step_seconds(decoding)
        budget, first = self._pace.batch_tokens - decoding, []
        if self._prompts:
            seconds += self._pace.experts - self._pace.experts_seconds(decoding)
        while self._prompts and budget > 0:
            job = self._prompts[0]
            taken = min(budget, job.left)
            job.left -= taken
            budget -= taken
            seconds += taken * job.token_seconds
            if job.left:
                break
            first.append(self._prompts.popleft())
        self._now += seconds
        self._step += 1
        if self._begun is not None:
            self._busy_seconds += seconds * len(self._running)
        while self._answers and self._answers[0][0] <= self._step:
            self._finish(heapq.heappop(self._answers)[2])
        for job in first:
            self._answer(job)

    def _answer(self, job: _Job) -> None:
        if self._begun is not None:
            waits = self._tally.cold if job.cold else self._tally.warm
            (waits if job.agent is None else self._tally.turns).append(self._now - job.arrived)
        if job.agent is None:
            return
        job.answered = self._now
        self._number += 1
        heapq.heappush(self._answers, (self._step + job.output, self._number, job))

    def _finish(self, job: _Job) -> None:
        agent = job.agent
        if agent is None:
            return
        if self._begun is not None and job.answered > self._begun:
            self._tally.answers += 1
            self._tally.tokens += job.output
            self._tally.answer_seconds += self._now - job.answered
        self._running.discard(agent)
        length = self._length[agent] + NEW_TOKENS + job.output
        self._length[agent] = length if length <= self._limit else min(START_TOKENS, self._limit)
        self._kept[agent] = self._length[agent]
        self._kept.move_to_end(agent)
        heapq.heappush(self._events, (self._now + self._dice.expovariate(1 / TOOL_SECONDS), agent))
