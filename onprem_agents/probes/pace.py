"""At what pace the events of a stream arrive: one by one as they are made, or held back on the way.

A proxy that buffers gives all of them at once when the answer is whole, or a block each time its buffer is full. The
agents then show nothing for minutes, and a limit of silence cuts turns that go well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# With fewer events, or in a shorter time, nothing can be told.
LEAST_EVENTS = 60
_LEAST_SECONDS = 1.0
# What lies so close belongs together, even of a server that makes 400 tokens a second for one request.
_TOGETHER_SECONDS = 0.002
# Blocks of so many events on average: a server under load gives two or three together as well.
_BLOCK_EVENTS = 8


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What was read at once: `seconds` after the request was sent, and how many events began in it."""

    seconds: float
    events: int


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a stream came: `wait_seconds` until its first event, `spread_seconds` from that to the last one."""

    events: int
    blocks: int
    wait_seconds: float
    spread_seconds: float

    @property
    def tells(self) -> bool:
        """Whether there was enough of it to tell anything."""
        return self.events >= LEAST_EVENTS and self.wait_seconds + self.spread_seconds >= _LEAST_SECONDS

    @property
    def held(self) -> bool:
        """Whether it came in few blocks of many events; a queue before a very fast server looks like that too."""
        return self.tells and self.events >= _BLOCK_EVENTS * self.blocks

    @property
    def text(self) -> str:
        """How it came, in words."""
        blocks = "at once" if self.blocks == 1 else f"in {self.blocks} blocks"
        return f"{self.events} events came {blocks}, the first after {self.wait_seconds:.1f} s"


def pace(arrivals: Sequence[Arrival]) -> Pace:
    """Return the pace of a stream from what was read when.

    A block ends where nothing came for more than half of what lies between two events on average.
    """
    came = [arrival for arrival in arrivals if arrival.events]
    if not came:
        return Pace(events=0, blocks=0, wait_seconds=0.0, spread_seconds=0.0)
    events = sum(arrival.events for arrival in came)
    spread = came[-1].seconds - came[0].seconds
    pause = max(_TOGETHER_SECONDS, spread / events / 2)
    gaps = [late.seconds - early.seconds for early, late in pairwise(came)]
    blocks = 1 + sum(gap > pause for gap in gaps)
    return Pace(events=events, blocks=blocks, wait_seconds=came[0].seconds, spread_seconds=spread)
