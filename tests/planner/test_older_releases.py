"""The planners of older vLLM releases, run on the CPU, against the committed answers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from onprem_agents.errors import EnvironmentProblem
from tests.planner import releases
from tests.planner.run import answers_of
from tests.planner.wheels import python_files

pytestmark = pytest.mark.planner


def _answers(python: str, release: str) -> list[dict[str, Any]]:
    try:
        folder = python_files(release)
    except EnvironmentProblem as problem:
        pytest.skip(f"the wheel of vLLM {release} is not here: {problem}")
    return answers_of(python, "plan.py", releases.question(release, folder))


@pytest.fixture(scope="module")
def answered(vllm_python: str) -> dict[str, list[dict[str, Any]]]:
    """What each older planner says today, written down when ONPREM_WRITE_GOLDEN is set."""
    answers = {release: _answers(vllm_python, release) for release in releases.RELEASES}
    if os.environ.get("ONPREM_WRITE_GOLDEN"):
        releases.write(datetime.now(tz=UTC).date().isoformat(), answers)
        releases.committed.cache_clear()
    return answers


@pytest.mark.parametrize("release", releases.RELEASES)
def test_the_committed_answers_are_what_the_release_says(
    answered: dict[str, list[dict[str, Any]]], release: str
) -> None:
    assert answered[release] == releases.committed()["releases"][release]
