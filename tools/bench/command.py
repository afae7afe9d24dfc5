"""`./dev bench`: measurements of the product, each next to something to compare it with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.errors import UnknownFact
from tools.bench.advise import measure_advise, show_advise
from tools.bench.figures import show
from tools.bench.gateway import measure_gateway
from tools.bench.gateway_figures import show_gateway
from tools.bench.policy import measure_policy, show_policy
from tools.bench.program import measure_program
from tools.bench.sizing import measure_sizing
from tools.bench.speed import show_speed, speed_wire


def program(layout: Layout, progress: Progress, *, as_json: bool, cases: Path | None) -> None:  # noqa: ARG001
    """Say what the Pulumi program costs, next to an empty one."""
    figures = measure_program(layout, progress)
    _tell(figures.to_wire(), lambda console: show(figures, console), as_json=as_json)


def advise(layout: Layout, progress: Progress, *, as_json: bool, cases: Path | None) -> None:  # noqa: ARG001
    """Say how long the search for models and hardware takes, and how fast the command line starts."""
    figures = measure_advise(layout, progress)
    _tell(figures.to_wire(), lambda console: show_advise(figures, console), as_json=as_json)


def gateway(layout: Layout, progress: Progress, *, as_json: bool, cases: Path | None) -> None:  # noqa: ARG001
    """Say what Envoy with the keys of 200 developers adds to requests and streams, and LiteLLM behind it."""
    figures = measure_gateway(layout, progress)
    _tell(figures.to_wire(), lambda console: show_gateway(figures, console), as_json=as_json)


def policy(layout: Layout, progress: Progress, *, as_json: bool, cases: Path | None) -> None:  # noqa: ARG001
    """Say how right the policies are about manifests in many styles, and what they cost."""
    figures = measure_policy(layout, progress)
    _tell(figures.to_wire(), lambda console: show_policy(figures, console), as_json=as_json)


def sizing(layout: Layout, progress: Progress, *, as_json: bool, cases: Path | None) -> None:  # noqa: ARG001
    """Say how far the sizing engine is from what vLLM printed, next to other estimates."""
    if cases is None:
        progress.note(
            "sizing: left out, runs with the figures that vLLM printed are no part of this repository; give a file "
            "of them: ./dev bench sizing --cases FILE.csv"
        )
        return
    measure_sizing(cases, progress)


def speed(layout: Layout, progress: Progress, *, as_json: bool, cases: Path | None) -> None:  # noqa: ARG001
    """Say how far expected speeds are from public measurements of decode and prefill."""
    _tell(speed_wire(), show_speed, as_json=as_json)


def _tell(wire: dict[str, Any], show_on: Callable[[Console], None], *, as_json: bool) -> None:
    """Print figures: their plain values as JSON, or by what draws them on a console."""
    if as_json:
        print(json.dumps(wire, indent=2))
        return
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    show_on(console)


_WIDTH = 130
"""Columns that the tables need; in a pipe there are 80 otherwise."""

BENCHES: Mapping[str, Callable[..., None]] = {
    "advise": advise,
    "gateway": gateway,
    "policy": policy,
    "program": program,
    "sizing": sizing,
    "speed": speed,
}


def bench(
    layout: Layout,
    names: Sequence[str],
    progress: Progress,
    *,
    as_json: bool = False,
    cases: Path | None = None,
) -> None:
    """Run the named measurements, all of them when none is named; raises `UnknownFact`.

    A missed aim is told, not an error: the figures depend on what else the machine does. `cases` is the file
    of runs that `sizing` is measured on.
    """
    for name in names:
        if name not in BENCHES:
            raise UnknownFact("measurement", name, BENCHES)
    for name in names or BENCHES:
        BENCHES[name](layout, progress, as_json=as_json, cases=cases)
