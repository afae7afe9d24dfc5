"""`./dev bench advise`: how long the search for models and hardware takes, and how fast the command line starts."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from embedded.layout import Layout
from embedded.progress import Progress
from tools.bench.advise_once import ALL_RANKINGS, ARGVS, CATALOGUE, IMPORT, ONE_BY_ONE, ONE_MODEL
from tools.bench.figures import verdict
from tools.bench.usage import answer, measured

# The aims of the product: seconds of the whole search once everything is imported, and the start of
# `onprem-agents --help` as a ratio to importing pydantic in the same rounds.
_SEARCH_AIM_SECONDS = 0.5
_HELP_AIM = 2.0

# Processor time of one part as a ratio to another part of the same round: a busy machine changes both.
_PART_AIMS = (
    (ALL_RANKINGS, ONE_BY_ONE, 8.0),
    (ONE_MODEL, CATALOGUE, 0.5),
    (CATALOGUE, IMPORT, 1.5),
    (ARGVS, IMPORT, 2.0),
)

HELP, PYDANTIC, COMMAND = (
    "onprem-agents --help",
    "import pydantic",
    "onprem-agents advise --gpu L40S --count 4",
)
_MAIN = ("-c", "from onprem_agents.cli import main; main()")
_COMMANDS = {
    PYDANTIC: ("-c", "import pydantic"),
    HELP: (*_MAIN, "--help"),
    COMMAND: (*_MAIN, "advise", "--gpu", "L40S", "--count", "4", "--developers", "20"),
}


@dataclass(frozen=True, kw_only=True)
class AdviseFigures:
    """Seconds of each round by what was measured, those inside the search of processor time.

    `load` is the machine's load average before and after.
    """

    seconds: Mapping[str, Sequence[float]]
    cores: int
    load: tuple[float, float]

    @property
    def search_seconds(self) -> float:
        """The median of ranking the whole catalogue for every accelerator × 1 to 8."""
        return statistics.median(self.seconds[ALL_RANKINGS])

    @property
    def help_ratio(self) -> float:
        """`onprem-agents --help` next to the import of pydantic, by medians."""
        return statistics.median(self.seconds[HELP]) / statistics.median(self.seconds[PYDANTIC])

    def part_ratio(self, what: str, base: str) -> float:
        """The median of the ratio of two parts within each round."""
        pairs = zip(self.seconds[what], self.seconds[base], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "cores": self.cores,
            "load": list(self.load),
            "seconds": {what: [round(one, 4) for one in rounds] for what, rounds in self.seconds.items()},
            "search": {
                "medianSeconds": round(self.search_seconds, 4),
                "aim": _SEARCH_AIM_SECONDS,
                "verdict": verdict(self.search_seconds, _SEARCH_AIM_SECONDS),
            },
            "help": {
                "ratio": round(self.help_ratio, 2),
                "aim": _HELP_AIM,
                "verdict": verdict(self.help_ratio, _HELP_AIM),
            },
            "parts": [
                {
                    "what": what,
                    "base": base,
                    "ratio": round(self.part_ratio(what, base), 3),
                    "aim": aim,
                    "verdict": verdict(self.part_ratio(what, base), aim),
                }
                for what, base, aim in _PART_AIMS
            ],
        }


def measure_advise(layout: Layout, progress: Progress, *, rounds: int = 10) -> AdviseFigures:
    """Measure `rounds` times, each in a fresh interpreter, in turn. Raises `OnpremError` naming the log."""
    before = os.getloadavg()[0]
    log = layout.logs / "bench-advise.log"
    seconds: dict[str, list[float]] = {what: [] for what in _COMMANDS}
    for number in range(1, rounds + 1):
        with progress.step(f"search and start: round {number} of {rounds}"):
            for what, words in _COMMANDS.items():
                usage = measured([sys.executable, *words], cwd=layout.checkout, env=os.environ, log=log)
                seconds[what].append(usage.seconds)
            for part, took in _search(layout, log).items():
                seconds.setdefault(part, []).append(took)
    return AdviseFigures(seconds=seconds, cores=os.cpu_count() or 1, load=(before, os.getloadavg()[0]))


def _search(layout: Layout, log: Path) -> Mapping[str, float]:
    lines: list[str] = []
    argv = [sys.executable, "-m", "tools.bench.advise_once"]
    measured(argv, cwd=layout.checkout, env=os.environ, log=log, on_line=lines.append)
    found: dict[str, float] = json.loads(answer(lines))
    return found


def show_advise(figures: AdviseFigures, console: Console) -> None:
    """Print the figures with aims and verdicts."""
    table = Table("", "fastest s", "median s", "slowest s", show_edge=False)
    for what, rounds in figures.seconds.items():
        table.add_row(what, f"{min(rounds):.3f}", f"{statistics.median(rounds):.3f}", f"{max(rounds):.3f}")
    console.print(table)
    search, ratio = figures.search_seconds, figures.help_ratio
    console.print(
        f"all rankings: {search:.2f} s, aim ≤ {_SEARCH_AIM_SECONDS:g}: {verdict(search, _SEARCH_AIM_SECONDS)}"
    )
    console.print(f"{HELP}: {ratio:.2f} × {PYDANTIC}, aim ≤ {_HELP_AIM:g}: {verdict(ratio, _HELP_AIM)}")
    for what, base, aim in _PART_AIMS:
        part = figures.part_ratio(what, base)
        console.print(f"{what}: {part:.2f} × {base}, aim ≤ {aim:g}: {verdict(part, aim)}")
    before, after = figures.load
    console.print(f"{figures.cores} cores, load {before:.1f} before and {after:.1f} after")
