"""A recipe of CONTRIBUTING.md as steps that can be taken on a copy of the repository, and one left out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
# What a check reads; compiled modules come along, so that a copy starts as fast as its original.
_COPIED = (
    *("onprem_agents", "components", "policy", "embedded", "scripted_model", "tools"),
    *("tests", "stacks", "docs", "examples"),
    *("pyproject.toml", "Pulumi.yaml", "__main__.py", "setup.py", "requirements.lock"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"),
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One file or folder to touch. `path` is as CONTRIBUTING.md names it; `take` does it on a copy."""

    path: str
    take: Callable[[Path], None]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A heading of CONTRIBUTING.md, its steps in order, and the tests that notice a forgotten one, quick ones first."""

    heading: str
    steps: tuple[Step, ...]
    checks: tuple[str, ...]


def new(path: str, text: str) -> Callable[[Path], None]:
    """Return the writing of a new file."""

    def take(copy: Path) -> None:
        file = copy / path
        if file.exists():
            raise AssertionError(f"{path} is there already")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return take


def edited(path: str, *changes: tuple[str, str]) -> Callable[[Path], None]:
    """Return the replacement of texts in a file, each of which stands there exactly once."""

    def take(copy: Path) -> None:
        text = (copy / path).read_text(encoding="utf-8")
        for old, fresh in changes:
            if text.count(old) != 1:
                raise AssertionError(f"{path} has {text.count(old)} places for {old!r}: mend this walk")
            text = text.replace(old, fresh)
        (copy / path).write_text(text, encoding="utf-8")

    return take


def generated(*tests: str) -> Callable[[Path], None]:
    """Return the writing of generated files by the tests that compare them."""

    def take(copy: Path) -> None:
        _pytest(copy, tests, {"ONPREM_WRITE_GOLDEN": "1"})

    return take


def copied(folder: Path) -> Path:
    """Return a copy of the repository in a folder."""
    copy = folder / "repository"
    copy.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name)
        elif source.exists():
            shutil.copy2(source, copy / name)
    return copy


def check(copy: Path, recipe: Recipe) -> subprocess.CompletedProcess[str]:
    """Run the tests that a recipe names."""
    return _pytest(copy, recipe.checks, {})


def written(heading: str) -> tuple[list[str], list[str]]:
    """Return the paths of a recipe's numbered steps, and the tests that it names after them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    if section is None:
        raise AssertionError(f"CONTRIBUTING.md has no recipe {heading!r}")
    steps = re.findall(r"^\d+\. `([^`]+)`", section[1], re.MULTILINE)
    told = re.search(r"^Noticed by (.*?)(?=\n\n|\Z)", section[1].rstrip(), re.MULTILINE | re.DOTALL)
    return steps, re.findall(r"`(tests/[^`]+)`", told[1] if told else "")


def headings() -> list[str]:
    """Return the headings of all recipes."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    return re.findall(r"^### (.+)$", section, re.MULTILINE)


def _pytest(copy: Path, tests: tuple[str, ...], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONPREM_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-m", "", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env=environment | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
