"""How many developers' turns are at work at once: a closed network of one replica and the pauses of its agents.

N agents each wait for their tools and then have a turn at the replica, which serves turns side by side, the more of
them the slower, and no more than `most_at_once`; the others wait for room. That is the machine repairman's problem with
a rate of service that depends on the load, whose balance is exact:

    chance(k + 1 pause) / chance(k pause) = turns per second with N - k at the replica x pause / (k + 1)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LARGE = 1e200  # weights of states are scaled down before they overflow


@dataclass(frozen=True, kw_only=True)
class Congestion:
    """What N agents make of one replica, on average.

    `met` is how many turns one has beside it while it is served, itself among them; `at_work` how many are served,
    `waiting` how many wait for room. A turn takes `turn_seconds` once it is served, and `waiting_seconds` before.
    """

    met: float
    at_work: float
    waiting: float
    turn_seconds: float
    waiting_seconds: float
    turns_per_second: float


def congestion(
    agents: int, pause_seconds: float, most_at_once: int, turn_seconds: Callable[[float], float]
) -> Congestion:
    """Return the balance; `turn_seconds(n)` is how long a turn takes of which n run, and grows with n."""
    running = min(agents, most_at_once)
    rate = running / turn_seconds(running)
    weight, total, pausing, served, beside, waiting = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for pauses in range(agents + 1):
        there = agents - pauses
        total += weight
        pausing += weight * pauses
        if there > most_at_once:
            waiting += weight * (there - most_at_once)
        elif there < running:
            running = there
            rate = there / turn_seconds(there) if there else 0.0
        served += weight * running
        beside += weight * running * running
        weight *= rate * pause_seconds / (pauses + 1)
        if not weight:  # nor have those with more pauses a chance
            break
        if weight > _LARGE:
            total, pausing, served, beside, waiting = (
                each / _LARGE for each in (total, pausing, served, beside, waiting)
            )
            weight /= _LARGE
    turns = pausing / total / pause_seconds
    return Congestion(
        met=beside / served,
        at_work=served / total,
        waiting=waiting / total,
        turn_seconds=served / total / turns,
        waiting_seconds=waiting / total / turns,
        turns_per_second=turns,
    )
