"""What an agent's configuration says, as values: no text of a file is made or read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from onprem_agents.agents.environment import KEY_FOLDER

Values = dict[str, Any]
"""A configuration file as nested values of JSON or TOML."""
KeyPath = tuple[str, ...]
Release = tuple[int, int, int]
KEY_PATH = f"~/{KEY_FOLDER}/key"
READ_KEY = f"cat {KEY_PATH}"


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """One file to be written by hand. `path_hint` is for people (it may start with ~); `notes` are plain sentences."""

    path_hint: str
    format: Literal["json", "toml", "yaml"]
    values: Values
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an agent's file on a developer's machine must say, with the key by reference and never by value.

    `removed` are paths that must be absent; `added_to` are lists that the user may have begun, any other list is
    replaced; `word_tables` are tables for which the agent also reads a bare word, the rule for everything (`*`).
    `by_variable` says that the key comes from its variable and not from setup's file. `beside` are further files in the
    same folder, JSON by name, that are setup's alone. `owned` are tables that are
    setup's alone: other keys in them are taken out. `former` are values that earlier releases wrote, taken out where
    they stand as written; `joined` are lists that setup never begins, with what must be in one that the user has.
    """

    values: Values
    beside: Mapping[str, Values] = field(default_factory=dict)
    removed: tuple[KeyPath, ...] = ()
    added_to: tuple[KeyPath, ...] = ()
    word_tables: tuple[str, ...] = ()
    owned: tuple[KeyPath, ...] = ()
    former: tuple[tuple[KeyPath, Any], ...] = ()
    joined: tuple[tuple[KeyPath, str], ...] = ()
    by_variable: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Premade:
    """A file that setup lays down where there is none, and never changes; `why` is shown instead of its content."""

    path: Path
    content: str
    why: str


def at(values: Any, *path: str) -> Any:
    """Return the value at a path of keys, or None."""
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values
