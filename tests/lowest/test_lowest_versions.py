"""The bounds in `pyproject.toml` are true: the fast tiers pass with the lowest versions that they allow."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.layout import Layout

_LOCK = "requirements.lowest.lock"
_PYTHON = (3, 11)
"""For which the file is compiled: the lowest versions of some have no wheel for later ones."""
_TIERS = ("unit", "policy", "components")


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment with the lowest versions, made once for each content of the lock file."""
    layout = Layout.default()
    base = sys.executable if sys.version_info[:2] == _PYTHON else shutil.which("python3.11")
    if base is None:
        pytest.skip("there is no python3.11 on PATH, for which the lowest versions are locked")
    lock = layout.checkout / _LOCK
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    environment = layout.cache / f"lowest-{digest}"
    python = environment / "bin" / "python"
    done = environment / "installed"
    if not done.exists():
        _run(base, "-m", "venv", "--clear", str(environment))
        # The file is complete; with dependencies pip would look at newer releases, whose sums are not in it.
        wheels = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock))
        _run(str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *wheels)
        done.touch()
    return python


def test_the_fast_tiers_pass_with_the_lowest_versions_that_are_allowed(python: Path) -> None:
    folders = [f"tests/{tier}" for tier in _TIERS]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider", "--tb=short", *folders],
        cwd=Layout.default().checkout,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def _run(*command: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
