"""vLLM's own planner and classes with settings told and with eyes, against the committed answers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.planner import told
from tests.planner.run import answers_of

pytestmark = pytest.mark.planner


@pytest.fixture(scope="module")
def answered(vllm_python: str, vllm_version: str) -> dict[str, Any]:
    """What vLLM says today, written down when ONPREM_WRITE_GOLDEN is set."""
    planned = {name: answers_of(vllm_python, "plan.py", asked) for name, asked in told.questions().items()}
    seeing = answers_of(vllm_python, "see.py", told.seeing_question())
    if os.environ.get("ONPREM_WRITE_GOLDEN"):
        told.write(vllm_version, datetime.now(tz=UTC).date().isoformat(), planned, seeing)
        told.committed.cache_clear()
    if vllm_version != told.committed()["vllm"]:
        pytest.skip(f"the committed answers are vLLM {told.committed()['vllm']}'s, this is {vllm_version}")
    return {"told": planned, "seeing": seeing}


def test_the_committed_answers_are_what_vllm_says(answered: dict[str, Any]) -> None:
    assert answered["told"] == told.committed()["told"]
    assert answered["seeing"] == told.committed()["seeing"]
