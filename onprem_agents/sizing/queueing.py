"""How many developers' turns are at work at once: a closed network of one replica and the pauses of its agents.

N agents each wait for their tools, exponentially distributed, and then have a turn at the replica, which serves n
turns at once at a rate that depends on n. The number at work is a birth-death chain, whose balance is solved exactly:

    p(k + 1) / p(k) = (N - k) / tool pause / rate of min(k + 1, most)

The same holds for turns of any distribution where they share the replica evenly (the processor-sharing station of
Baskett, Chandy, Muntz and Palacios, 1975).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Congestion:
    """What N agents make of one replica: turns at work and waiting for room, on average, and turns per second."""

    at_work: float
    waiting: float
    turns_per_second: float


def congestion(
    agents: int, pause_seconds: float, most_at_once: int, turn_seconds: Callable[[int], float]
) -> Congestion:
    """Return the balance; `turn_seconds(n)` is how long a turn takes of which n run, n from 1 to `most_at_once`."""
    share, whole, at_work, waiting, turns = 1.0, 1.0, 0.0, 0.0, 0.0
    rate = 0.0
    for count in range(1, agents + 1):
        served = min(count, most_at_once)
        if count <= most_at_once:
            rate = served / turn_seconds(served)
        share *= (agents - count + 1) / pause_seconds / rate
        whole += share
        at_work += share * served
        waiting += share * (count - served)
        turns += share * rate
        if whole > _LARGE:
            share, whole, at_work = share / _LARGE, whole / _LARGE, at_work / _LARGE
            waiting, turns = waiting / _LARGE, turns / _LARGE
    return Congestion(at_work=at_work / whole, waiting=waiting / whole, turns_per_second=turns / whole)


# Weights of states are scaled down before they overflow.
_LARGE = 1e100
