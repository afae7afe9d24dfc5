"""`./dev bench`: measurements of the product, each next to something to compare it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from embedded.bench.sizing import measure_sizing
from embedded.layout import Layout
from embedded.progress import Progress
from onprem.errors import UnknownFact

Bench = Callable[[Layout, Progress], None]

BENCHES: Mapping[str, Bench] = {"sizing": measure_sizing}


def bench(layout: Layout, names: Sequence[str], progress: Progress) -> None:
    """Run the named measurements, all of them when none is named; raises `UnknownFact`."""
    for name in names:
        if name not in BENCHES:
            raise UnknownFact("measurement", name, BENCHES)
    for name in names or BENCHES:
        BENCHES[name](layout, progress)
