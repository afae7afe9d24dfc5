"""Runs commands to their end and never leaves one behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_GRACE_SECONDS = 5.0
_running: set[subprocess.Popen[str]] = set()
# Reentrant: a signal may come while the main thread holds it.
_guard = threading.RLock()
_ending = threading.Event()


def run_logged(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    on_line: Callable[[str], None] | None = None,
) -> int:
    """Append everything `argv` prints to `log` and return its exit code (negative: killed by that signal).

    The command gets a process group of its own; an exception here, Ctrl-C included, ends the whole group
    before it goes on. After `end_all` this raises KeyboardInterrupt, in whichever thread it runs.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(argument) for argument in argv]
    with log.open("a", encoding="utf-8", buffering=1) as sink:
        sink.write(f"$ {' '.join(command)}\n")
        with _group(command, cwd, env) as (child, output):
            for line in output:
                sink.write(line)
                if on_line is not None:
                    on_line(line.rstrip("\n"))
            code = child.wait()
    if _ending.is_set():
        raise KeyboardInterrupt
    return code


def end_all() -> None:
    """End every command that any thread runs, and start no new one: the program is about to end."""
    _ending.set()
    with _guard:
        children = list(_running)
    for child in children:
        _end(child)


@contextmanager
def ended() -> Iterator[None]:
    """End every command, and start none within the block: in it the threads that ran them can be waited for."""
    before = _ending.is_set()
    end_all()
    try:
        yield
    finally:
        if not before:
            _ending.clear()


def ending() -> bool:
    """Whether commands are being ended: what waits for something else than a command should stop, too."""
    return _ending.is_set()


@contextmanager
def _group(
    command: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    with _guard:
        if _ending.is_set():
            raise KeyboardInterrupt
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        _running.add(child)
    try:
        if child.stdout is not None:
            with child.stdout:
                yield child, child.stdout
    except BaseException:
        _end(child)
        raise
    finally:
        with _guard:
            _running.discard(child)


def _end(child: subprocess.Popen[str]) -> None:
    """Ask a child's process group to end, and kill what is left of it after five seconds."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=_GRACE_SECONDS)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
