"""What a probe of an endpoint finds: a verdict with its cause, the evidence for it, and what to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a verdict is; the worst one is the exit code (2 is left to usage errors)."""

    OK = 0
    BROKEN = 1  # something answers, but an agent would not work with it
    UNREACHABLE = 3  # nothing that could be tested answers


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of one probe. `cause` is a fixed word for scripts; `fix` is empty when all is well."""

    probe: str
    severity: Severity
    cause: str
    evidence: str
    fix: str = ""


def worst(verdicts: Iterable[Verdict]) -> Severity:
    """Return the worst severity among the verdicts; OK when there are none."""
    return max((verdict.severity for verdict in verdicts), default=Severity.OK)
