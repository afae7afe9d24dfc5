"""Several pytests at once, told as one run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import IO

from embedded.ports import RANGE, RANGE_VARIABLE

# "3 failed, 1989 passed, 8 skipped in 29.90s (0:00:29)", with or without its frame (pytest 8.4).
_CLOSING = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s\b")
_COUNT = re.compile(r"(\d+) ([a-z]+)")
# "FAILED tests/unit/test_x.py::test_y[z] - AssertionError: …", as pytest's summary tells it (pytest 8.4).
_BROKEN = re.compile(r"^(?:FAILED|ERROR) (\S+::.*?)(?: - |$)")
_PYTEST_OK, _PYTEST_FAILED = 0, 1
_READ_SECONDS = 120.0
# At SIGINT a pytest takes down what it started, clusters for some; the later ones are for a pytest that hangs.
_ENDINGS = ((signal.SIGINT, 120.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0))


def run_lanes(commands: Mapping[str, Sequence[str]]) -> int:
    """Run each command, print its lines behind its name as they come, and close with one line of all counts.

    Before it stand the names of the tests that failed, for what they said may be long.
    Returns 0 when all passed, else the first other exit code; a lane without a test has failed, for none is given
    fewer than its tiers hold. On Ctrl-C and SIGTERM each is interrupted and given time to clean up; a second one
    ends that time.
    """
    share = len(RANGE) // len(commands)
    lanes: dict[str, _Lane] = {}
    try:
        for index, (name, command) in enumerate(commands.items()):
            lanes[name] = _Lane(name, command, RANGE[index * share : (index + 1) * share])
        codes = [lane.wait() for lane in lanes.values()]
    except KeyboardInterrupt:
        _end(lanes.values())
        return 130
    except BaseException:
        _end(lanes.values())
        raise
    counts = sum((lane.counts for lane in lanes.values()), Counter[str]())
    for lane in lanes.values():
        for test in lane.broken:
            print(f"failed: {test}", flush=True)
    for name, code in zip(lanes, codes, strict=True):
        if code != _PYTEST_OK:
            print(f"{name}: pytest ended with exit code {code}", flush=True)
    code = verdict(codes)
    broken = counts["failed"] + counts["errors"] + counts["error"]
    # A pytest that crashed has counted nothing, and is no success.
    failed = broken or int(code != _PYTEST_OK)
    print(f"{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped", flush=True)
    return code


def verdict(codes: Sequence[int]) -> int:
    """Return the exit code of all: the first that is no success, a signal's as a failure."""
    first = next((code for code in codes if code != _PYTEST_OK), _PYTEST_OK)
    return first if first >= 0 else _PYTEST_FAILED


def counts_of(line: str) -> Counter[str] | None:
    """Return what pytest's closing line counts, None for any other line."""
    found = _CLOSING.match(line)
    if found is None:
        return None
    return Counter({word: int(number) for number, word in _COUNT.findall(found[1])})


def _end(lanes: Iterable[_Lane]) -> None:
    """Interrupt the pytests that still run and wait for them; end them by force when that takes too long."""
    for number, seconds in _ENDINGS:
        with suppress(KeyboardInterrupt, SystemExit):
            running = [lane for lane in lanes if lane.send(number)]
            deadline = time.monotonic() + seconds
            for lane in running:
                lane.gone_by(deadline)


class _Lane:
    """One pytest, its output read line by line, whose clusters choose among `ports`."""

    _turn = Lock()

    def __init__(self, name: str, command: Sequence[str], ports: range) -> None:
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self._name = name
        self._child = subprocess.Popen(
            command,
            env={**os.environ, RANGE_VARIABLE: f"{ports.start}-{ports.stop - 1}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,  # so that it is interrupted once, by `_end`, however the signal came
        )
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        self._reader = Thread(target=self._tell, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    def wait(self) -> int:
        """Return the exit code, once everything has been printed; a pytest that never closed has failed."""
        code = self._child.wait()
        self._reader.join(_READ_SECONDS)
        return _PYTEST_FAILED if code == _PYTEST_OK and not self.counts else code

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to pytest and to what runs in its group; return whether it still ran."""
        if self._child.poll() is not None:
            return False
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)
        return True

    def gone_by(self, deadline: float) -> None:
        """Wait until it has ended and everything has been printed, or until `deadline`."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(max(0.0, deadline - time.monotonic()))
            self._reader.join(max(0.0, deadline - time.monotonic()))

    def _tell(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                counts = counts_of(line)
                if counts is not None:
                    self.counts = counts
                if broken := _BROKEN.match(line):
                    self.broken.append(broken[1].strip())
                with self._turn:
                    sys.stdout.write(f"{self._name} | {line}")
                    sys.stdout.flush()
