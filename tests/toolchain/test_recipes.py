"""The recipes of CONTRIBUTING.md: with all steps their checks pass, with any one left out something fails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolchain.recipes import agent, component, example, model, release, rule, setting
from tests.toolchain.recipes.walking import Recipe, check, copied, headings, written

RECIPES: tuple[Recipe, ...] = (
    model.RECIPE,
    rule.RECIPE,
    component.RECIPE,
    example.RECIPE,
    agent.RECIPE,
    release.RECIPE,
    setting.RECIPE,
)
# pytest's exit codes for a test that failed, and for a test and a conftest that could not be imported.
_NOTICED = (1, 2, 4)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    yield copied(tmp_path)
    shutil.rmtree(tmp_path)


def test_each_recipe_is_walked_and_each_walk_is_a_recipe() -> None:
    assert [recipe.heading for recipe in RECIPES] == headings()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.heading)
def test_a_recipe_names_the_steps_that_are_walked_and_the_checks_that_notice(recipe: Recipe) -> None:
    assert written(recipe.heading) == ([step.path for step in recipe.steps], list(recipe.checks))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.heading)
def test_with_all_steps_the_checks_pass(recipe: Recipe, copy: Path) -> None:
    for step in recipe.steps:
        step.take(copy)

    answer = check(copy, recipe)

    assert answer.returncode == 0, answer.stdout[-4000:]


@pytest.mark.parametrize(
    ("recipe", "left_out"),
    [
        pytest.param(recipe, number, id=f"{recipe.heading} without {step.path}")
        for recipe in RECIPES
        for number, step in enumerate(recipe.steps)
    ],
)
def test_a_step_that_is_left_out_is_noticed(recipe: Recipe, left_out: int, copy: Path) -> None:
    for number, step in enumerate(recipe.steps):
        if number != left_out:
            step.take(copy)

    answer = check(copy, recipe)

    assert answer.returncode in _NOTICED, f"nothing noticed that it is missing:\n{answer.stdout[-4000:]}"
    assert "file or directory not found" not in answer.stderr, "a check that is not there notices nothing"
