"""The wheel that a user installs: whole, and a good neighbour of another distribution of a like name.

OnPrem.LLM (distribution `onprem`) has the same audience; once both had one import package and one command.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.layout import Layout
from onprem_agents import __version__

_NEIGHBOUR = "onprem==0.27.2"
_SOURCES = ("onprem_agents", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def _run(*command: str | Path, cwd: Path) -> str:
    """Run a command that finds nothing of this checkout by way of the environment, and return its output."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _pip(*words: str | Path, cwd: Path) -> str:
    return _run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words, cwd=cwd)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment that has this one's packages, but not the checkout that is installed here."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Environment:
        _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        environment = cls(folder=folder)
        # A path line adds the folder alone: what its own path files say, the checkout, stays out.
        (environment.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        return environment

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def install(self, wheel: Path) -> None:
        _pip("--python", self.folder / "bin" / "python", "install", "--no-deps", wheel, cwd=self.folder)

    def run(self, program: str, *words: str) -> str:
        return _run(self.folder / "bin" / program, *words, cwd=self.folder)

    def record(self, name: str) -> dict[Path, str]:
        """Return a distribution's files and the sums that its record states; those without a sum are left out."""
        (file,) = self.packages.glob(f"{name}-*.dist-info/RECORD")
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        return {(self.packages / path).resolve(): digest for path, digest, _ in rows if digest}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in _SOURCES:
        path = Layout.default().checkout / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", ".", cwd=source)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbour")
    try:
        _pip("download", "--no-deps", "--only-binary", ":all:", "--dest", ".", _NEIGHBOUR, cwd=folder)
    except AssertionError as error:
        pytest.skip(f"{_NEIGHBOUR} cannot be had from the package index: {str(error).splitlines()[-1]}")
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_brings_command_and_catalogue(wheel: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "venv")
    environment.install(wheel)

    assert environment.run("onprem-agents", "--version").split()[-1] == __version__
    assert "Qwen/Qwen3.6-27B" in environment.run("onprem-agents", "catalog", "--json")
    where = environment.run("python", "-c", "import onprem_agents; print(onprem_agents.__file__)")
    assert Path(where.strip()).is_relative_to(environment.folder), "the wheel's, not the checkout's"
    assert (environment.packages / "onprem_agents" / "py.typed").exists()


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours first", "theirs first"])
def test_beside_onprem_llm_neither_takes_a_file_or_a_command_of_the_other(
    wheel: Path, neighbour: Path, tmp_path: Path, ours_first: bool
) -> None:
    environment = Environment.make(tmp_path / "venv")
    for each in [wheel, neighbour] if ours_first else [neighbour, wheel]:
        environment.install(each)

    ours, theirs = environment.record("onprem_coding_agents"), environment.record("onprem")
    assert not ours.keys() & theirs.keys()
    for file, stated in (ours | theirs).items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).decode().rstrip("=")
        assert stated == f"sha256={digest}", f"{file} is as its distribution brought it"
    assert {file.name for file in ours if file.parent.name == "bin"} == {"onprem-agents"}
    assert {file.name for file in theirs if file.parent.name == "bin"} == {"onprem"}
    assert environment.run("onprem-agents", "--version").split()[-1] == __version__
    # Its own dependencies are not here, so its package is found and not run.
    found = "import importlib.util as i; print(i.find_spec('onprem').origin)"
    assert Path(environment.run("python", "-c", found).strip()).resolve() in theirs
