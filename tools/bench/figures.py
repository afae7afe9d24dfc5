"""Series of measured runs, what they are compared with, and how both are shown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.bench.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Series:
    """The runs of one thing. `resources` counts what it declares, components included."""

    what: str
    resources: int
    runs: list[Usage] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def fastest_seconds(self) -> float:
        return min(run.seconds for run in self.runs)

    @property
    def slowest_seconds(self) -> float:
        return max(run.seconds for run in self.runs)

    @property
    def least_cpu_seconds(self) -> float:
        return min(run.cpu_seconds for run in self.runs)

    @property
    def peak_mib(self) -> float:
        """The largest of the runs."""
        return max(run.peak_mib for run in self.runs)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A series beside the empty program's in the same rounds; `aim` is the ratio of medians not to exceed."""

    series: Series
    base: Series
    aim: float | None = None

    @property
    def ratio(self) -> float:
        return self.series.seconds / self.base.seconds

    @property
    def per_resource_ms(self) -> float:
        """What each resource adds to the empty program, in milliseconds."""
        return (self.series.seconds - self.base.seconds) / self.series.resources * 1000


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The same at three sizes; `aim` is the largest ratio of the two slopes that counts as linear.

    Slopes are taken from the run that computed the least: other load on the machine only ever adds.
    """

    small: Series
    middle: Series
    large: Series
    aim: float

    @property
    def slopes_ms(self) -> tuple[float, float]:
        """CPU milliseconds for each resource more, in the lower and in the upper half."""
        return _slope_ms(self.small, self.middle), _slope_ms(self.middle, self.large)

    @property
    def ratio(self) -> float:
        lower, upper = self.slopes_ms
        return upper / lower


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything that one measurement found; `load` is the machine's load average before and after."""

    comparisons: Sequence[Comparison]
    growth: Sequence[Growth]
    cores: int
    load: tuple[float, float]

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "cores": self.cores,
            "load": list(self.load),
            "comparisons": [
                {
                    **_wire(one.series),
                    "emptyMedianSeconds": round(one.base.seconds, 3),
                    "emptyPeakMib": round(one.base.peak_mib),
                    "ratio": round(one.ratio, 2),
                    "perResourceMs": round(one.per_resource_ms, 1),
                    "aim": one.aim,
                    "verdict": verdict(one.ratio, one.aim),
                }
                for one in self.comparisons
            ],
            "growth": [_growth_wire(growth) for growth in self.growth],
        }


def verdict(value: float, aim: float | None) -> str:
    """Return `met`, `missed`, or nothing where no aim is set."""
    if aim is None:
        return ""
    return "met" if value <= aim else "missed"


def show(figures: Figures, console: Console) -> None:
    """Print the figures as tables with aims and verdicts."""
    table = Table(show_edge=False, title_justify="left")
    table.title = "seconds: fastest / median / slowest; MiB: peaks of all processes together"
    table.add_column("")
    for column in ("resources", "empty s", "local s", "MiB", "× empty", "aim", "ms a resource"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in figures.comparisons:
        aim = "" if one.aim is None else f"≤ {one.aim:g} {verdict(one.ratio, one.aim)}"
        table.add_row(
            *(one.series.what, str(one.series.resources), _span(one.base), _span(one.series)),
            f"{one.base.peak_mib:.0f} → {one.series.peak_mib:.0f}",
            *(f"{one.ratio:.2f}", aim, f"{one.per_resource_ms:.0f}"),
        )
    console.print(table)
    for growth in figures.growth:
        _show_growth(growth, console)
    before, after = figures.load
    console.print(
        f"{figures.cores} cores, load {before:.1f} before and {after:.1f} after; runs of one line and its "
        "base alternate, so the ratios hold on a busy machine better than the seconds do",
        soft_wrap=True,
    )


def _show_growth(growth: Growth, console: Console) -> None:
    for series in (growth.small, growth.middle, growth.large):
        console.print(
            f"{series.what}: {series.resources} resources, {_span(series)} s, "
            f"{series.least_cpu_seconds:.2f} CPU s, {series.peak_mib:.0f} MiB",
            soft_wrap=True,
        )
    lower, upper = growth.slopes_ms
    console.print(
        f"each resource more costs {lower:.1f} CPU ms, then {upper:.1f} CPU ms: ratio {growth.ratio:.2f}, "
        f"aim ≤ {growth.aim:g} (linear): {verdict(growth.ratio, growth.aim)}",
        soft_wrap=True,
    )


def _wire(series: Series) -> dict[str, Any]:
    return {
        "what": series.what,
        "resources": series.resources,
        "seconds": [round(run.seconds, 3) for run in series.runs],
        "cpuSeconds": [round(run.cpu_seconds, 3) for run in series.runs],
        "medianSeconds": round(series.seconds, 3),
        "peakMib": round(series.peak_mib),
    }


def _growth_wire(growth: Growth) -> dict[str, Any]:
    return {
        "series": [_wire(series) for series in (growth.small, growth.middle, growth.large)],
        "slopesMs": [round(slope, 1) for slope in growth.slopes_ms],
        "ratio": round(growth.ratio, 2),
        "aim": growth.aim,
        "verdict": verdict(growth.ratio, growth.aim),
    }


def _span(series: Series) -> str:
    return f"{series.fastest_seconds:.2f} / {series.seconds:.2f} / {series.slowest_seconds:.2f}"


def _slope_ms(lower: Series, upper: Series) -> float:
    more = upper.resources - lower.resources
    return (upper.least_cpu_seconds - lower.least_cpu_seconds) / more * 1000
