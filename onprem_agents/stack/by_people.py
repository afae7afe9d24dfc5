"""The mark of a setting that a person decides: an agent that works on a stack may change all others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ByPeople:
    """Stands in the `Annotated` of a setting, for all that is within it; `why` is the end of "because"."""

    why: str
