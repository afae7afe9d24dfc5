"""What `./dev bench advise` makes of measured rounds: medians, verdicts, and that each round searches everything."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tools.bench.advise import HELP, PYDANTIC, AdviseFigures, show_advise
from tools.bench.advise_once import (
    ALL_RANKINGS,
    ARGVS,
    CATALOGUE,
    FIRST_CHOICES,
    IMPORT,
    ONE_BY_ONE,
    ONE_MODEL,
    ONE_RANKING,
)
from tools.bench.usage import answer

pytestmark = pytest.mark.unit

FIGURES = AdviseFigures(
    seconds={
        HELP: [0.3, 0.2, 0.9],
        PYDANTIC: [0.1, 0.1, 0.4],
        ALL_RANKINGS: [0.4, 0.45, 2.0],
        ONE_BY_ONE: [0.2, 0.05, 1.0],
        ONE_MODEL: [0.004, 0.002, 0.01],
        CATALOGUE: [0.1, 0.1, 0.1],
        IMPORT: [0.2, 0.1, 0.05],
        ARGVS: [0.6, 0.25, 0.2],
    },
    cores=2,
    load=(0.5, 1.5),
)


def test_verdicts_are_of_the_medians() -> None:
    wire = FIGURES.to_wire()
    assert wire["search"] == {"medianSeconds": 0.45, "aim": 0.5, "verdict": "met"}
    assert wire["help"] == {"ratio": 3.0, "aim": 2.0, "verdict": "missed"}, "0.3 s next to 0.1 s"


def test_parts_are_compared_within_their_round() -> None:
    ratios = {part["what"]: (part["ratio"], part["verdict"]) for part in FIGURES.to_wire()["parts"]}
    assert ratios == {
        ALL_RANKINGS: (2.0, "met"),
        ONE_MODEL: (0.04, "met"),
        CATALOGUE: (1.0, "met"),
        ARGVS: (3.0, "missed"),
    }, "each the median of three ratios, not the ratio of two medians"


def test_what_is_printed_names_both_aims_and_the_load() -> None:
    console = Console(file=io.StringIO(), width=120)
    show_advise(FIGURES, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for told in (
        "0.45 s, aim ≤ 0.5: met",
        "3.00 × import pydantic, aim ≤ 2: missed",
        "2.00 × the same, every server sized on its own, aim ≤ 8: met",
        "load 0.5 before",
    ):
        assert told in text


def test_a_round_times_every_part_in_an_interpreter_of_its_own() -> None:
    argv = [sys.executable, "-m", "tools.bench.advise_once"]
    done = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    found = json.loads(answer(done.stdout.splitlines()))
    assert set(found) == {
        *(IMPORT, ONE_MODEL, CATALOGUE, ALL_RANKINGS, FIRST_CHOICES),
        *(ONE_RANKING, ONE_BY_ONE, ARGVS),
    }
    assert min(found.values()) > 0
