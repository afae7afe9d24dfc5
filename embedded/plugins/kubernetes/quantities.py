"""Numbers as the engine sends them: all are floats, Kubernetes wants integers where they are whole."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

# Suffixes of a quantity: Kubernetes API conventions, "Quantities"; read 2026-11.
_SUFFIXES: dict[str, Decimal] = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]?|[KMGTPE]i)")


def whole(value: float) -> int | float:
    """Return a whole float as the integer that it stands for, any other float unchanged."""
    return int(value) if value.is_integer() else value


def quantity(value: Any) -> Decimal | None:
    """Return the amount a Kubernetes quantity stands for (`"1Gi"`, `"500m"`, `8`), None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    try:
        return Decimal(match[1]) * _SUFFIXES[match[2]]
    except InvalidOperation:
        return None


def same_quantity(left: Any, right: Any) -> bool:
    """Whether two values are quantities of the same amount, for instance `1000m` and `"1"`."""
    amount = quantity(left)
    return amount is not None and amount == quantity(right)
