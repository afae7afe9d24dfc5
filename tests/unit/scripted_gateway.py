"""The scripted model behind a gateway of a few lines: keys, the published contract, and each fault on wish."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle

from onprem_agents.contract.connection import WELL_KNOWN_PATH, Connection
from scripted_model.faults import Fault
from scripted_model.http import HttpRequest, HttpResponse, serve
from scripted_model.record import Record
from scripted_model.server import ScriptedModel

KEY = "onprem-the-first-developers-key-0123456789"
_JSON = {"content-type": "application/json"}


class ScriptedGateway:
    """Answers as the gateway does; `faults` are its own, `of_model` those of the servers behind it.

    With several `replicas` requests go to one after the other.
    """

    def __init__(
        self,
        contract: Connection,
        faults: Sequence[str] = (),
        *,
        of_model: Sequence[Fault] = (),
        replicas: int = 1,
    ) -> None:
        self.contract = contract
        self.faults = set(faults)
        self.seen: list[str] = []
        windows = {role.model: role.context_tokens for role in contract.roles}
        if "half-window" in self.faults:
            windows = {model: tokens // 2 for model, tokens in windows.items()}
        servers = [ScriptedModel(windows, Record(None), of_model) for _ in range(replicas)]
        self._next = cycle(servers)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        self.seen.append(request.path)
        if request.path == WELL_KNOWN_PATH:
            return self._contract()
        headers = dict(request.headers)
        key = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-api-key", "")
        if key != KEY and "open" not in self.faults:
            return HttpResponse(status=401, body=b"Client authentication failed.")
        if f"no {request.path}" in self.faults:
            return HttpResponse(status=404)
        if "body-limit" in self.faults and len(request.body) > 1024 * 1024:
            return HttpResponse(status=413, body=b"Payload Too Large")
        response = await next(self._next)(request)
        if "no-usage-details" in self.faults and response.stream is None:
            document = json.loads(response.body)
            document.get("usage", {}).pop("prompt_tokens_details", None)
            return replace(response, body=json.dumps(document).encode())
        return response

    def _contract(self) -> HttpResponse:
        if "no-contract" in self.faults:
            return HttpResponse(status=404, body=b"Not Found")
        told = self.contract
        if "old-contract" in self.faults:
            told = told.model_copy(update={"translation": "litellm"})
        return HttpResponse(headers=_JSON, body=told.to_json().encode())


@contextlib.contextmanager
def gateway(
    contract: Connection,
    *faults: str,
    of_model: Sequence[Fault] = (),
    replicas: int = 1,
) -> Iterator[tuple[ScriptedGateway, Connection]]:
    """Run it on loopback; gives it and the contract with its address."""
    loop = asyncio.new_event_loop()
    handler = ScriptedGateway(contract, faults, of_model=of_model, replicas=replicas)
    server = loop.run_until_complete(serve("127.0.0.1", 0, handler))
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    handler.contract = contract.model_copy(
        update={"host": "127.0.0.1", "base_url": f"{base}/v1", "anthropic_base_url": base}
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield handler, handler.contract
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    """Stop listening, and let the connections end that their clients have closed."""
    server.close()
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    if connections:
        await asyncio.wait(connections, timeout=5)
