"""Looks over the shoulder of every process of this machine for a secret in its arguments or environment."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PERIOD_SECONDS = 0.1


def forms(secret: str) -> tuple[bytes, ...]:
    """Return the secret as it is and in base64, at each of the three places where a longer text may hold it."""
    encoded = []
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + secret.encode())
        # The first and last four characters depend on the neighbours.
        encoded.append(text[4:-4])
    return (secret.encode(), *encoded)


def holders(folder: Path, secret: str) -> list[Path]:
    """Return the files below `folder` that hold the secret in any form."""
    wanted = forms(secret)
    found = []
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            if any(form in content for form in wanted):
                found.append(file)
    return found


class Sampler:
    """While its block runs, reads argv and environment of all processes again and again."""

    def __init__(self, secret: str) -> None:
        self._wanted = forms(secret)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: set[str] = set()
        """Processes that showed the secret, as `argv of COMMAND` or `environ of COMMAND`."""
        self.commands: set[str] = set()
        """Every program that was looked at."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_PERIOD_SECONDS):
            for entry in Path("/proc").iterdir():
                if entry.name.isdecimal():
                    self._look(entry)

    def _look(self, process: Path) -> None:
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            if name == "cmdline":
                command = content.replace(b"\0", b" ").decode(errors="replace").strip()
                self.commands.add(command)
            if any(form in content for form in self._wanted):
                self.seen.add(f"{name} of {process.name}")
