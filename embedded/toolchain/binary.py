"""A usable binary and where it came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Origin = Literal["path", "download", "build", "stand-in"]


@dataclass(frozen=True, kw_only=True)
class Binary:
    """One executable file, its version without a leading `v`, and its origin."""

    name: str
    version: str
    origin: Origin
    path: Path


def recorded(path: Path) -> Binary | None:
    """Return the binary at `path` as `record` noted it, or None when either file is missing or damaged."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        name, version, origin = note["name"], note["version"], note["origin"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not path.is_file() or origin not in get_args(Origin):
        return None
    return Binary(name=str(name), version=str(version), origin=origin, path=path)


def record(binary: Binary) -> None:
    """Note version and origin beside the file; written last, so that a noted binary is a whole one."""
    note = {"name": binary.name, "version": binary.version, "origin": binary.origin}
    draft = _note(binary.path).with_suffix(".json.part")
    draft.write_text(json.dumps(note) + "\n", encoding="utf-8")
    draft.replace(_note(binary.path))


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")
