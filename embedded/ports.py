"""Loopback ports, chosen when first asked for and remembered, so that a restart finds its clients again."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes ports for outgoing connections (32768-60999, ip(7)).
RANGE = range(20000, 32000)
_UNPRIVILEGED = range(1024, 65536)
# Runs that must not meet while they choose, such as two lanes of tests, are each given a part: "20000-25999".
RANGE_VARIABLE = "ONPREM_PORTS"
_TRIES = 200
_TEAR_DOWN_SECONDS = 1.5
_POLL_SECONDS = 0.05


class Ports:
    """A table of named ports in one JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._table = _read(file)

    def reload(self) -> None:
        """Read the table again: another run may have changed it."""
        self._table = _read(self._file)

    def __getitem__(self, name: str) -> int:
        """Return the port of that name, choosing a free one at the first use."""
        if name not in self._table:
            self._choose(name)
        return self._table[name]

    def replace_taken(self, names: Iterable[str]) -> list[str]:
        """Choose anew every remembered port that another program took; call it for stopped servers only.

        Returns one sentence for each port that changed.
        """
        notes = []
        for name in names:
            old = self._table.get(name)
            if old is None or _is_free_soon(old):
                continue
            self._choose(name)
            notes.append(
                f"port {old} ({name}) is in use by another program; using {self._table[name]} instead"
            )
        return notes

    def _choose(self, name: str) -> None:
        used, candidates = set(self._table.values()), _candidates()
        for _ in range(_TRIES):
            port = random.choice(candidates)  # noqa: S311 - nothing secret hangs on it
            if port not in used and is_free(port):
                self._table[name] = port
                self._write()
                return
        raise EnvironmentProblem(
            f"no free port for {name} found on {LOOPBACK} between {candidates.start} and {candidates.stop - 1}; "
            "stop a program that holds many of them"
        )

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(self._table, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(self._file)


def _candidates() -> range:
    given = os.environ.get(RANGE_VARIABLE)
    if given is None:
        return RANGE
    found = re.fullmatch(r"(\d+)-(\d+)", given)
    chosen = range(int(found[1]), int(found[2]) + 1) if found else range(0)
    if not chosen or chosen[0] not in _UNPRIVILEGED or chosen[-1] not in _UNPRIVILEGED:
        raise EnvironmentProblem(
            f"{RANGE_VARIABLE} is {given!r}: give the first and the last port to choose from, as 20000-25999"
        )
    return chosen


def _is_free_soon(port: int) -> bool:
    """Whether the port is free, or becomes so while a killed process of ours is still being torn down."""
    deadline = time.monotonic() + _TEAR_DOWN_SECONDS
    while not is_free(port):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _read(file: Path) -> dict[str, int]:
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): int(port) for name, port in table.items()} if isinstance(table, dict) else {}
