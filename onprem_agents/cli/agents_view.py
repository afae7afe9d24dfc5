"""Which agents a role serves, as one line, from the JSON values of a report."""

from __future__ import annotations

from typing import Any


def agents_line(agents: list[dict[str, Any]]) -> str:
    """Return each agent with a mark, and the reason where it is not served."""
    return "agents " + (", ".join(_said(agent) for agent in agents) or "none, as the stack says")


def _said(agent: dict[str, Any]) -> str:
    return f"{agent['title']} ✓" if agent["served"] else f"{agent['title']} ✗ ({agent['why']})"
