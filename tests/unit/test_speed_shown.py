"""A figure of speed is the same text wherever it stands, from the figure itself or from what JSON tells of it."""

from __future__ import annotations

import pytest

from onprem_agents.sizing.shown import gib, rate, wait


@pytest.mark.parametrize(
    ("figure", "text"), [(3.68, "3.7"), (9.96, "10"), (14.46, "14"), (73.2, "73"), (1234.0, "1,234")]
)
def test_a_rate_has_the_figures_that_it_is_worth(figure: float, text: str) -> None:
    assert rate(figure) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "under 0.1 s"),
        (0.0949, "under 0.1 s"),
        (0.1, "0.10 s"),
        (0.338, "0.34 s"),
        (5.31, "5.3 s"),
        (47.2, "47 s"),
        (2677.0, "45 min"),
        (8000.0, "2.2 h"),
    ],
)
def test_a_wait_has_the_figures_that_it_is_worth(seconds: float, text: str) -> None:
    assert wait(seconds) == text


def test_the_figure_and_its_rounded_value_of_json_are_told_alike() -> None:
    figures = [number / 1000 for number in range(20_000)]

    assert [rate(one) for one in figures] == [rate(round(one, 1)) for one in figures]
    assert [wait(one) for one in figures] == [wait(round(one, 2)) for one in figures]
    assert [gib(one) for one in figures] == [gib(round(one, 2)) for one in figures]
    assert gib(53.846) == "53.9"  # 53.85 in JSON
