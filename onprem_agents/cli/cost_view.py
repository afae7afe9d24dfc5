"""What a stack costs, as lines that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def cost_lines(cost: Mapping[str, Any]) -> Iterator[str]:
    """Yield a cost, as a plan's report tells it: the whole, and each pool where there are several."""
    yield (
        f"{cost['perMonth']:,.0f} {cost['currency']} a month, {cost['perDeveloperAndMonth']:,.0f} a developer: "
        f"{cost['basis']}"
    )
    if len(cost["pools"]) > 1:
        for pool in cost["pools"]:
            yield f"{pool['pool']}: {pool['perMonth']:,.0f} a month, {pool['basis']}"
