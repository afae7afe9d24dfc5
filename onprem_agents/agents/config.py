"""What an agent's configuration says, as values: no text of a file is made or read here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
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
    replaced, and of an item with a `name` there is one; `kept` are values that stay as the file has them;
    `word_tables` are tables for which the agent also reads a bare word, the rule for everything (`*`). `by_variable`
    says that the key comes from its variable and not from setup's file. `owned` are tables that are setup's alone:
    other keys in them are taken out. `former` are values that earlier releases wrote, taken out where they stand as
    written; `joined` are lists that setup never begins, with what must be in one that the user has.
    """

    values: Values
    removed: tuple[KeyPath, ...] = ()
    added_to: tuple[KeyPath, ...] = ()
    kept: tuple[KeyPath, ...] = ()
    word_tables: tuple[str, ...] = ()
    owned: tuple[KeyPath, ...] = ()
    former: tuple[tuple[KeyPath, Any], ...] = ()
    joined: tuple[tuple[KeyPath, str], ...] = ()
    by_variable: bool = False
    notes: tuple[str, ...] = ()

    def leaving(self, present: Values) -> Wanted:
        """Return it without the values that stay as they are present."""
        values = copy.deepcopy(self.values)
        for *path, last in self.kept:
            if at(present, *path, last) is not None and isinstance(holder := at(values, *path), dict):
                holder.pop(last, None)
        return replace(self, values=values)

    def of(self, chosen: Callable[[str], object]) -> Wanted:
        """Return what it says under those of its top keys."""
        return replace(
            self,
            values={key: value for key, value in self.values.items() if chosen(key)},
            removed=tuple(path for path in self.removed if chosen(path[0])),
            added_to=tuple(path for path in self.added_to if chosen(path[0])),
            kept=tuple(path for path in self.kept if chosen(path[0])),
            word_tables=tuple(name for name in self.word_tables if chosen(name)),
            owned=tuple(path for path in self.owned if chosen(path[0])),
            former=tuple(item for item in self.former if chosen(item[0][0])),
            joined=tuple(item for item in self.joined if chosen(item[0][0])),
        )


@dataclass(frozen=True, kw_only=True)
class Premade:
    """A file that setup lays down where there is none, and never changes; `why` is shown instead of its content."""

    path: Path
    content: str
    why: str


def united(files: Iterable[ConfigFile]) -> Values:
    """Return a copy of what all files of an agent say, as one."""
    values: Values = {}
    for file in files:
        values |= copy.deepcopy(file.values)
    return values


def at(values: Any, *path: str) -> Any:
    """Return the value at a path of keys, or of numbers in a list, or None."""
    for key in path:
        if isinstance(values, list):
            values = dict(enumerate(values)).get(int(key)) if key.isdecimal() else None
        else:
            values = values.get(key) if isinstance(values, dict) else None
    return values
