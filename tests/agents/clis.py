"""The agents' own command lines, at pinned versions, installed once into the user's cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.lock import hold

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")
_LIMIT_SECONDS = 600
# What these packages run after their installation, to put their binary in place; other scripts stay off.
_AFTERWARDS = ("opencode-ai/postinstall.mjs", "@anthropic-ai/claude-code/install.cjs")


def installed(layout: Layout) -> Path:
    """Return the folder with `opencode`, `codex` and `claude`; skips the test where npm is missing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node are missing: install Node.js 20 or later")
    digest = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    folder = layout.cache / "agents" / digest
    done = folder / "installed"
    with hold(layout.cache / "agents" / "lock", command="installing the agents", wait_seconds=_LIMIT_SECONDS):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in _FILES:
                shutil.copy(_HERE / name, folder)
            # Not `npm ci`: it wants every optional package of every platform in the lock file.
            _run(folder, npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
            for script in _AFTERWARDS:
                _run(folder, "node", str(folder / "node_modules" / script))
            done.touch()
    return folder / "node_modules" / ".bin"


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
