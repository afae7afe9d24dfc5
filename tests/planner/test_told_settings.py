"""vLLM's own planner and classes with settings told and with eyes, against the committed answers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.errors import EnvironmentProblem
from tests.planner import told
from tests.planner.run import answers_of
from tests.planner.wheels import python_files

pytestmark = pytest.mark.planner


def _files(release: str) -> Path:
    try:
        return python_files(release)
    except EnvironmentProblem as problem:
        pytest.skip(f"the wheel of vLLM {release} is not here: {problem}")


@pytest.fixture(scope="module")
def answered(vllm_python: str, vllm_version: str) -> dict[str, Any]:
    """What vLLM says today, written down when ONPREM_WRITE_GOLDEN is set."""
    planned = {name: answers_of(vllm_python, "plan.py", asked) for name, asked in told.questions().items()}
    seeing = answers_of(vllm_python, "see.py", told.seeing_question())
    before = {
        release: answers_of(vllm_python, "see.py", told.seeing_question(_files(release)))
        for release in told.SEEING_ELSEWHERE
    }
    if os.environ.get("ONPREM_WRITE_GOLDEN"):
        told.write(vllm_version, datetime.now(tz=UTC).date().isoformat(), planned, seeing, before)
        told.committed.cache_clear()
    if vllm_version != told.committed()["vllm"]:
        pytest.skip(f"the committed answers are vLLM {told.committed()['vllm']}'s, this is {vllm_version}")
    return {"told": planned, "seeing": seeing, "seeing_elsewhere": before}


def test_the_committed_answers_are_what_vllm_says(answered: dict[str, Any]) -> None:
    assert answered["told"] == told.committed()["told"]
    assert answered["seeing"] == told.committed()["seeing"]
    assert answered["seeing_elsewhere"] == told.committed()["seeing_elsewhere"]
