"""Several pytests at once, told as one run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock, Thread
from typing import IO

from embedded.ports import RANGE, RANGE_VARIABLE

# "3 failed, 1989 passed, 8 skipped in 29.90s (0:00:29)", with or without its frame (pytest 8.4).
_CLOSING = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s\b")
_COUNT = re.compile(r"(\d+) ([a-z]+)")
_PYTEST_OK, _PYTEST_FAILED, _PYTEST_NOTHING = 0, 1, 5
_END_SECONDS = 120


def run_lanes(commands: Mapping[str, Sequence[str]]) -> int:
    """Run each command, print its lines behind its name as they come, and close with one line of all counts.

    Returns 0 when all passed, else the first other exit code. On Ctrl-C, which reaches the children too, they are
    given time to clean up.
    """
    share = len(RANGE) // len(commands)
    lanes = {
        name: _Lane(name, command, RANGE[index * share : (index + 1) * share])
        for index, (name, command) in enumerate(commands.items())
    }
    try:
        codes = [lane.wait() for lane in lanes.values()]
    except KeyboardInterrupt:
        for lane in lanes.values():
            lane.end()
        return 130
    counts = sum((lane.counts for lane in lanes.values()), Counter[str]())
    for name, code in zip(lanes, codes, strict=True):
        if code not in {_PYTEST_OK, _PYTEST_NOTHING}:
            print(f"{name}: pytest ended with exit code {code}", flush=True)
    code = verdict(codes)
    broken = counts["failed"] + counts["errors"] + counts["error"]
    # A pytest that crashed has counted nothing, and is no success.
    failed = broken or int(code not in {_PYTEST_OK, _PYTEST_NOTHING})
    print(f"{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped", flush=True)
    return code


def verdict(codes: Sequence[int]) -> int:
    """Return the exit code of all: nothing collected counts only when it is so everywhere."""
    worse = [code for code in codes if code not in {_PYTEST_OK, _PYTEST_NOTHING}]
    if worse:
        return worse[0] if worse[0] > 0 else _PYTEST_FAILED
    return _PYTEST_OK if _PYTEST_OK in codes else _PYTEST_NOTHING


def counts_of(line: str) -> Counter[str] | None:
    """Return what pytest's closing line counts, None for any other line."""
    found = _CLOSING.match(line)
    if found is None:
        return None
    return Counter({word: int(number) for number, word in _COUNT.findall(found[1])})


class _Lane:
    """One pytest, its output read line by line, whose clusters choose among `ports`."""

    _turn = Lock()

    def __init__(self, name: str, command: Sequence[str], ports: range) -> None:
        self.counts: Counter[str] = Counter()
        self._name = name
        self._child = subprocess.Popen(
            command,
            env={**os.environ, RANGE_VARIABLE: f"{ports.start}-{ports.stop - 1}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        self._reader = Thread(target=self._tell, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    def wait(self) -> int:
        """Return the exit code, once everything has been printed; a pytest that never closed has failed."""
        code = self._child.wait()
        self._reader.join(_END_SECONDS)
        return _PYTEST_FAILED if code == _PYTEST_OK and not self.counts else code

    def end(self) -> None:
        """Wait for an interrupted pytest to take down what it started; kill it when that takes too long."""
        try:
            self._child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.send_signal(signal.SIGKILL)
        self._reader.join(_END_SECONDS)

    def _tell(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                counts = counts_of(line)
                if counts is not None:
                    self.counts = counts
                with self._turn:
                    sys.stdout.write(f"{self._name} | {line}")
                    sys.stdout.flush()
