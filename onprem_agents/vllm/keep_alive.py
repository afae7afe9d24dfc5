"""Bytes in silent streams: an ASGI middleware that vLLM loads, for whatever answers with server-sent events.

vLLM's own `--sse-keep-alive-interval` covers chat completions and completions only (0.29 to 0.33, 2026-11): Codex and
Claude Code would see nothing while their request waits and its prompt is read, and a hop with an idle limit would cut
them off. What is written is a comment between two events, which every reader of such streams passes over.

This very file is mounted beside the server, where nothing else of the product is: it imports the standard library.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

INTERVAL_VARIABLE = "SSE_KEEP_ALIVE_SECONDS"
"""Environment variable with the longest silence, in seconds."""

COMMENT = b": keep-alive\n\n"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class KeepAlive:
    """Writes a comment into a stream of events whenever it has been silent for the interval."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._interval_seconds = float(os.environ[INTERVAL_VARIABLE])

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stream = _Stream(send)
        pulse = asyncio.create_task(stream.beat(self._interval_seconds))
        try:
            await self._app(scope, receive, stream.send)
        finally:
            pulse.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await pulse


class _Stream:
    """One answer on its way; a comment only ever stands between two events of an open stream."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._writing = asyncio.Lock()
        self._heard = time.monotonic()
        self._open = False
        self._ending = b""

    async def send(self, message: Message) -> None:
        async with self._writing:
            await self._send(message)
            self._heard = time.monotonic()
            if message["type"] == "http.response.start":
                self._open = _is_of_events(message)
            elif message["type"] == "http.response.body":
                self._ending = (self._ending + message.get("body", b""))[-2:]
                self._open = self._open and message.get("more_body", False)

    async def beat(self, interval_seconds: float) -> None:
        """Write for ever, until cancelled or until nobody reads any more."""
        while True:
            await asyncio.sleep(max(0.0, self._heard + interval_seconds - time.monotonic()))
            async with self._writing:
                if time.monotonic() - self._heard < interval_seconds:
                    continue
                if self._open and self._ending in (b"", b"\n\n"):
                    await self._send({"type": "http.response.body", "body": COMMENT, "more_body": True})
                self._heard = time.monotonic()


def _is_of_events(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    return bool(headers.get(b"content-type", b"").startswith(b"text/event-stream"))
