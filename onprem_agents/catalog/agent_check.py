"""What was seen of releases of agents beside the pinned ones, each with its day (`./dev test agents --newest`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from onprem_agents.catalog.fact import Fact


class AgentCheck(Fact):
    """One check of one release, on the wire that the agent speaks, with that translation behind the gateway.

    `fault` is what went wrong, None where nothing did.
    """

    agent: str = Field(pattern=r"^[a-z][a-z0-9-]*\z")
    release: str = Field(pattern=r"^\d+\.\d+\.\d+\z")
    wire: str = Field(pattern=r"^/v1/")
    translation: str
    check: str
    fault: str | None = None
    seen: date

    @property
    def name(self) -> str:
        """The cell's place in the matrix, as messages name it."""
        return f"{self.agent} {self.release}, {self.wire}, {self.translation}, {self.check}"


def summary(checks: Sequence[AgentCheck], today: date) -> str:
    """Return one line on them: how many of which releases, how old, and what failed."""
    if not checks:
        return "releases of agents beside the pinned ones: none was run yet (./dev test agents --newest)"
    red = [each for each in checks if each.fault is not None]
    releases = dict.fromkeys(f"{each.agent} {each.release}" for each in checks)
    oldest = min(each.seen for each in checks)
    days = (today - oldest).days
    age = f"{oldest}, {days} day{'s' if days != 1 else ''} ago"
    found = f"; not working: {'; '.join(each.name for each in red)}" if red else ", all well"
    return f"releases of agents beside the pinned ones, run {age}: {', '.join(releases)}{found}"
