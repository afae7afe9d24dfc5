"""vLLM's own planner, run on the CPU, against the committed golden values and against our arithmetic."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.planner import golden
from tests.planner.run import answers_of

pytestmark = pytest.mark.planner


@pytest.fixture(scope="module")
def planned(vllm_python: str, vllm_version: str) -> dict[str, Any]:
    """All that vLLM's planner says today, written as the golden file when ONPREM_WRITE_GOLDEN is set."""
    answers = answers_of(vllm_python, "plan.py", golden.question())
    today = datetime.now(tz=UTC).date().isoformat()
    document = golden.document(vllm_version, today, answers)
    if os.environ.get("ONPREM_WRITE_GOLDEN"):
        golden.write(document)
        golden.committed.cache_clear()
    return document


def test_the_committed_values_are_what_vllm_says(planned: dict[str, Any]) -> None:
    committed = golden.committed()
    if planned["vllm"] != committed["vllm"]:
        pytest.skip(f"the committed values are vLLM {committed['vllm']}'s, this is {planned['vllm']}")
    assert planned["models"] == committed["models"]


def test_our_arithmetic_is_within_one_percent_of_this_vllm(planned: dict[str, Any]) -> None:
    off = [figure for figure in golden.figures(planned) if figure.difference > golden.LIMIT]
    assert off == [], f"{len(off)} figures are off, the first is {off[0]}"
