"""An HTTP/1.1 server on loopback, on asyncio and h11: enough for streams, silence and broken connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import h11

_log = logging.getLogger(__name__)
_READ_BYTES = 256 * 1024
_MOST_HEADER_BYTES = 256 * 1024
MOST_BODY_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """One request with its whole body; names of headers are in lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """A response with a body at once, or streamed. A stream that ends with `Cut` breaks the connection."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None


class Cut(Exception):
    """The connection is to be broken in the middle of a response."""


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


async def serve(host: str, port: int, handler: Handler) -> asyncio.Server:
    """Listen; every connection is served until it ends. Raises `OSError` when the port is taken."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            ConnectionError, TimeoutError, h11.RemoteProtocolError, h11.LocalProtocolError
        ):
            await _Connection(reader, writer).serve(handler)
        writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            await writer.wait_closed()

    return await asyncio.start_server(connected, host, port)


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEADER_BYTES)

    async def serve(self, handler: Handler) -> None:
        while (request := await self._request()) is not None:
            try:
                response = await handler(request)
            except Exception:  # noqa: BLE001 - a fault of the stand-in is an answer, and stands in its log
                _log.exception("%s %s", request.method, request.path)
                response = HttpResponse(status=500)
            try:
                await self._respond(response)
            except Cut:
                self._writer.transport.abort()
                return
            if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> HttpRequest | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        body = bytearray()
        while isinstance(part := await self._event(), h11.Data):
            body += part.data
            if len(body) > MOST_BODY_BYTES:
                return None
        return HttpRequest(
            method=head.method.decode(),
            target=head.target.decode(),
            headers=tuple((name.decode().lower(), value.decode("latin-1")) for name, value in head.headers),
            body=bytes(body),
        )

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_READ_BYTES))
        return event

    async def _respond(self, response: HttpResponse) -> None:
        headers = dict(response.headers)
        if response.stream is None:
            headers["content-length"] = str(len(response.body))
        await self._send(h11.Response(status_code=response.status, headers=list(headers.items())))
        if response.stream is None:
            await self._send(h11.Data(data=response.body))
        else:
            async for part in response.stream:
                await self._send(h11.Data(data=part))
        await self._send(h11.EndOfMessage())

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()
