"""How `bench` shows a run: what comes in while it lasts, and the tables at its end."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from onprem_agents.cli.bench_told import SPREAD_COLUMNS, spreads, totals
from onprem_agents.cli.output import Output
from onprem_agents.probes.bench.bounds import Bound
from onprem_agents.probes.bench.figures import Figures
from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.sample import Sample

_LINE_SECONDS = 15.0
_NEWEST = 200
_MARKS = {True: "ok  ", False: "FAIL", None: "    "}


class Progress:
    """One line on standard error: redrawn each second on a terminal, else a new one every quarter of a minute."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._live = sys.stderr.isatty()
        self._console = Console(stderr=True, highlight=False)
        self._line = Live(console=self._console, refresh_per_second=4, transient=True)
        self._told = 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._line.stop()

    def say(self, text: str) -> None:
        """Show a sentence."""
        if self._live:
            self._line.update(Text(text))
        else:
            self._console.print(Text(text), soft_wrap=True)
        self._told = time.monotonic()

    def watch(self, seconds: float, samples: list[Sample]) -> None:
        """Show how far the run is."""
        if self._live or time.monotonic() - self._told >= _LINE_SECONDS:
            self.say(_so_far(seconds, self._seconds, samples))


def _so_far(seconds: float, whole: float, samples: Sequence[Sample]) -> str:
    good = [sample for sample in samples if sample.answer.ok]
    failed = len(samples) - len(good)
    newest = [value for one in good[-_NEWEST:] if (value := one.answer.first_seconds) is not None]
    first = f", first token after {statistics.median(newest):.2f} s (median)" if newest else ""
    state = f"{_clock(seconds)} of {_clock(whole)}" if seconds < whole else "waiting for the last rounds"
    return f"{state}: {len(good)} rounds answered, {failed} failed{first}; Ctrl-C ends it with what there is"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def show(run: Run, found: Figures, judged: Sequence[Bound], *, url: str, model: str) -> None:
    """Print the tables."""
    console = Output()
    load, source = run.load, run.load.profile.source
    ended = "" if run.ended == "time" else f", {run.ended}"
    console.print(
        Text(
            f"{model} at {url}: {load.sessions} sessions at once, {run.loaded_seconds / 60:.1f} minutes{ended}"
        ),
        soft_wrap=True,
    )
    console.print(
        Text(f"Sessions like those of {source.title} ({source.licence})", style="dim"), soft_wrap=True
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for column in SPREAD_COLUMNS:
        table.add_column(column, justify="right")
    for name, cells in spreads(found):
        table.add_row(Text(name), *cells)
    console.print(table)
    single = Table(box=None, pad_edge=False, show_header=False)
    for name, told in totals(found):
        single.add_row(Text(name), Text(told))
    console.print(single)
    for bound in judged:
        mark = _MARKS[bound.within]
        line = f"{mark} {bound.name}: {bound.measured}, {bound.bound} ({bound.by})"
        console.print(Text(line), soft_wrap=True)
        if bound.within is False:
            console.print(Text(f"     why:    {bound.why}\n     change: {bound.change}"), soft_wrap=True)
