"""The fitted constants tried on sources they were not fitted to: one source left out at a time."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from onprem_agents.sizing.constants import CONSTANTS, Constants
from onprem_agents.sizing.overhead import overhead
from onprem_agents.sizing.weights import weights_of
from tools.bench.sizing_rows import Run

# Each constant is tried at these multiples of its value, twice around: enough to move to where the logs want it.
_STEPS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
_ROUNDS = 2
_MOST = 0.05


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """Errors of the KV pool as a share of GPU memory; `left_out` with constants fitted to the other sources."""

    sources: int
    fitted: tuple[float, ...]
    left_out: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class _Point:
    """A run and what it tells of the overhead, in GiB: all of it (budget less weights and pool) and its parts."""

    run: Run
    total_gib: float | None
    weights_missed_gib: float = 0.0

    def error(self, constants: Constants) -> float:
        missed = overhead(self.run.request, constants).total_gib - (self.total_gib or 0.0)
        return abs(missed + self.weights_missed_gib) / self.run.request.accelerator.total_gib

    def errors(self, constants: Constants) -> Iterator[float]:
        said, run = overhead(self.run.request, constants), self.run
        pairs = (
            (said.total_gib, self.total_gib),
            (said.graphs_gib, run.graphs_gib),
            (said.activation_gib, run.activation_gib),
            (said.non_torch_gib, run.non_torch_gib),
        )
        for told, printed in pairs:
            if printed is not None:
                yield abs(told - max(0.0, printed)) / run.request.accelerator.total_gib


def cross_validate(runs: Sequence[Run]) -> CrossValidation:
    """Fit the constants without each source in turn and return how far its pools are then missed."""
    points = [_point(run) for run in runs if not run.request.rules.is_v0]
    pools = [point for point in points if point.total_gib is not None]
    sources = sorted({point.run.source for point in pools})
    left_out: list[float] = []
    for source in sources if len(sources) > 1 else ():
        constants = _fitted([point for point in points if point.run.source != source])
        left_out += [point.error(constants) for point in pools if point.run.source == source]
    return CrossValidation(
        sources=len(sources),
        fitted=tuple(point.error(CONSTANTS) for point in pools),
        left_out=tuple(left_out),
    )


def _point(run: Run) -> _Point:
    if run.pool_gib is None or not run.told_utilization:
        return _Point(run=run, total_gib=None)
    counted_gib = weights_of(run.request).gib
    weights_gib = run.load_gib or counted_gib
    return _Point(
        run=run,
        total_gib=run.request.budget_gib - weights_gib - run.pool_gib,
        weights_missed_gib=counted_gib - weights_gib,
    )


def _fitted(points: Sequence[_Point]) -> Constants:
    """Return the constants with the least median error, each moved in turn."""
    best, least = CONSTANTS, _loss(points, CONSTANTS)
    for _ in range(_ROUNDS):
        for field in fields(Constants):
            for step in _STEPS:
                tried = replace(best, **{field.name: getattr(best, field.name) * step})
                loss = _loss(points, tried)
                if loss < least:
                    best, least = tried, loss
    return best


def _loss(points: Sequence[_Point], constants: Constants) -> float:
    """Return the mean error, each counted up to 5 %: runs with settings that nobody wrote down must not lead."""
    return statistics.fmean(min(_MOST, error) for point in points for error in point.errors(constants))
