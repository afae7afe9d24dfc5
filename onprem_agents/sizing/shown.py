"""Figures of speed and memory as people read them, everywhere the same: rounded once more from what JSON tells of them.

No first token that was measured came sooner than after 40 ms: below a tenth of a second that is all that is told.
"""

from __future__ import annotations

from onprem_agents.units import rough_time

RATE_DIGITS, WAIT_DIGITS, GIB_DIGITS = 1, 2, 2
"""Decimals of tokens/s, of seconds to a first token and of GiB in JSON; texts start from these."""

_WHOLE_FROM = 10
_MINUTES_FROM = 120
_LEAST_WAIT_SECONDS = 0.1


def rate(tokens_per_second: float) -> str:
    """Return a speed with the figures that it is worth: 3.7, 73."""
    told = round(tokens_per_second, RATE_DIGITS)
    return f"{told:,.0f}" if told >= _WHOLE_FROM else f"{told:.1f}"


def wait(seconds: float) -> str:
    """Return a wait with the figures that it is worth: "under 0.1 s", "0.34 s", "5.3 s", "45 min"."""
    told = round(seconds, WAIT_DIGITS)
    if told < _LEAST_WAIT_SECONDS:
        return f"under {_LEAST_WAIT_SECONDS:g} s"
    if told < 1:
        return f"{told:.2f} s"
    if told < _WHOLE_FROM:
        return f"{told:.1f} s"
    return f"{told:.0f} s" if told < _MINUTES_FROM else rough_time(told)


def gib(amount: float) -> str:
    """Return GiB without their unit: "53.8"."""
    return f"{round(amount, GIB_DIGITS):.1f}"
