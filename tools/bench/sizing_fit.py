"""The fitted constants tried on sources they were not fitted to: one source left out at a time."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from onprem_agents.sizing.constants import CONSTANTS, Constants
from onprem_agents.sizing.memory import memory_of
from onprem_agents.sizing.overhead import overhead
from onprem_agents.sizing.release import releases_of
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.weights import weights_of
from tools.bench.sizing_rows import Run

# Each constant is tried at these multiples of its value, twice around: enough to move to where the logs want it.
_STEPS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
_ROUNDS = 2
_MOST = 0.05


@dataclass(frozen=True, kw_only=True)
class _Point:
    """A run and what it tells of the overhead, in GiB: all of it (budget less weights and pool) and its parts.

    `request` is of the middle one of the releases that may have run.
    """

    run: Run
    request: FitRequest
    total_gib: float | None

    def errors(self, constants: Constants) -> Iterator[float]:
        said, run = overhead(self.request, constants), self.run
        # What vLLM prints as activation holds the estimate of the graphs where it reads the device (0.27.0,
        # v1/worker/gpu_worker.py).
        in_activation = said.counted_graphs_gib if self.request.rules.memory.reads_device_memory else 0.0
        pairs = (
            (said.total_gib, self.total_gib),
            (said.graphs_gib, run.graphs_gib),
            (said.activation_gib + in_activation, run.activation_gib),
            (said.non_torch_gib, run.non_torch_gib),
        )
        for told, printed in pairs:
            if printed is not None:
                yield abs(told - max(0.0, printed)) / self.request.accelerator.total_gib


def constants_without(runs: Sequence[Run]) -> Mapping[str, Constants]:
    """Return, for each source of a pool, the constants fitted to all the others; empty with fewer than two."""
    points = [_point(run) for run in runs if not run.request.rules.is_v0]
    sources = sorted({run.source for run in runs if run.has_pool})
    if len(sources) < 2:  # noqa: PLR2004 - one to leave out, one to fit to
        return {}
    return {source: _fitted([point for point in points if point.run.source != source]) for source in sources}


def _point(run: Run) -> _Point:
    request = _told(run.request)
    if run.pool_gib is None or not run.told_utilization:
        return _Point(run=run, request=request, total_gib=None)
    weights_gib = run.load_gib or weights_of(request).gib
    return _Point(run=run, request=request, total_gib=request.budget_gib - weights_gib - run.pool_gib)


def _told(request: FitRequest) -> FitRequest:
    releases = releases_of(request.vllm, request.model.min_vllm)
    if len(releases) == 1:
        return request
    told = [replace(request, vllm=release) for release in releases]
    return sorted(told, key=lambda one: memory_of(one).pool_gib)[len(told) // 2]


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
