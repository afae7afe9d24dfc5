"""Finds binaries that are installed already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from embedded.toolchain.binary import Binary

_PROBE_SECONDS = 10.0
_VERSION = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)\.(\d+)")


def find(name: str, version: str, probe: Sequence[str], *, ignore: Sequence[Path]) -> Binary | None:
    """Return the first `name` on PATH that states the pinned major and minor version, else None.

    Folders below `ignore` and the running virtual environment are skipped: what lies there is ours, and its
    origin is known better elsewhere.
    """
    for candidate in _candidates(name, [*ignore, Path(sys.prefix)]):
        stated = _stated_version(candidate, probe)
        if stated is not None and stated.split(".")[:2] == version.split(".")[:2]:
            return Binary(name=name, version=stated, origin="path", path=candidate)
    return None


def _candidates(name: str, ignore: Sequence[Path]) -> Iterator[Path]:
    ignored = [folder.resolve() for folder in ignore]
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        if not entry:
            continue
        candidate = Path(entry) / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            real = candidate.resolve()
            if not any(real.is_relative_to(folder) or Path(entry) == folder / "bin" for folder in ignored):
                yield candidate


def _stated_version(binary: Path, probe: Sequence[str]) -> str | None:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        answer = subprocess.run(
            [str(binary), *probe],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout + answer.stderr)
    return ".".join(match.groups()) if match and answer.returncode == 0 else None
