"""What was seen of the newest releases of the agents, each with its day (`./dev test agents --newest`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from onprem_agents.catalog.fact import Fact

INSTALL = "install"
"""The check that holds for every translation alike."""


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


def summary(checks: Sequence[AgentCheck], today: date, agents: Sequence[str]) -> str:
    """Return one line on them: how old, which releases, which cells are red, and which agents were never run."""
    if not checks:
        return "newest releases of the agents: none was run yet (./dev test agents --newest)"
    releases: dict[str, dict[str, None]] = {}
    for each in checks:
        releases.setdefault(each.agent, {})[each.release] = None
    oldest = min(each.seen for each in checks)
    days = (today - oldest).days
    age = f"{oldest}, " + ("today" if days == 0 else f"{days} day{'s' if days != 1 else ''} ago")
    tried = "; ".join(f"{agent} {', '.join(found)}" for agent, found in releases.items())
    red = dict.fromkeys(_told(each) for each in checks if each.fault is not None)
    found = f"red: {'; '.join(red)} (why: docs/everyday.md)" if red else "all well"
    left = [name for name in agents if name not in releases]
    never = f"; not run yet: {', '.join(left)}" if left else ""
    return f"newest releases of the agents, run {age}: {tried}: {found}{never}"


def _told(check: AgentCheck) -> str:
    if check.check == INSTALL:
        return f"{check.agent} {check.release} could not be installed"
    return check.name
