"""How many developers' turns are at work at once: a closed network of one replica and the pauses of its agents.

N agents each wait for their tools and then have a turn at the replica, which serves turns side by side, the more of
them the slower. By the arrival theorem a turn meets what N - 1 agents leave there; with Schweitzer's approximation of
the mean-value analysis (1979) that is (N - 1) / N of what N do:

    turns at work, the new one among them: n = 1 + (N - 1) x turn(n) / (pause + turn(n))

No more than `most_at_once` are served; the others wait for room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_HALVINGS = 40


@dataclass(frozen=True, kw_only=True)
class Congestion:
    """What N agents make of one replica.

    `met` is how many turns one has beside it, itself among them; `at_work` how many are served on average,
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
    met = float(min(agents, most_at_once))
    took = turn_seconds(met)
    if met_at(agents, pause_seconds, took) >= most_at_once:  # more come than there is room for
        turns = most_at_once / took
        waiting = max(0.0, agents - pause_seconds * turns - most_at_once)
        return Congestion(
            met=met,
            at_work=met,
            waiting=waiting,
            turn_seconds=took,
            waiting_seconds=waiting / turns,
            turns_per_second=turns,
        )
    fewest, most = 1.0, met
    for _ in range(_HALVINGS):
        met = (fewest + most) / 2
        if met_at(agents, pause_seconds, turn_seconds(met)) > met:
            fewest = met
        else:
            most = met
    took = turn_seconds(met)
    turns = agents / (pause_seconds + took)
    return Congestion(
        met=met,
        at_work=turns * took,
        waiting=0.0,
        turn_seconds=took,
        waiting_seconds=0.0,
        turns_per_second=turns,
    )


def met_at(agents: int, pause_seconds: float, turn_seconds: float) -> float:
    """Return how many turns one has beside it, itself among them, where a turn takes that long."""
    return 1 + (agents - 1) * turn_seconds / (pause_seconds + turn_seconds)
