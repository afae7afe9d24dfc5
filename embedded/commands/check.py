"""`./dev check`: everything that can be said about the code without running the product."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from embedded.commands.dependencies import undeclared
from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.errors import OnpremError

# The house rule for a module: one noun, 350 lines at most.
_MAX_LINES = 350
# What is generated is read in its source; such a module says so where it begins.
_GENERATED = re.compile(r"Generated from ")
_HEAD_LINES = 5
_UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
_RELEASE = re.compile(r"^## \[?(\d+\.\d+\.\d+)", re.MULTILINE)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_CODE = ("onprem_agents", "components", "policy", "embedded", "scripted_model", "tools", "examples", "tests")

Check = Callable[[Layout], Iterator[str]]


def check(layout: Layout, progress: Progress) -> None:
    """Run every check and print what each finds; raises `OnpremError` when there is anything."""
    failed = []
    for title, look in CHECKS:
        try:
            with progress.step(title):
                _require_none(look(layout))
        except _Found as found:
            failed.append(title)
            print(found, flush=True)
    if failed:
        raise OnpremError(f"./dev check: {len(failed)} of {len(CHECKS)} failed: {', '.join(failed)}")


class _Found(Exception):
    """What a check found, one line each."""


def _require_none(found: Iterator[str]) -> None:
    lines = list(found)
    if lines:
        raise _Found("\n".join(lines))


def _tool(*arguments: str) -> Check:
    def run(layout: Layout) -> Iterator[str]:
        answer = subprocess.run(
            [sys.executable, *arguments],
            cwd=layout.checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            yield answer.stdout.rstrip()

    return run


def versions(layout: Layout) -> Iterator[str]:
    """Yield a sentence when package, module, policy pack and changelog do not state the same version."""
    project = tomllib.loads((layout.checkout / "pyproject.toml").read_text(encoding="utf-8"))
    package = project["project"]["version"]
    module = re.search(
        r'^__version__ = "(.+)"$',
        (layout.checkout / "onprem_agents" / "__init__.py").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    pack = yaml.safe_load((layout.checkout / "policy" / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    changelog = _RELEASE.search((layout.checkout / "CHANGELOG.md").read_text(encoding="utf-8"))
    stated = {
        "pyproject.toml": package,
        "onprem_agents/__init__.py": module[1] if module else "none",
        "policy/PulumiPolicy.yaml": str(pack.get("version")),
        "CHANGELOG.md (newest entry)": changelog[1] if changelog else "none",
    }
    if len(set(stated.values())) > 1:
        yield "versions differ: " + ", ".join(f"{file} says {version}" for file, version in stated.items())


def lock_files(layout: Layout) -> Iterator[str]:
    """Yield a sentence for each declared requirement that a lock file does not satisfy.

    requirements.lowest.lock must pin exactly the lower bound.
    """
    project = tomllib.loads((layout.checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        declared += extra
    for file in ("requirements.lock", "requirements.lowest.lock"):
        text = (layout.checkout / file).read_text(encoding="utf-8")
        pinned = {canonicalize_name(name): version for name, version in _PINNED.findall(text)}
        for line in declared:
            requirement = Requirement(line)
            version = pinned.get(canonicalize_name(requirement.name))
            lowest = "lowest" in file
            if version is None or version not in _wanted(requirement, lowest=lowest):
                yield (
                    f"{file} has {requirement.name} {version or 'not at all'}, pyproject.toml asks for {line}"
                    f"{' at its lowest' if lowest else ''}: compile it anew (see CONTRIBUTING.md)"
                )


def _wanted(requirement: Requirement, *, lowest: bool) -> SpecifierSet:
    if not lowest:
        return requirement.specifier
    bounds = (part.version for part in requirement.specifier if part.operator in {">=", "=="})
    return SpecifierSet(",".join(f"=={bound}" for bound in bounds))


def house_rules(layout: Layout) -> Iterator[str]:
    """Yield a sentence for each module that is too long or unfinished."""
    for file in _modules(layout.checkout):
        lines = file.read_text(encoding="utf-8").splitlines()
        name = file.relative_to(layout.checkout)
        if len(lines) > _MAX_LINES and not any(map(_GENERATED.match, lines[:_HEAD_LINES])):
            yield f"{name}: {len(lines)} lines, at most {_MAX_LINES}: split it"
        for number, line in enumerate(lines, start=1):
            if _UNFINISHED.search(line):
                yield f"{name}:{number}: unfinished: {line.strip()}"


def _modules(checkout: Path) -> Iterator[Path]:
    for folder in _CODE:
        yield from sorted((checkout / folder).rglob("*.py"))


CHECKS: tuple[tuple[str, Check], ...] = (
    ("lint (ruff check)", _tool("-m", "ruff", "check", "--quiet", ".")),
    ("format (ruff format --check)", _tool("-m", "ruff", "format", "--check", "--quiet", ".")),
    ("types (mypy --strict)", _tool("-m", "mypy", "--no-error-summary")),
    (
        "import contracts (import-linter)",
        _tool("-c", "from importlinter.cli import lint_imports_command as c; c()"),
    ),
    ("house rules", house_rules),
    ("versions", versions),
    ("lock files", lock_files),
    ("dependencies", lambda layout: undeclared(layout.checkout)),
    ("generated files", _tool("-m", "pytest", "-q", "-m", "", "tests/golden")),
)
