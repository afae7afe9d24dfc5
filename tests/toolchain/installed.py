"""Wheels, and environments in which they are installed as a user has them, without this checkout."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

from embedded.layout import Layout

_BESIDE_PACKAGES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that finds nothing of this checkout by way of the environment, and return its output."""
    done = _done(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _done(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command,
        cwd=cwd,
        env=own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def pip(*words: str | Path, cwd: Path) -> str:
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words, cwd=cwd)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment that has this one's packages, but not the checkout that is installed here."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *, without: tuple[str, ...] = ()) -> Environment:
        """Make one; `without` are the beginnings of the names that it lacks."""
        run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        environment = cls(folder=folder)
        lent = Path(sysconfig.get_path("purelib"))
        if not without:
            # A path line adds the folder alone: what its own path files say, the checkout, stays out.
            (environment.packages / "borrowed.pth").write_text(f"{lent}\n")
            return environment
        for entry in lent.iterdir():
            if not entry.name.startswith(without) and entry.suffix != ".pth":
                (environment.packages / entry.name).symlink_to(entry)
        return environment

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def install(self, wheel: Path) -> None:
        pip("--python", self.folder / "bin" / "python", "install", "--no-deps", wheel, cwd=self.folder)

    def run(self, program: str, *words: str | Path) -> str:
        return run(self.folder / "bin" / program, *words, cwd=self.folder)

    def fail(self, program: str, *words: str | Path) -> str:
        """Run a program that must fail, and return what it says on stderr."""
        done = _done(self.folder / "bin" / program, *words, cwd=self.folder)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def record(self, name: str) -> dict[Path, str]:
        """Return a distribution's files and the sums that its record states; those without a sum are left out."""
        (file,) = self.packages.glob(f"{name}-*.dist-info/RECORD")
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        return {(self.packages / path).resolve(): digest for path, digest, _ in rows if digest}


def copy_sources(folder: Path) -> Path:
    """Copy what a distribution is made of, so that a build leaves nothing in the checkout."""
    checkout = Layout.default().checkout
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    for name in project["tool"]["setuptools"]["package-dir"].values():
        shutil.copytree(checkout / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _BESIDE_PACKAGES:
        shutil.copy(checkout / name, folder / name)
    return folder


def build_wheel(source: Path) -> Path:
    """Build the wheel of a folder or an archive of sources."""
    folder = source if source.is_dir() else source.parent
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels", source, cwd=folder)
    (built,) = (folder / "wheels").glob("*.whl")
    return built
