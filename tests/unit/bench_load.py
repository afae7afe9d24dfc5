"""Loads of a moment on the scripted model, for the tests of the bench."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from onprem_agents.probes.bench.calibrate import calibrate
from onprem_agents.probes.bench.call import Caller
from onprem_agents.probes.bench.load import Load, Run, run
from onprem_agents.probes.bench.profile import Profile
from onprem_agents.probes.bench.session import Limits
from onprem_agents.probes.exchange import Target
from scripted_model.faults import Fault
from scripted_model.http import HttpRequest, HttpResponse, serve
from scripted_model.record import Record
from scripted_model.server import ScriptedModel
from tests.unit.event_loop import finished

LIMITS = Limits(context_tokens=65_536, compact_at_tokens=52_428, max_output_tokens=4_096)
KEY = "onprem-a-key-of-the-bench-0123456789"
RAW: dict[str, Any] = {
    "name": "short",
    "source": {
        "title": "made up for tests",
        "address": "none",
        "licence": "none",
        "released": "2026-11-28",
        "read": "2026-11-28",
        "changes": "none",
    },
    "sharedTokens": 400,
    "openingTokens": {0: 100, 100: 200},
    "requestsPerSession": {0: 1, 100: 2},
    "toolRoundsPerRequest": {0: 2, 100: 4},
    "growthTokens": {0: 100, 100: 400},
    "outputTokens": {0: 8, 100: 32},
    "toolPauseSeconds": {0: 0, 100: 0.02},
    "humanPauseSeconds": {0: 0, 100: 0.02},
    "longestPauseSeconds": 1,
}
Answer = Callable[[HttpRequest], HttpResponse | None]


def short_profile(**changes: Any) -> Profile:
    return Profile.model_validate(RAW | changes)


@contextlib.asynccontextmanager
async def served(
    before: Answer, faults: tuple[Fault, ...] = (), **of_target: Any
) -> AsyncIterator[tuple[Caller, list[HttpRequest]]]:
    """Serve the scripted model; what `before` answers takes the place of its answer."""
    model = ScriptedModel({"coder": LIMITS.context_tokens}, Record(None), faults)
    seen: list[HttpRequest] = []

    async def handle(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return before(request) or await model(request)

    server = await serve("127.0.0.1", 0, handle)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    target = Target(base_url=url, model="coder", key=KEY, key_source="a test", **of_target)
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            yield Caller(target=target, http=http), seen
    finally:
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        if connections:
            await asyncio.wait(connections, timeout=5)


def loaded(
    *,
    before: Answer = lambda _: None,
    faults: tuple[Fault, ...] = (),
    sessions: int = 1,
    seconds: float = 120,
    rounds: int | None = None,
    **profile: Any,
) -> tuple[Run, list[HttpRequest]]:
    """Run a load on the scripted model; with the request after so many `rounds` it is cancelled once, as by Ctrl-C.

    A machine may be busy: what a test looks at are rounds, never how many of them a time holds.
    """

    async def whole() -> tuple[Run, list[HttpRequest]]:
        running: list[asyncio.Task[Run]] = []

        def counted(request: HttpRequest) -> HttpResponse | None:
            if running and rounds is not None and len(seen) == rounds + 1:
                running[0].cancel()
            return before(request)

        async with served(counted, faults) as (caller, seen):
            words = await calibrate(caller)
            seen.clear()
            profile_of_test = short_profile(**profile)
            load = Load(
                profile=profile_of_test, sessions=sessions, seconds=seconds, limits=LIMITS, words=words
            )
            running.append(asyncio.ensure_future(run(caller, load, lambda _seconds, _samples: None)))
            return await running[0], seen

    return finished(whole())
