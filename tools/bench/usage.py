"""What one command costs: wall time, and the peak memory of every process that it started."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.children import run_logged
from onprem_agents.errors import OnpremError

_SAMPLE_SECONDS = 0.03
_KIB_PER_MIB = 1024
_ANSWER = "answer: "


@dataclass(frozen=True, kw_only=True)
class Usage:
    """`peak_mib` is the sum of each process's own peak of resident memory.

    `cpu_seconds` is what all processes together computed, which other load on the machine hardly adds to.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measured(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    on_line: Callable[[str], None] | None = None,
) -> Usage:
    """Run `argv` to its end. Raises `OnpremError` naming the log when it fails."""
    started, before = time.monotonic(), _cpu_seconds()
    with _PeakMemory() as memory:
        code = run_logged(argv, cwd=cwd, env=env, log=log, on_line=on_line)
        seconds = time.monotonic() - started
    if code != 0:
        raise OnpremError(f"a measured command failed with exit code {code}; the whole story is in {log}")
    return Usage(seconds=seconds, cpu_seconds=_cpu_seconds() - before, peak_mib=memory.peak_mib)


def _cpu_seconds() -> float:
    """Return what this process's children that ended, and theirs, have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def answer(lines: Sequence[str]) -> str:
    """Return what a measured program answers in its line `answer: …`, whatever else it or its interpreter prints.

    An interpreter that ends may complain after the answer, e.g. of an event loop that it closes. Raises
    `OnpremError` where no line is an answer.
    """
    found = [line.removeprefix(_ANSWER) for line in lines if line.startswith(_ANSWER)]
    if len(found) != 1:
        raise OnpremError(
            f"a measured program gave {len(found)} answers; its last line: {lines[-1] if lines else ''}"
        )
    return found[0]


class _PeakMemory:
    """Watches the descendants of this process that are born inside the block."""

    def __init__(self) -> None:
        self._older = set(_descendants(os.getpid()))
        self._peaks_mib: dict[int, float] = {}
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._sample, daemon=True)

    @property
    def peak_mib(self) -> float:
        return sum(self._peaks_mib.values())

    def __enter__(self) -> _PeakMemory:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            for pid in _descendants(os.getpid()):
                if pid not in self._older:
                    # The kernel keeps the peak, so the last sample of a process is the one that counts.
                    self._peaks_mib[pid] = max(self._peaks_mib.get(pid, 0.0), _peak_mib(pid))


def _descendants(pid: int) -> list[int]:
    """Return the pids of all processes below `pid` (/proc/PID/task/TID/children, proc(5))."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in file.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _peak_mib(pid: int) -> float:
    """Return the peak resident memory so far (VmHWM, proc(5)); 0 once the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0
