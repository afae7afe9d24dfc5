"""N sessions at once, each beginning anew when it ends, until time is up or somebody stops them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Literal

from onprem_agents.probes.bench.call import Caller
from onprem_agents.probes.bench.profile import Profile
from onprem_agents.probes.bench.sample import UNFINISHED, Answer, Sample
from onprem_agents.probes.bench.session import Conversation, Limits
from onprem_agents.probes.bench.shape import Round, draw
from onprem_agents.probes.bench.words import Words

Ended = Literal["time", "interrupted", "stopped"]
# Agents try a busy gateway again and wait for what Retry-After says (Claude Code, Codex and opencode, run 2026-11).
_BUSY_TRIES, _BUSY_WAIT_SECONDS, _MOST_WAIT_SECONDS = 6, 1.0, 30.0
# A session that failed begins anew after a moment, and a run of nothing but failures ends.
_AFTER_FAILURE_SECONDS, _FAILURES_IN_A_ROW = 1.0, 20
# Rounds under way when time is up are waited for: cut, the slowest of them would be missing in the figures.
_DRAIN_SECONDS = 60.0
# Sessions begin one after the other within this part of the run: all at once would be a load that no team makes.
_RAMP_SHARE, _MOST_RAMP_SECONDS = 0.1, 30.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is asked of an endpoint. `pauses` stretches the profile's (0: none); `seed` repeats its sessions."""

    profile: Profile
    sessions: int
    seconds: float
    limits: Limits
    words: Words = field(default_factory=Words)
    pauses: float = 1.0
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of it: the rounds in the order in which they ended."""

    load: Load
    started: datetime
    seconds: float
    ended: Ended
    samples: tuple[Sample, ...]
    compactions: int

    @property
    def loaded_seconds(self) -> float:
        """How long new rounds began, without the wait for the last of them."""
        return min(self.load.seconds, self.seconds)


Watch = Callable[[float, list[Sample]], None]
"""Is told the seconds since the start and all rounds so far, about once a second."""


async def run(caller: Caller, load: Load, watch: Watch) -> Run:
    """Put the load on; a cancelled run ends with what was measured so far."""
    return await _Running(caller, load).run(watch)


class _Running:
    def __init__(self, caller: Caller, load: Load) -> None:
        self._caller = caller
        self._load = load
        self._samples: list[Sample] = []
        self._open: dict[int, Sample] = {}
        self._compactions = 0
        self._begun = 0
        self._warm = False
        self._failures = 0
        # One for all sessions, and the same prefix for no other run: what is found in a cache is of this one.
        shared = load.words.text(load.profile.shared_tokens, Random(load.seed))  # noqa: S311 - no secret
        self._shared_text = f"{secrets.token_hex(8)} {shared}"
        self._start = time.monotonic()
        self._over = asyncio.Event()

    async def run(self, watch: Watch) -> Run:
        started = datetime.now(UTC)
        sessions = [asyncio.create_task(self._slot(number)) for number in range(self._load.sessions)]
        ended: Ended = "time"
        try:
            await self._until(self._load.seconds, watch, sessions)
            ended = "stopped" if self._over.is_set() else "time"
            self._over.set()
            await self._until(self._load.seconds + _DRAIN_SECONDS, watch, sessions)
        except asyncio.CancelledError:
            ended = "interrupted"
        seconds = self._now()
        for task in sessions:
            task.cancel()
        results = await asyncio.gather(*sessions, return_exceptions=True)
        faults = [one for one in results if isinstance(one, Exception)]
        if faults:
            raise faults[0]
        self._samples += [_unfinished(sample, seconds) for sample in self._open.values()]
        return Run(
            load=self._load,
            started=started,
            seconds=seconds,
            ended=ended,
            samples=tuple(self._samples),
            compactions=self._compactions,
        )

    async def _until(self, seconds: float, watch: Watch, sessions: list[asyncio.Task[None]]) -> None:
        """Wait for that moment of the run, or until all sessions are at their end."""
        while (left := seconds - self._now()) > 0:
            done, waiting = await asyncio.wait(sessions, timeout=min(1.0, left))
            watch(self._now(), self._samples)
            if not waiting or any(task.exception() for task in done):
                return

    async def _slot(self, number: int) -> None:
        ramp = min(self._load.seconds * _RAMP_SHARE, _MOST_RAMP_SECONDS)
        await self._pause(ramp * number / self._load.sessions)
        chance = Random(f"{self._load.seed} {number}")  # noqa: S311 - no secret
        while not self._over.is_set():
            if not await self._session(chance):
                await self._pause(_AFTER_FAILURE_SECONDS)

    async def _session(self, chance: Random) -> bool:
        """Play one session and tell whether it came to its end."""
        load = self._load
        self._begun += 1
        session = self._begun
        conversation = Conversation(
            shared_text=self._shared_text,
            shared_tokens=load.profile.shared_tokens,
            words=load.words,
            limits=load.limits,
            chance=chance,
        )
        for part in draw(load.profile, chance).rounds:
            await self._pause(part.pause_seconds * load.pauses)
            if self._over.is_set():
                break
            before = conversation.compactions
            answer = await self._round(conversation, part, session)
            self._compactions += conversation.compactions - before
            if not answer.ok:
                return False
            conversation.answered(answer)
        return True

    async def _round(self, conversation: Conversation, part: Round, session: int) -> Answer:
        request = conversation.next_request(part)
        sample = Sample(
            session=session,
            after=part.after,
            at_seconds=self._now(),
            # What sessions share is in no cache before the first round of all was answered.
            reusable_tokens=request.reusable_tokens if part.after != "start" or self._warm else 0,
            refusals=0,
            answer=Answer(cause=UNFINISHED, seconds=0.0),
        )
        self._open[session] = sample
        for tries_left in range(_BUSY_TRIES - 1, -1, -1):
            answer = await self._caller.ask(request.messages, request.output_tokens)
            if answer.cause != "busy" or not tries_left or self._over.is_set():
                break
            sample = replace(sample, refusals=sample.refusals + 1)
            await self._pause(min(answer.retry_after_seconds or _BUSY_WAIT_SECONDS, _MOST_WAIT_SECONDS))
            sample = replace(sample, at_seconds=self._now())
            self._open[session] = sample
        del self._open[session]
        self._samples.append(replace(sample, answer=replace(answer, text="")))
        self._warm |= answer.ok
        self._failures = 0 if answer.ok else self._failures + 1
        if self._failures >= max(_FAILURES_IN_A_ROW, 2 * self._load.sessions):
            self._over.set()
        return answer

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the run."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return

    def _now(self) -> float:
        return time.monotonic() - self._start


def _unfinished(sample: Sample, seconds: float) -> Sample:
    answer = replace(sample.answer, seconds=max(0.0, seconds - sample.at_seconds))
    return replace(sample, answer=answer)
