"""Property paths: where in an object a value stands, in code and in Pulumi's spelling."""

from __future__ import annotations

import re
from typing import Any

Path = tuple[str | int, ...]
MISSING: Any = object()
"""What `look_up` returns where there is no value; a null of the object is None."""

_NEEDS_QUOTES = re.compile(r'[."\[\]]')
_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[\*\]')


def spell(path: Path) -> str:
    """Return a path as Pulumi writes it: `spec.containers[0].env`, `metadata.annotations["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _NEEDS_QUOTES.search(step):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def parse(text: str) -> Path:
    """Read a path in Pulumi's spelling; the reverse of `spell`."""
    steps: list[str | int] = []
    for match in _STEP.finditer(text):
        name, index, quoted = match.groups()
        if index is not None:
            steps.append(int(index))
        elif quoted is not None:
            steps.append(quoted.replace('\\"', '"'))
        elif name is not None:
            steps.append(name)
    return tuple(steps)


def look_up(value: Any, path: Path) -> Any:
    """Return what stands at `path`, or MISSING."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return MISSING
    return value


def put(value: Any, path: Path, new: Any) -> None:
    """Set what stands at `path`, or remove it with MISSING; does nothing where the way there is missing."""
    parent = look_up(value, path[:-1])
    step = path[-1]
    if isinstance(parent, dict) and isinstance(step, str):
        if new is MISSING:
            parent.pop(step, None)
        else:
            parent[step] = new
    elif isinstance(parent, list) and isinstance(step, int) and step < len(parent) and new is not MISSING:
        parent[step] = new
