"""How `smoke` and `doctor` show what their probes found: a line or three each, or a row of JSON."""

from __future__ import annotations

import click

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes.verdict import Verdict


def show(verdict: Verdict) -> None:
    """Print a verdict for people."""
    mark = "ok  " if verdict.severity is Severity.OK else "FAIL"
    click.echo(f"{mark} {verdict.probe}: {verdict.evidence}")
    if verdict.fix:
        click.echo(f"     cause: {verdict.cause}\n     fix:   {verdict.fix}")


def row(verdict: Verdict) -> dict[str, str]:
    """Return a verdict for scripts."""
    return {
        "probe": verdict.probe,
        "severity": verdict.severity.name.lower(),
        "cause": verdict.cause,
        "evidence": verdict.evidence,
        "fix": verdict.fix,
    }
