"""What a stack costs, as a line that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def cost_line(cost: Mapping[str, Any]) -> str:
    """Return a cost, as a plan's report tells it, in one line."""
    return (
        f"{cost['perMonth']:,.0f} {cost['currency']} a month, {cost['perDeveloperAndMonth']:,.0f} a developer: "
        f"{cost['basis']}"
    )
