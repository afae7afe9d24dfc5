"""Expected speed and its bounds, as lines that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onprem_agents.sizing import Bounds
from onprem_agents.sizing.shown import rate, wait
from onprem_agents.units import rough_time


def speed_line(speed: Mapping[str, Any], *, loads: bool = True) -> str:
    """Return an expected speed, as `Speed.to_wire` tells it, in one line; with its time to load where that is told."""
    load = f"; a cold start from a disk takes {rough_time(speed['loadSeconds'])}" if loads else ""
    return f"{pace(speed)}; {first_tokens(speed)}{load}"


def pace(speed: Mapping[str, Any]) -> str:
    """Return how fast an answer comes once it has begun, and what that is bounded by."""
    developers = speed["developers"]
    who = "1 developer" if developers == 1 else f"{developers:,} developers"
    return (
        f"about {rate(speed['tokensPerSecondPerDeveloper'])} tokens/s an answer with {who} at work, bounded by "
        f"{speed['boundedBy']}"
    )


def brief_pace(speed: Mapping[str, Any]) -> str:
    """Return the same on one line of a screen."""
    return (
        f"about {rate(speed['tokensPerSecondPerDeveloper'])} tokens/s each with {speed['developers']:,} at work, "
        f"bounded by {speed['boundedBy']}"
    )


def first_tokens(speed: Mapping[str, Any]) -> str:
    """Return how long the first token of a prompt takes, a new one and one that the prefix cache knows."""
    return (
        f"first token of 30k in {wait(speed['firstTokenSecondsCold30k'])}, with a warm prefix "
        f"{wait(speed['firstTokenSecondsWarm30k'])}"
    )


def bounds_line(bounds: Bounds) -> str:
    """Return what nothing can exceed as one line."""
    return (
        f"at most, tokens/s at {bounds.context_tokens:,} tokens: decode "
        f"{bounds.decode_tokens_per_second_one:,.0f} for one session, "
        f"{bounds.decode_tokens_per_second_all:,.0f} for {max(1, bounds.sessions)}, "
        f"prefill {bounds.prefill_tokens_per_second:,.0f}"
    )
