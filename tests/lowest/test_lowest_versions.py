"""The bounds in `pyproject.toml` are true: the fast tiers pass with the lowest versions that they allow."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.lock import hold

_LOCK = "requirements.lowest.lock"
_PYTHON = (3, 11)
"""For which the file is compiled: the lowest versions of some have no wheel for later ones."""
_TIERS = ("unit", "policy", "components")
_WAIT_SECONDS = 1800.0


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """The interpreter of an environment with the lowest versions, made once for each content of the lock file."""
    layout = Layout.default()
    base = sys.executable if sys.version_info[:2] == _PYTHON else shutil.which("python3.11")
    if base is None:
        pytest.skip("there is no python3.11 on PATH, for which the lowest versions are locked")
    lock = layout.checkout / _LOCK

    def make(folder: Path) -> None:
        _run(base, "-m", "venv", "--clear", str(folder))
        # The file is complete; with dependencies pip would look at newer releases, whose sums are not in it.
        wheels = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input")
        _run(*pip, "install", *wheels)

    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    with _environment(layout.cache, digest, make) as folder:
        yield folder / "bin" / "python"


@contextmanager
def _environment(cache: Path, digest: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Give the folder that `make` fills, once, and keep other checkouts off it meanwhile; older ones go."""
    with hold(cache / "lowest.lock", command="the tier lowest", wait_seconds=_WAIT_SECONDS):
        folder = cache / f"lowest-{digest}"
        done = folder / "installed"
        if not done.exists():
            make(folder)
            done.touch()
        for other in cache.glob("lowest-*"):
            if other != folder:
                shutil.rmtree(other)
        yield folder


def test_two_checkouts_take_turns_and_make_the_environment_once(tmp_path: Path) -> None:
    old = tmp_path / "lowest-old"
    old.mkdir()
    made: list[Path] = []
    inside: list[int] = []

    def make(folder: Path) -> None:
        made.append(folder)
        folder.mkdir()

    def work() -> None:
        with _environment(tmp_path, "new", make) as folder:
            inside.append(1)
            assert folder.is_dir()
            threading.Event().wait(0.3)
            inside.append(-1)

    checkouts = [threading.Thread(target=work) for _ in range(2)]
    for checkout in checkouts:
        checkout.start()
    for checkout in checkouts:
        checkout.join(30)

    assert made == [tmp_path / "lowest-new"]
    assert inside == [1, -1, 1, -1], "one at a time"
    assert not old.exists()


def test_an_environment_that_was_not_finished_is_made_again(tmp_path: Path) -> None:
    def broken(folder: Path) -> None:
        folder.mkdir()
        raise OSError("the network went away")

    with pytest.raises(OSError, match="went away"), _environment(tmp_path, "new", broken):
        pytest.fail("half an environment is given away")

    made: list[Path] = []
    with _environment(tmp_path, "new", made.append):
        assert made == [tmp_path / "lowest-new"]


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
