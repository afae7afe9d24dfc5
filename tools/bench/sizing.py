"""`./dev bench sizing --cases FILE`: how far the sizing engine is from what vLLM printed, next to other estimates."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from embedded.progress import Progress
from onprem_agents.catalog import load_catalog
from onprem_agents.sizing.constants import Constants
from onprem_agents.sizing.release import version_number
from tools.bench.sizing_aims import aims_of
from tools.bench.sizing_baselines import BASELINES
from tools.bench.sizing_fit import constants_without
from tools.bench.sizing_rows import COLUMNS, COUNTED, ENGINE, MOST_TOLD, Run, errors_of, read_runs

# vLLM since it counts CUDA graphs; an untold release is none of these.
_RECENT, _OLDEST = (0, 20), (0, 0)

_Errors = dict[tuple[str, str, str], list[float]]


def measure_sizing(path: Path, progress: Progress) -> None:
    """Print errors by column, family and precision, and the cross-validation; name the rows that are left out.

    Raises `InvalidInput` when no row can be compared.
    """
    with progress.step("read the runs"):
        runs, unread = read_runs(path, load_catalog())
    console = Console(highlight=False, width=120)
    console.print(f"{len(runs)} of {len(runs) + len(unread)} rows compared")
    for row in unread[:MOST_TOLD]:
        progress.note(f"left out: {row}")
    if len(unread) > MOST_TOLD:
        progress.note(f"left out: {len(unread) - MOST_TOLD} more rows")
    console.print(_table("all runs", runs, lambda _: "all", (ENGINE, COUNTED, *BASELINES)))
    console.print(_table("by family", runs, lambda run: run.family, (ENGINE,)))
    console.print(_table("by precision", runs, lambda run: run.precision, (ENGINE,)))
    with progress.step("fit the constants without each source in turn"):
        without = constants_without(runs)
    if not without:
        console.print("no cross-validation: the runs with a pool come from fewer than two sources")
    console.print(_aims("aims, all runs", runs, without))
    recent = [run for run in runs if (version_number(run.request.vllm) or _OLDEST) >= _RECENT]
    if recent:
        console.print(_aims("aims, vLLM 0.20 and newer", recent, without))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies; the median as it is usually taken."""
    if share == 0.5:  # noqa: PLR2004 - the median
        return statistics.median(values)
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _table(title: str, runs: Iterable[Run], key: Callable[[Run], str], estimators: Sequence[str]) -> Table:
    errors: _Errors = defaultdict(list)
    for run in runs:
        for estimator, column, error in errors_of(run):
            errors[key(run), estimator, column].append(error)
    table = Table(title=f"{title}: median / 90 % (runs)", show_edge=False, title_justify="left")
    for name in ("", "estimate", *COLUMNS):
        table.add_column(name, justify="left" if name in ("", "estimate") else "right")
    for group in sorted({group for group, _, _ in errors}):
        for estimator in estimators:
            cells = [_cell(errors.get((group, estimator, column), [])) for column in COLUMNS]
            table.add_row(group, estimator, *cells)
    return table


def _aims(title: str, runs: Sequence[Run], without: Mapping[str, Constants]) -> Table:
    """Return what the engine is held to; beside it the sources that its constants and weights were not taken from."""
    table = Table(title=f"{title} ({len(runs)})", show_edge=False, title_justify="left")
    for name in ("", "aim", "is", "", "source left out, weights counted"):
        table.add_column(name, justify="left" if not name else "right")
    for one in aims_of(runs, without):
        left_out = "–" if one.left_out is None else f"{one.left_out:.1%}"
        value = "–" if one.value is None else f"{one.value:.1%}"
        bound = f"{'≥' if one.at_least else '≤'} {one.aim:.1%}"
        table.add_row(one.name, bound, value, "✓" if one.is_met else "missed", left_out)
    return table


def _cell(values: Sequence[float]) -> str:
    return f"{_percent(values, 0.5)} / {_percent(values, 0.9)} ({len(values)})" if values else "–"


def _percent(values: Sequence[float], share: float) -> str:
    return f"{quantile(values, share):.1%}" if values else "–"
