"""One run at a time: an advisory file lock that can say who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from embedded import children
from onprem_agents.errors import EnvironmentProblem

_POLL_SECONDS = 0.2


@contextmanager
def hold(
    path: Path,
    *,
    command: str,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the lock at `path` for the length of a `with` block.

    The kernel drops the lock when the holder dies, so a killed run never blocks the next one. Waits up to
    `wait_seconds` for another holder and tells `on_wait` once who it is; raises `EnvironmentProblem`
    naming the holder's pid, command and start time when the wait is over.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        _acquire(handle, path, wait_seconds, on_wait)
        _write_holder(handle, command)
        try:
            yield
        finally:
            handle.truncate(0)


def _acquire(handle: IO[str], path: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> None:
    deadline = time.monotonic() + wait_seconds
    told = False
    while not _try_lock(handle):
        if children.ending():
            raise KeyboardInterrupt
        holder = _holder(handle)
        if time.monotonic() >= deadline:
            raise EnvironmentProblem(
                f"{holder} is at work here already, and two runs would fight over the same files.\n"
                f"Wait for it to end, or stop it and run the command again (lock file: {path})."
            )
        if on_wait is not None and not told:
            on_wait(f"waiting for {holder}")
            told = True
        time.sleep(_POLL_SECONDS)


def _try_lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_holder(handle: IO[str], command: str) -> None:
    handle.truncate(0)
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    json.dump({"pid": os.getpid(), "command": command, "since": since}, handle)
    handle.flush()


def _holder(handle: IO[str]) -> str:
    handle.seek(0)
    try:
        holder = json.loads(handle.read())
        return f"`{holder['command']}` (pid {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "another run"
