"""The fitted constants tried on sources they were not fitted to: one source left out at a time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from embedded.bench.sizing_rows import Run
from onprem.sizing.constants import CONSTANTS, Constants
from onprem.sizing.overhead import overhead
from onprem.sizing.weights import weights_of

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
    run: Run
    other_gib: float
    """Printed pool less budget and weights: what the overhead should be, negated."""

    def error(self, constants: Constants) -> float:
        total = overhead(self.run.request, constants).total_gib
        return abs(self.other_gib + total) / self.run.request.accelerator.total_gib


def cross_validate(runs: Sequence[Run]) -> CrossValidation:
    """Fit the constants without each source in turn and return how far its pools are then missed."""
    points = [
        _Point(run=run, other_gib=run.pool_gib - run.request.budget_gib + weights_of(run.request).gib)
        for run in runs
        if run.pool_gib is not None and run.told_utilization and not run.request.rules.is_v0
    ]
    sources = sorted({point.run.source for point in points})
    left_out: list[float] = []
    for source in sources:
        constants = _fitted([point for point in points if point.run.source != source])
        left_out += [point.error(constants) for point in points if point.run.source == source]
    return CrossValidation(
        sources=len(sources),
        fitted=tuple(point.error(CONSTANTS) for point in points),
        left_out=tuple(left_out),
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
    return statistics.fmean(min(_MOST, point.error(constants)) for point in points)
