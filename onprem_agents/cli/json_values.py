"""Dataclasses as JSON values."""

from __future__ import annotations

from typing import Any

from pydantic.alias_generators import to_camel


def camel(value: Any) -> Any:
    """Return what `dataclasses.asdict` made, with keys as JSON writes them and numbers of six decimals."""
    if isinstance(value, dict):
        return {to_camel(key) if "_" in key else key: camel(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [camel(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value
