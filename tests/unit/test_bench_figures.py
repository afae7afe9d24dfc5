"""What `./dev bench` makes of measured runs: medians, ratios to the empty program, slopes, verdicts."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.errors import OnpremError, UnknownFact
from tools.bench.command import bench
from tools.bench.figures import Comparison, Figures, Growth, Series, show, verdict
from tools.bench.usage import Usage, answer


def series(*seconds: float, resources: int = 0, what: str = "preview", peak_mib: float = 50.0) -> Series:
    runs = [Usage(seconds=one, cpu_seconds=one / 2, peak_mib=peak_mib) for one in seconds]
    return Series(what=what, resources=resources, runs=runs)


def growth(*, large: float) -> Growth:
    """Ten milliseconds a resource from 10 to 60 resources."""
    return Growth(
        small=series(1.0, 9.0, resources=10),
        middle=series(1.5, 9.0, resources=60),
        large=series(large, 9.0, resources=160),
        aim=1.5,
    )


FIGURES = Figures(
    comparisons=[
        Comparison(
            series=series(2.0, 2.4, 9.0, resources=28, what="preview with policies"),
            base=series(1.0, 0.8, 0.9),
            aim=3.0,
        )
    ],
    growth=[growth(large=2.5)],
    cores=2,
    load=(0.5, 1.5),
)


def test_a_comparison_is_the_ratio_of_medians() -> None:
    assert FIGURES.comparisons[0].ratio == pytest.approx(2.4 / 0.9)


def test_what_a_resource_costs_leaves_out_the_empty_program() -> None:
    assert FIGURES.comparisons[0].per_resource_ms == pytest.approx(1500 / 28), (
        "2.4 s less 0.9 s, 28 resources"
    )


def test_slopes_come_from_the_runs_that_computed_the_least() -> None:
    assert growth(large=2.5).slopes_ms == pytest.approx((5.0, 5.0)), "half of the wall time is CPU time"
    assert growth(large=2.5).ratio == pytest.approx(1.0)


@pytest.mark.parametrize(("large", "expected"), [(2.5, "met"), (3.1, "missed")])
def test_growth_is_linear_when_the_upper_slope_is_at_most_half_again_the_lower(
    large: float, expected: str
) -> None:
    found = growth(large=large)

    assert verdict(found.ratio, found.aim) == expected


def test_without_an_aim_there_is_no_verdict() -> None:
    assert verdict(9.0, None) == ""


def test_json_carries_aim_and_verdict() -> None:
    wire = FIGURES.to_wire()

    assert wire["comparisons"][0]["verdict"] == "met"
    assert wire["comparisons"][0]["aim"] == 3.0
    assert wire["growth"][0]["slopesMs"] == [5.0, 5.0]
    assert wire["growth"][0]["verdict"] == "met"
    assert wire["load"] == [0.5, 1.5]


def test_the_table_names_what_was_measured_and_the_verdict() -> None:
    console = Console(file=io.StringIO(), width=130)
    show(FIGURES, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()

    assert "preview with policies" in text
    assert "≤ 3 met" in text
    assert "then 5.0 CPU ms: ratio 1.00, aim ≤ 1.5 (linear): met" in text
    assert "2 cores, load 0.5 before and 1.5 after" in text


def test_an_unknown_measurement_is_told_with_those_that_there_are(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("bench")
    layout = Layout(checkout=folder, state=folder, cache=folder)

    with pytest.raises(UnknownFact, match="program"):
        bench(layout, ["porgram"], Progress())


def test_an_answer_is_found_beside_what_an_interpreter_says_at_its_end() -> None:
    lines = [
        "importing",
        "answer: 42",
        "Exception ignored in: <function BaseEventLoop.__del__>",
        "ValueError: -1",
    ]
    assert answer(lines) == "42"


@pytest.mark.parametrize("lines", [[], ["42"], ["answer: 1", "answer: 2"]])
def test_a_program_without_exactly_one_answer_is_an_error(lines: list[str]) -> None:
    with pytest.raises(OnpremError, match="answers; its last line"):
        answer(lines)
