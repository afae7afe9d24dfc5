"""What the engine is held to on runs that happened, and how far it keeps it on sources that it was not fitted to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from onprem_agents.sizing.constants import CONSTANTS, Constants
from onprem_agents.sizing.memory import memory_of
from tools.bench.sizing_rows import Run, unseen

# A printed pool has two digits.
_ROUNDED_GIB = 0.005


@dataclass(frozen=True, kw_only=True)
class Aim:
    """One figure: what it is to be at most, or at least, what it is, and on sources left out; None where nothing is."""

    name: str
    aim: float
    at_least: bool
    value: float | None
    left_out: float | None

    @property
    def is_met(self) -> bool:
        """Whether the figure is what it is to be."""
        if self.value is None:
            return True
        return self.value >= self.aim if self.at_least else self.value <= self.aim


@dataclass(frozen=True, kw_only=True)
class _Pool:
    """A printed pool against its prediction, in shares of the GPU's memory."""

    error: float
    is_below: bool
    is_inside: bool
    width: float


def aims_of(runs: Sequence[Run], without: Mapping[str, Constants]) -> tuple[Aim, ...]:
    """Return all figures; left out with the constants of the other sources, and weights that no log shows."""
    with_pool = [run for run in runs if run.has_pool]
    pools = [_pool(run, CONSTANTS) for run in with_pool]
    left_out = [
        _pool(
            replace(run, request=replace(run.request, variant=unseen(run.request.variant))),
            without[run.source],
        )
        for run in with_pool
        if run.source in without
    ]
    started = [run for run in runs if run.outcome == "ok"]
    refused = [run for run in runs if run.outcome == "kv_too_small"]
    return (
        _of_pools("KV pool, median error, share of GPU", 0.015, pools, left_out, _median_error),
        _of_pools("KV pool, 90 % of errors within", 0.06, pools, left_out, _most_errors),
        _of_pools("pool below the careful end", 0.05, pools, left_out, _below),
        replace(_of_pools("pool inside the band", 0.85, pools, left_out, _inside), at_least=True),
        _of_pools("width of the band, median", 0.08, pools, left_out, _width),
        _of_verdicts("refused but said to fit", 0.0, [run.verdict == "fits" for run in refused]),
        _of_verdicts("started but said not to", 0.03, [run.verdict == "does_not_fit" for run in started]),
        _of_verdicts("too close to call", 0.12, [run.verdict == "too_close" for run in runs]),
    )


def _pool(run: Run, constants: Constants) -> _Pool:
    memory, printed = memory_of(run.request, constants), run.pool_gib or 0.0
    low, high = memory.careful_pool_gib - _ROUNDED_GIB, memory.hopeful_pool_gib + _ROUNDED_GIB
    gpu_gib = run.request.accelerator.total_gib
    return _Pool(
        error=abs(memory.pool_gib - printed) / gpu_gib,
        is_below=printed < low,
        is_inside=low <= printed <= high,
        width=(high - low) / gpu_gib,
    )


def _of_pools(
    name: str,
    aim: float,
    pools: Sequence[_Pool],
    left_out: Sequence[_Pool],
    figure: Callable[[Sequence[_Pool]], float],
) -> Aim:
    return Aim(
        name=name,
        aim=aim,
        at_least=False,
        value=figure(pools) if pools else None,
        left_out=figure(left_out) if left_out else None,
    )


def _of_verdicts(name: str, aim: float, told: Sequence[bool]) -> Aim:
    value = sum(told) / len(told) if told else None
    return Aim(name=name, aim=aim, at_least=False, value=value, left_out=None)


def _median_error(pools: Sequence[_Pool]) -> float:
    return statistics.median(pool.error for pool in pools)


def _most_errors(pools: Sequence[_Pool]) -> float:
    ordered = sorted(pool.error for pool in pools)
    return ordered[round(0.9 * (len(ordered) - 1))]


def _below(pools: Sequence[_Pool]) -> float:
    return statistics.fmean(pool.is_below for pool in pools)


def _inside(pools: Sequence[_Pool]) -> float:
    return statistics.fmean(pool.is_inside for pool in pools)


def _width(pools: Sequence[_Pool]) -> float:
    return statistics.median(pool.width for pool in pools)
