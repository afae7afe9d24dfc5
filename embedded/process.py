"""One long-running child: started detached, found again by later runs, stopped with all it started.

A pid file holds the pid and the kernel's start time of that pid, so that a recycled pid is never taken for
ours. Every child also carries the path of its pid file in its environment, which its own children inherit:
a run killed before it wrote the pid file, or a child whose parent was killed, leaves nothing unfound.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem

_MARK = "ONPREM_PROCESS"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME")
_LOG_LIMIT_BYTES = 20 * 1024 * 1024
_POLL_SECONDS = 0.05
_KILL_SECONDS = 5.0
_MIB = 1024 * 1024
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One running process: a child of ours or one that it started."""

    pid: int
    program: str
    resident_mib: float


@dataclass(frozen=True, kw_only=True)
class Process:
    """What to run and where its traces go. Only PATH, HOME and the locale reach the child besides `env`."""

    name: str
    argv: tuple[str, ...]
    pid_file: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def start(self) -> int:
        """Start the child in a session of its own and return its pid."""
        for folder in (self.log.parent, self.pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        try:
            with self.log.open("ab") as log:
                child = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.cwd,
                    env=inherited | dict(self.env) | {_MARK: str(self.pid_file)},
                    start_new_session=True,
                )
        except OSError as error:
            raise EnvironmentProblem(f"{self.name} cannot be started: {error}") from error
        _children[child.pid] = child
        record = {"pid": child.pid, "started": _start_time(child.pid), "digest": self._digest()}
        draft = self.pid_file.with_suffix(".new")
        draft.write_text(json.dumps(record), encoding="utf-8")
        draft.replace(self.pid_file)
        return child.pid

    def pid(self) -> int | None:
        """Return the pid while the child lives, else None."""
        record = self._record()
        pid = record.get("pid")
        if not isinstance(pid, int):
            return None
        if child := _children.get(pid):
            child.poll()  # reaps it if it has ended
        return pid if _start_time(pid) == record.get("started") is not None else None

    def alive(self) -> bool:
        return self.pid() is not None

    def as_wanted(self) -> bool:
        """Whether the child lives and was started with this very argv, environment and folder."""
        return self.alive() and self._record().get("digest") == self._digest()

    def was_started(self) -> bool:
        """Whether a pid file says that the child should be running."""
        return bool(self._record())

    def members(self) -> list[Member]:
        """Return the child and everything that it started and that still runs, by pid.

        A process on its way out has no environment any more but still holds its ports: the child itself
        is a member until it has ended, so that `members` and `alive` never disagree about it.
        """
        mark = f"{_MARK}={self.pid_file}".encode()
        child = self.pid()
        return [_member(pid) for pid in _own_processes() if pid == child or mark in _environment(pid)]

    def resident_mib(self) -> float:
        """Return the resident memory of the child alone, in MiB; 0 when it does not run."""
        pid = self.pid()
        return _member(pid).resident_mib if pid else 0.0

    def stop(self, grace_seconds: float = 10.0) -> None:
        """Ask all members to end, kill after `grace_seconds` those that have not, forget the pid file."""
        for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, _KILL_SECONDS)):
            self._signal(number)
            if self._gone_within(seconds):
                self.pid_file.unlink(missing_ok=True)
                return
        left = ", ".join(str(member.pid) for member in self.members())
        raise EnvironmentProblem(f"{self.name} does not end, not even when killed (pid {left})")

    def wait_until(self, check: Callable[[], bool], *, timeout_seconds: float, what: str) -> None:
        """Wait for `check`; EnvironmentProblem naming the log when the child dies or the time is up."""
        deadline = time.monotonic() + timeout_seconds
        while not check():
            if not self.alive():
                raise EnvironmentProblem(f"{self.name} ended before it was {what}{self._last_words()}")
            if time.monotonic() >= deadline:
                raise EnvironmentProblem(
                    f"{self.name} was not {what} within {timeout_seconds:g} s{self._last_words()}"
                )
            time.sleep(_POLL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        for member in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(member.pid, number)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive() or self.members():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _record(self) -> dict[str, object]:
        try:
            record = json.loads(self.pid_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _digest(self) -> str:
        wanted = [self.argv, sorted(self.env.items()), str(self.cwd)]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        spoken = [line.strip() for line in lines[-20:] if line.strip()]
        last = f"; its last words: {spoken[-1][:300]}" if spoken else ""
        return f"{last}\nThe whole story is in {self.log}"


def _own_processes() -> list[int]:
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                if entry.stat().st_uid == os.getuid() and _start_time(int(entry.name)):
                    found.append(int(entry.name))
            except FileNotFoundError:
                continue
    return sorted(found)


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on (field 3, proc(5)); [] when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _start_time(pid: int) -> int | None:
    """Return the start time in clock ticks since boot (field 22, proc(5)); None for dead and zombie."""
    fields = _stat(pid)
    return None if not fields or fields[0] in "ZX" else int(fields[19])


def _member(pid: int) -> Member:
    fields = _stat(pid)
    pages = int(fields[21]) if fields else 0  # field 24, proc(5)
    try:
        program = Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        program = ""
    return Member(pid=pid, program=program, resident_mib=pages * os.sysconf("SC_PAGE_SIZE") / _MIB)
