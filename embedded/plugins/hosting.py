"""Runs one gRPC plugin of the Pulumi engine: announce the port, serve, end when the engine ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc

# A stack with long config or many objects passes gRPC's default of 4 MiB; the engine itself allows 400 MiB
# (pulumi sdk/go/common/util/rpcutil, 3.259).
_MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_LIMIT_BYTES),
)
# Threads start only when needed. The engine runs every operation of a stack at once, each may wait for
# minutes, and Cancel must still get through.
_MAX_THREADS = 1024
_PARENT_CHECK_SECONDS = 0.5


def engine_address(arguments: Sequence[str]) -> str:
    """Return the engine's address: the engine passes it as the last argument that is no flag."""
    plain = [argument for argument in arguments if not argument.startswith("-")]
    return plain[-1] if plain else ""


def serve(register: Callable[[grpc.Server], None], on_end: Callable[[], None] = lambda: None) -> None:
    """Serve until the engine closes us (it interrupts or terminates) or is gone; `on_end` runs in both cases.

    The engine keeps plugins in a process group of their own: Ctrl-C in a terminal reaches the engine alone,
    which then calls Cancel.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    parent = os.getppid()
    server = grpc.server(ThreadPoolExecutor(_MAX_THREADS), options=MESSAGE_OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(_PARENT_CHECK_SECONDS):
        if os.getppid() != parent:
            break
    on_end()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # calls that still wait must not keep the process alive
