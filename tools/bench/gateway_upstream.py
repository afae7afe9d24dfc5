"""`python -m tools.bench.gateway_upstream PORT`: a chat server with one fixed answer, faster than any gateway.

The scripted model checks and records each request, which takes longer than Envoy does; this one does neither.
A text `[paced tokens=300 rate=100]` in the request streams so many tokens at that rate; with rate 0 as fast as
they go, 16 to a write, as a server sends what many sequences have at once.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys

from embedded.ports import LOOPBACK

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PACED = re.compile(rb"\[paced tokens=(\d+) rate=(\d+)\]")
_EVENTS_AT_ONCE = 16
_CHAT = {"id": "chatcmpl-fixed", "created": 1, "model": "coder"}


def _answer(document: object) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = json.dumps(_CHAT | {"object": "chat.completion.chunk", "choices": [choice]})
    return _chunk(f"data: {document}\n\n".encode())


_MESSAGE = {"role": "assistant", "content": "ready"}
_FIXED = _answer(
    _CHAT
    | {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
)
_MODELS = _answer({"object": "list", "data": [{"id": "coder", "object": "model"}]})
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_TOKEN = _event({"content": "word "})
_END = _event({}, "stop") + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Server(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._stream: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server has no other
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        """End what is being streamed."""
        if self._stream is not None:
            self._stream.cancel()

    def pause_writing(self) -> None:
        """Wait: the client does not read fast enough."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Answer once a request is there as a whole."""
        self._received += data
        head = self._received.find(_HEAD_END)
        if head < 0 or self._transport is None:
            return
        length = _LENGTH.search(self._received, 0, head + 2)
        end = head + len(_HEAD_END) + (int(length[1]) if length else 0)
        if len(self._received) < end:
            return
        paced = _PACED.search(self._received, head, end)
        if paced is not None:
            stream = self._streamed(self._transport, int(paced[1]), int(paced[2]))
            self._stream = asyncio.get_running_loop().create_task(stream)
        else:
            self._transport.write(_MODELS if self._received.startswith(b"GET ") else _FIXED)
        del self._received[:end]

    async def _streamed(self, transport: asyncio.Transport, tokens: int, rate: int) -> None:
        transport.write(_STREAM)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(tokens if rate else 0):
            transport.write(_TOKEN)
            await asyncio.sleep(max(0.0, begun + (number + 1) / rate - loop.time()))
        for number in range(0, 0 if rate else tokens, _EVENTS_AT_ONCE):
            transport.write(_TOKEN * min(_EVENTS_AT_ONCE, tokens - number))
            await asyncio.sleep(0)
            await self._writable.wait()
        transport.write(_END)


async def _serve(port: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await loop.create_server(Server, LOOPBACK, port)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
