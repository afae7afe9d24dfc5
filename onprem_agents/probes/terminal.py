"""A terminal for one program: what it shows, and keys for it. Needs pseudo-terminals, so not on Windows."""

from __future__ import annotations

import codecs
import contextlib
import errno
import importlib.util
import os
import re
import select
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

COLUMNS, ROWS = 120, 45
# What programs ask a terminal at start, and pyte 0.8.2 either draws as text or takes for something else: strings for
# the terminal (DCS, SOS, PM, APC), and control sequences with a private prefix or an intermediate byte (ECMA-48).
_BESIDE = re.compile(
    "\x1b[PX^_].*?\x1b\\\\"
    "|\x1b\\[[<=>][0-?]*[ -/]*[@-~]"
    "|\x1b\\[[0-?]*[ -/]+[@-~]"
    "|\x1b\\[\\?[0-9;]*[^hl0-9;\x1b]",
    re.DOTALL,
)
# The beginning of a sequence whose end has not come yet.
_BEGUN = re.compile("\x1b(?:[PX^_](?:(?!\x1b\\\\).)*|\\[[0-?]*[ -/]*)?$", re.DOTALL)
KEYS: Mapping[str, str] = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
}
_TICK_SECONDS = 0.05
_END_SECONDS = 5.0
_READ_BYTES = 65_536


class NotShown(Exception):
    """What was waited for did not come; `screen` is what stood there instead."""

    def __init__(self, wanted: str, screen: str, *, seconds: float, code: int | None) -> None:
        self.end = (
            f"within {seconds:g} s" if code is None else f"before the program ended with exit code {code}"
        )
        super().__init__(f"{wanted} did not come {self.end}; the screen: {screen or 'empty'}")
        self.wanted, self.screen = wanted, screen


def possible() -> bool:
    """Whether this system has pseudo-terminals."""
    return importlib.util.find_spec("termios") is not None


def found(pattern: str, shown: str) -> re.Match[str] | None:
    """Look for a pattern on a screen, line by line."""
    return re.search(pattern, shown, re.MULTILINE)


class _Screen(pyte.Screen):
    """A screen that answers when it is asked where the cursor is, as programs do at start."""

    def __init__(self, answer: Callable[[str], None]) -> None:
        super().__init__(COLUMNS, ROWS)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """A program in a pseudo-terminal of its own session; leaving the block ends its whole process group."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self._process, self._master = process, master
        self._screen = _Screen(self._write)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._closed = False

    @classmethod
    @contextlib.contextmanager
    def running(cls, argv: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Iterator[Self]:
        """Run a program in that folder for the length of a block."""
        import fcntl  # here, for Windows has none of the three and the command must start there all the same
        import pty
        import termios

        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PWD": str(folder)}
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**variables, **own},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        terminal = cls(process, master)
        try:
            yield terminal
        finally:
            terminal._end()

    @property
    def text(self) -> str:
        """What the screen shows, without blank lines and ends of lines."""
        lines = (line.rstrip() for line in self._screen.display)
        return "\n".join(line for line in lines if line)

    def send(self, text: str) -> None:
        """Send text as it stands, as from a paste without its marks."""
        self._write(text)

    def press(self, *keys: str) -> None:
        """Press keys of `KEYS`, one after the other."""
        for key in keys:
            self._write(KEYS[key])
            self._take(_TICK_SECONDS)

    def press_until(self, key: str, pattern: str, seconds: float, *, again_seconds: float = 10.0) -> None:
        """Press a key until the screen shows the pattern, such as the mark before a choice."""
        deadline = time.monotonic() + seconds
        while True:
            self._write(KEYS[key])
            try:
                self.wait(pattern, min(again_seconds, max(deadline - time.monotonic(), _TICK_SECONDS)))
            except NotShown:
                if self._closed or time.monotonic() >= deadline:
                    raise
            else:
                return

    def wait(self, pattern: str, seconds: float, *, wanted: str | None = None) -> None:
        """Wait until the screen shows the pattern. Raises `NotShown`, which tells what it showed instead."""
        self.until(lambda shown: found(pattern, shown) is not None, seconds, wanted=wanted or repr(pattern))

    def until(self, holds: Callable[[str], bool], seconds: float, *, wanted: str) -> None:
        """Wait until something holds of the screen. Raises `NotShown`."""
        deadline = time.monotonic() + seconds
        while not holds(self.text):
            left = deadline - time.monotonic()
            if left <= 0 or self._closed:
                code = self._process.poll() if self._closed else None
                raise NotShown(wanted, self.text, seconds=seconds, code=code)
            self._take(min(left, _TICK_SECONDS))

    def settle(self, still_seconds: float, seconds: float) -> None:
        """Wait until the screen has not changed for so long; at most `seconds`."""
        deadline = time.monotonic() + seconds
        shown, since = self.text, time.monotonic()
        while time.monotonic() < deadline and not self._closed:
            self._take(_TICK_SECONDS)
            if self.text != shown:
                shown, since = self.text, time.monotonic()
            elif time.monotonic() - since >= still_seconds:
                return

    def _take(self, seconds: float) -> None:
        """Take over what the program has written, waiting for it at most so long."""
        if self._closed:
            return
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return
        try:
            data = os.read(self._master, _READ_BYTES)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux says so when nobody holds the other end any more
                raise
            data = b""
        if not data:
            self._closed = True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
            return
        text = _BESIDE.sub("", self._rest + self._decoder.decode(data))
        begun = _BEGUN.search(text)
        self._rest = text[begun.start() :] if begun else ""
        self._stream.feed(text[: begun.start()] if begun else text)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._master, text.encode())

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)
