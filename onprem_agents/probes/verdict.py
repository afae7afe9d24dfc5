"""What a probe finds: a verdict, which is a finding under the probe's name, with nothing secret in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from onprem_agents.agents.finding import Finding, Severity
from onprem_agents.errors import cleaned


@dataclass(frozen=True, kw_only=True)
class Verdict(Finding):
    """The result of one probe."""

    probe: str

    @classmethod
    def of(cls, probe: str, finding: Finding, *, secret: str | None = None) -> Self:
        """Return a finding as the verdict of that probe, cleaned of the key."""
        return cls(
            probe=probe,
            cause=finding.cause,
            severity=finding.severity,
            evidence=cleaned(finding.evidence, secret=secret),
            fix=cleaned(finding.fix, secret=secret),
        )


def fine(evidence: str, *, cause: str = "ok") -> Finding:
    """Return the finding of a probe that found nothing wrong."""
    return Finding(cause=cause, severity=Severity.OK, evidence=evidence, fix="")


def worst(verdicts: Iterable[Verdict]) -> Severity:
    """Return the worst severity among the verdicts; OK when there are none."""
    return max((verdict.severity for verdict in verdicts), default=Severity.OK)
