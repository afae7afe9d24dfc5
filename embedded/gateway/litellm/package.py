"""LiteLLM's Python package in an environment of its own: its requirements would not fit beside the product's."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.children import run_logged
from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.manifests.litellm import LITELLM

VERSION = LITELLM.image.rpartition(":")[2]
LOCK = Path(__file__).with_name("requirements.lock")
_WAIT_SECONDS = 600.0
# No dependencies: the lock file has them all, also the one that overrides.txt tells of.
_OPTIONS = (
    *("--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
    *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
)
_UNREACHABLE = ("Connection", "Retrying", "Temporary failure", "timed out", "Could not find a version")


def program(layout: Layout) -> Path:
    """Return where the program `litellm` is, or will be once it is installed."""
    return _folder(layout) / "bin" / "litellm"


def _folder(layout: Layout) -> Path:
    """Return the environment's folder; its name says what it was made from."""
    made_from = f"{sys.base_prefix} {sys.version}".encode() + LOCK.read_bytes()
    return layout.cache / "litellm" / f"{VERSION}-{hashlib.sha256(made_from).hexdigest()[:16]}"


def install(layout: Layout, progress: Progress) -> None:
    """Install LiteLLM from the package index into the user's cache if it is not there.

    An interrupted installation is done again from the start. Raises `EnvironmentProblem` with the log to read.
    """
    place = _folder(layout)
    done = place / "installed"
    lock = layout.cache / "litellm" / "lock"
    with hold(lock, command="installing LiteLLM", wait_seconds=_WAIT_SECONDS, on_wait=progress.note):
        if not done.exists():
            log = layout.logs / "install-litellm.log"
            title = f"install LiteLLM {VERSION} (once)"
            with progress.step(title, log=log) as step:
                shutil.rmtree(place, ignore_errors=True)
                log.unlink(missing_ok=True)
                _run(log, "-m", "venv", "--without-pip", str(place))
                pip = ("-m", "pip", "--python", str(place / "bin" / "python"), "install", *_OPTIONS)
                _run(log, *pip, "--requirement", str(LOCK), on_line=lambda line: step.update(_short(line)))
                step.update("")
            done.touch()


def _run(log: Path, *words: str, on_line: Callable[[str], None] | None = None) -> None:
    code = run_logged(
        [sys.executable, *words], cwd=LOCK.parent, env=dict(os.environ), log=log, on_line=on_line
    )
    if code != 0:
        raise EnvironmentProblem(_explanation(log))


def _short(line: str) -> str:
    return line.strip().partition(":")[0][:80]


def _explanation(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in text:
        return f"the disk is full; free some space and run the command again. Log: {log}"
    if "DO NOT MATCH" in text:
        return f"a downloaded package is not the one in {LOCK.name}; it was not installed. Log: {log}"
    if any(sign in text for sign in _UNREACHABLE):
        return (
            f"LiteLLM {VERSION} cannot be downloaded: check the network, or point pip at your own index "
            f"(PIP_INDEX_URL). Log: {log}"
        )
    told = [line.strip() for line in text.splitlines() if "error" in line.lower()]
    return f"LiteLLM {VERSION} cannot be installed: {told[-1][:300] if told else 'pip failed'}. Log: {log}"
