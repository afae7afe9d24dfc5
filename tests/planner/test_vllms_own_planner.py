"""vLLM's own planner, run on the CPU, against the committed golden values and against our arithmetic."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.planner import golden

pytestmark = pytest.mark.planner

_LIMIT_SECONDS = 3600


@pytest.fixture(scope="module")
def planned(vllm_python: str, vllm_version: str) -> dict[str, Any]:
    """All that vLLM's planner says today, written as the golden file when ONPREM_WRITE_GOLDEN is set."""
    done = subprocess.run(
        [vllm_python, str(Path(__file__).with_name("plan.py"))],
        input=json.dumps(golden.question()),
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
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
