"""One prerequisite of a stack, and what was found of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "missing", "doubtful"]

Object = Mapping[str, Any]
"""A Kubernetes object in wire format."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One prerequisite with what was found; `fix` is empty when the verdict is ok."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""

    @classmethod
    def of(cls, name: str, *, holds: bool, found: str, fix: str, doubtful: bool = False) -> Check:
        """Return a check whose fix is told where it does not hold; `doubtful` where it may hold all the same."""
        if holds:
            return cls(name=name, verdict="ok", found=found)
        return cls(name=name, verdict="doubtful" if doubtful else "missing", found=found, fix=fix)


def condition(found: Object, kind: str) -> str | None:
    """Return the status of a condition of an object, None where it has none of that type."""
    for each in found.get("status", {}).get("conditions") or []:
        if each["type"] == kind:
            return str(each["status"])
    return None
