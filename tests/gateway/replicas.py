"""Several scripted models on loopback, as the replicas of one server."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

from scripted_model.http import HttpRequest, HttpResponse, serve
from scripted_model.record import Record
from scripted_model.server import ScriptedModel

REPLICAS = 4
REPLICA_HEADER = "x-test-replica"
_LOOPBACK = "127.0.0.1"


class Replicas:
    """Scripted models on loopback, each with its number in its answers; all in one thread.

    `most` tells how many requests each had at once.
    """

    def __init__(self) -> None:
        self.ports: tuple[int, ...] = ()
        self.most = [0] * REPLICAS
        self._now = [0] * REPLICAS
        self._ready, self._ended = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Replicas:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        servers = [await self._start(number) for number in range(REPLICAS)]
        self.ports = tuple(server.sockets[0].getsockname()[1] for server in servers)
        self._ready.set()
        await self._ended.wait()
        for server in servers:
            server.close()
        # Envoy is gone by now, so connections end by themselves.
        if connections := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(connections, timeout=5)

    async def _start(self, number: int) -> asyncio.Server:
        model = ScriptedModel({"coder": 65_536}, Record(None))

        async def answer(request: HttpRequest) -> HttpResponse:
            self._now[number] += 1
            self.most[number] = max(self.most[number], self._now[number])
            try:
                response = await model(request)
            finally:
                self._now[number] -= 1
            return replace(response, headers={**response.headers, REPLICA_HEADER: str(number)})

        return await serve(_LOOPBACK, 0, answer)
