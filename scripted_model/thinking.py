"""How much the stand-in thinks: what a request says of it, in the fields of the three APIs as vLLM reads them.

Read in vLLM 0.33.0 (entrypoints/openai and entrypoints/anthropic, 2026-11-28): an effort switches thinking on, `none`
off, and the arguments of the chat template stand before either; a budget bounds what is thought and switches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Budget = Annotated[int, Field(strict=True, ge=-1)]
"""-1 is no limit, as in vLLM."""
_SWITCHES = ("enable_thinking", "thinking")
# How many times the stand-in thinks its thought.
_TIMES: Mapping[str | None, int] = {
    "minimal": 1,
    "low": 1,
    "medium": 2,
    None: 1,
    "high": 4,
    "xhigh": 6,
    "max": 8,
}


@dataclass(frozen=True, kw_only=True)
class Thinking:
    """What a request says; None is nothing, and the server's own default holds."""

    on: bool | None = None
    effort: str | None = None
    budget_tokens: int | None = None

    def of(self, thought: str, *, by_default: bool) -> str:
        """Return what of a thought is thought: words count as tokens."""
        if not (by_default if self.on is None else self.on):
            return ""
        words = (thought * _TIMES[self.effort]).split(" ")
        return " ".join(words if self.budget_tokens in (None, -1) else words[: self.budget_tokens])


def thinking(effort: str | None, arguments: Mapping[str, Any] | None, budget_tokens: int | None) -> Thinking:
    """Return what the fields of a request say together."""
    told = [bool(value) for name, value in (arguments or {}).items() if name in _SWITCHES]
    on = told[0] if told else effort != "none" if effort is not None else None
    return Thinking(on=on, effort=effort if effort != "none" else None, budget_tokens=budget_tokens)
