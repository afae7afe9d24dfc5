"""What a probe finds: a verdict, which is a diagnosis under the probe's name, with nothing secret in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.errors import cleaned


@dataclass(frozen=True, kw_only=True)
class Verdict(Diagnosis):
    """The result of one probe."""

    probe: str

    @classmethod
    def of(cls, probe: str, diagnosis: Diagnosis, *, secret: str | None = None) -> Self:
        """Return a diagnosis as the verdict of that probe, cleaned of the key."""
        return cls(
            probe=probe,
            cause=diagnosis.cause,
            severity=diagnosis.severity,
            evidence=cleaned(diagnosis.evidence, secret=secret),
            fix=cleaned(diagnosis.fix, secret=secret),
        )


def fine(evidence: str, *, cause: str = "ok") -> Diagnosis:
    """Return the diagnosis of a probe that found nothing wrong."""
    return Diagnosis(cause=cause, severity=Severity.OK, evidence=evidence, fix="")


def worst(verdicts: Iterable[Verdict]) -> Severity:
    """Return the worst severity among the verdicts; OK when there are none."""
    return max((verdict.severity for verdict in verdicts), default=Severity.OK)
