"""`./dev bench sizing --cases FILE`: how far the sizing engine is from what vLLM printed, next to other estimates."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from embedded.progress import Progress
from onprem_agents.catalog import load_catalog
from tools.bench.sizing_baselines import BASELINES
from tools.bench.sizing_fit import cross_validate
from tools.bench.sizing_rows import COLUMNS, COUNTED, ENGINE, MOST_TOLD, Run, errors_of, read_runs

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
        crossed = cross_validate(runs)
    if not crossed.left_out:
        console.print("no cross-validation: the runs with a pool come from fewer than two sources")
        return
    console.print(
        f"KV pool, share of GPU memory: median {_percent(crossed.fitted, 0.5)}, 90 % {_percent(crossed.fitted, 0.9)}; "
        f"with constants fitted to the other {crossed.sources - 1} sources: median "
        f"{_percent(crossed.left_out, 0.5)}, 90 % {_percent(crossed.left_out, 0.9)}"
    )


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


def _cell(values: Sequence[float]) -> str:
    return f"{_percent(values, 0.5)} / {_percent(values, 0.9)} ({len(values)})" if values else "–"


def _percent(values: Sequence[float], share: float) -> str:
    return f"{quantile(values, share):.1%}" if values else "–"
