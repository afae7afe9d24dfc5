"""`python -m tools.bench.gateway_load`: requests as agents send them, from a process that does nothing else.

Reads one JSON object (`Load`) from standard input and writes what it measured. Each connection is kept and has a
thread of its own on a plain socket: what a client library adds would be larger than what a gateway does.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

_READ_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 120.0
_LAST_CHUNK = b"0\r\n\r\n"
_WARM_UP = 20


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to send where.

    `pause_seconds` from one request of a connection to its next, 0 for none; `seconds` to go on, or `tokens`
    of one stream for each connection, sent at `rate` a second (0: as fast as they go).
    """

    host: str
    port: int
    ca_file: str | None
    keys: tuple[str, ...]
    connections: int
    body_bytes: int
    seconds: float = 0.0
    pause_seconds: float = 0.0
    tokens: int = 0
    rate: int = 0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Milliseconds of each request, seconds of each stream from first to last token, and of this process."""

    milliseconds: list[float]
    stream_seconds: list[float]
    elapsed_seconds: float
    processor_seconds: float


class Connection:
    """One connection that is kept."""

    def __init__(self, load: Load) -> None:
        plain = socket.create_connection(("127.0.0.1", load.port), timeout=_TIMEOUT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain
        if load.ca_file is not None:
            context = ssl.create_default_context(cafile=load.ca_file)
            self._socket = context.wrap_socket(plain, server_hostname=load.host)
        self._place = f"{load.host}:{load.port}"

    def request(self, key: str, body: bytes) -> bytes:
        """Send a chat request; the key goes along whether anybody asks for it or not."""
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {self._place}\r\nauthorization: Bearer {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def exchange(self, request: bytes) -> None:
        """Send a request and read its answer. Raises `RuntimeError` for anything but success."""
        self._socket.sendall(request)
        data = self._head()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")),
            None,
        )
        while len(body) < length if length is not None else not body.endswith(_LAST_CHUNK):
            body += self._more()

    def stream(self, request: bytes) -> float:
        """Send a request and return the seconds between the first and the last of its tokens."""
        self._socket.sendall(request)
        tail = self._head()[-64:]
        first = last = time.perf_counter()
        while not tail.endswith(_LAST_CHUNK):
            part = self._more()
            if b"word" in part:
                last = time.perf_counter()
            tail = (tail + part[-64:])[-64:]
        return last - first

    def _head(self) -> bytes:
        data = self._more()
        while b"\r\n\r\n" not in data:
            data += self._more()
        if b" 200 " not in data[:16]:
            raise RuntimeError(f"not answered: {data[:300]!r}")
        return data

    def _more(self) -> bytes:
        part = self._socket.recv(_READ_BYTES)
        if not part:
            raise RuntimeError("the connection was closed within an answer")
        return part


def measure(load: Load) -> Measured:
    """Open the connections, warm them up, and measure. Raises `RuntimeError` or `OSError`."""
    connections = [Connection(load) for _ in range(load.connections)]
    milliseconds: list[float] = []
    stream_seconds: list[float] = []
    if load.tokens:
        warm, body = _body(load, tokens=10), _body(load, tokens=load.tokens)

        def work(number: int) -> None:
            request = connections[number].request(load.keys[number % len(load.keys)], body)
            stream_seconds.append(connections[number].stream(request))
    else:
        warm = body = _body(load, tokens=0)

        def work(number: int) -> None:
            milliseconds.extend(_asked(connections[number], number, load, body))

    for number, connection in enumerate(connections):
        for _ in range(1 if load.tokens else _WARM_UP):
            connection.exchange(connection.request(load.keys[number % len(load.keys)], warm))
    started, processor = time.perf_counter(), time.process_time()
    _in_threads(work, load.connections)
    return Measured(
        milliseconds=milliseconds,
        stream_seconds=stream_seconds,
        elapsed_seconds=time.perf_counter() - started,
        processor_seconds=time.process_time() - processor,
    )


def _asked(connection: Connection, number: int, load: Load, body: bytes) -> list[float]:
    """Ask again and again, each time with the next key; the connections do not start in step."""
    requests = [connection.request(key, body) for key in load.keys[number :: load.connections] or load.keys]
    begun = time.perf_counter() + load.pause_seconds * number / load.connections
    found: list[float] = []
    while (now := time.perf_counter()) < begun + load.seconds:
        if load.pause_seconds and (wait := begun + len(found) * load.pause_seconds - now) > 0:
            time.sleep(wait)
        sent = time.perf_counter()
        connection.exchange(requests[len(found) % len(requests)])
        found.append((time.perf_counter() - sent) * 1000)
    return found


def _body(load: Load, *, tokens: int) -> bytes:
    paced = f"[paced tokens={tokens} rate={load.rate}] " if tokens else ""
    text = paced + "Reply with the single word: ready. ".ljust(max(0, load.body_bytes - 120), "x")
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "coder", "stream": bool(tokens), "messages": messages}).encode()


def _in_threads(work: Callable[[int], None], count: int) -> None:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except (OSError, RuntimeError) as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def main() -> None:
    """Measure what standard input asks for."""
    asked: dict[str, Any] = json.load(sys.stdin)
    load = Load(**{**asked, "keys": tuple(asked["keys"])})
    try:
        sys.stdout.write(json.dumps(asdict(measure(load))) + "\n")
    except (OSError, RuntimeError) as error:
        sys.exit(f"{load.host}:{load.port}: {error}")


if __name__ == "__main__":
    main()
