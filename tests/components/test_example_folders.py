"""What every folder below `examples` has: a project, a README of one screen, a line in the list, tests that run it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.components.example_project import EXAMPLES

_ROOT = EXAMPLES.parent
_SCREEN_LINES = 60


@pytest.fixture(params=sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()))
def example(request: pytest.FixtureRequest) -> Path:
    return EXAMPLES / str(request.param)


def test_each_example_is_a_project_with_a_readme_of_one_screen(example: Path) -> None:
    readme = (example / "README.md").read_text(encoding="utf-8")

    assert (example / "Pulumi.yaml").is_file()
    assert len(readme.splitlines()) <= _SCREEN_LINES
    for heading in ("Run", "What you see", "Clean up"):
        assert f"\n## {heading}\n" in readme


@pytest.mark.parametrize("tier", ["components", "cluster"])
def test_each_example_has_a_test_in_both_tiers(example: Path, tier: str) -> None:
    tests = [
        file
        for file in (_ROOT / "tests" / tier).rglob("test_*.py")
        if f'"{example.name}"' in file.read_text()
    ]

    assert tests, f"no test below tests/{tier} names it"


def test_each_example_is_listed_where_one_looks_for_them(example: Path) -> None:
    assert f"({example.name}/README.md)" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "file",
    sorted(EXAMPLES.rglob("requirements.txt")),
    ids=lambda file: str(file.parent.relative_to(EXAMPLES)),
)
def test_requirements_ask_for_this_checkout_by_an_extra_that_it_has(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()

    (wanted,) = (line for line in lines if not line.startswith("#"))
    path, extra = wanted.removesuffix("]").split("[")
    project = (file.parent / path / "pyproject.toml").resolve()
    assert project == _ROOT / "pyproject.toml"
    assert extra in tomllib.loads(project.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
