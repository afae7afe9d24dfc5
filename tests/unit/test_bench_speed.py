"""Expected speeds next to public measurements: within the aim, and as docs/sizing.md says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from onprem_agents.catalog import load_catalog
from tools.bench.speed import AIM, predict, scores, show_speed, table_rows
from tools.bench.speed_cases import read_speed_cases

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_the_median_error_is_within_the_aim_on_both_halves() -> None:
    found = scores()
    assert set(found) == {("decode", False), ("decode", True), ("prefill", False), ("prefill", True)}
    assert sum(one.count for one in found.values()) >= 30
    for group, one in found.items():
        assert one.median_error <= AIM, group


def test_an_unknown_gpu_and_drafted_tokens_are_not_predicted() -> None:
    catalog = load_catalog()
    left_out = [case for case in read_speed_cases() if case.kind != "load" and predict(case, catalog) is None]
    known = {gpu.name for gpu in catalog.accelerators}
    assert left_out
    assert all(case.speculative_tokens or case.gpu not in known for case in left_out)


def test_the_page_has_the_table_as_it_is_measured() -> None:
    page = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    for row in table_rows():
        assert f"| {' | '.join(row)} |" in page


def test_the_scores_are_shown_with_their_aim() -> None:
    console = Console(file=io.StringIO(), width=120)
    show_speed(console)
    assert isinstance(console.file, io.StringIO)
    assert "aim: a median error of at most 25%" in console.file.getvalue()
