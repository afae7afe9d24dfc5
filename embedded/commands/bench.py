"""`./dev bench`: measurements of the product, each next to something to compare it with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from embedded.bench.figures import Figures, show
from embedded.bench.program import measure_program
from embedded.layout import Layout
from embedded.progress import Progress
from onprem.errors import UnknownFact

Bench = Callable[[Layout, Progress], Figures]

_WIDTH = 130
"""Columns that the tables need; in a pipe there are 80 otherwise."""

BENCHES: Mapping[str, Bench] = {"program": measure_program}


def bench(layout: Layout, names: Sequence[str], progress: Progress, *, as_json: bool = False) -> None:
    """Run the named measurements, all of them when none is named; raises `UnknownFact`.

    A missed aim is told, not an error: the figures depend on what else the machine does.
    """
    for name in names:
        if name not in BENCHES:
            raise UnknownFact("measurement", name, BENCHES)
    found = {name: BENCHES[name](layout, progress) for name in names or BENCHES}
    if as_json:
        print(json.dumps({name: figures.to_wire() for name, figures in found.items()}, indent=2))
        return
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    for figures in found.values():
        show(figures, console)
