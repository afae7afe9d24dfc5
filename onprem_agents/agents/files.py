"""What rendering yields: a file's content, where it belongs, and what a reader should know beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["json", "toml", "yaml", "shell"]


@dataclass(frozen=True, kw_only=True)
class AgentFile:
    """One file of one agent. `path_hint` is for people (it may start with ~); `notes` are plain sentences."""

    path_hint: str
    format: Format
    content: str
    notes: tuple[str, ...] = ()


def json_text(value: dict[str, Any]) -> str:
    """Return JSON in the given key order, indented, with a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def toml_text(root: dict[str, Any], tables: dict[str, dict[str, Any]]) -> str:
    """Return TOML: root keys, then a table per dotted name. Values are text, whole numbers, truth values.

    JSON writes those three exactly as TOML reads them, so no writer of its own is needed.
    """
    parts = [_assignments(root)]
    parts += [f"[{name}]\n{_assignments(values)}" for name, values in tables.items()]
    return "\n".join(parts)


def _assignments(values: dict[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
