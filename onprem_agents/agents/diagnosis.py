"""What a probe or an examined setting tells: a fixed word, the evidence for it, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a diagnosis is; the worst one is the exit code (2 is left to usage errors)."""

    OK = 0
    BROKEN = 1  # something answers, but an agent would not work with it
    UNREACHABLE = 3  # nothing that could be tested answers


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One reason. `cause` is a fixed word for scripts; `fix` is empty when all is well; `evidence` may be uncleaned."""

    cause: str
    severity: Severity = Severity.BROKEN
    evidence: str
    fix: str
