"""TOML edited in place by tomlkit, which keeps comments, order and layout."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import tomlkit
import tomlkit.exceptions
from tomlkit.items import InlineTable, Table


class BrokenToml(ValueError):
    """The text is no TOML, or none that can be edited without loss; `line` counts from 1, 0 is unknown."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason = reason
        self.line = line
        super().__init__(reason)


def parse(text: str) -> dict[str, Any]:
    """Return the values; raises `BrokenToml` with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise BrokenToml(re.sub(r" \(at .*\)$", "", str(error)), line) from None
    except RecursionError:
        raise BrokenToml("values nested without end") from None


def edited(text: str, values: dict[str, Any], removed: tuple[tuple[str, ...], ...]) -> str:
    """Return the text with these values set, nested as tables, and these paths taken out.

    Raises `BrokenToml` where tomlkit cannot do it.
    """
    try:
        document = tomlkit.parse(text)
        kept = document.as_string()
        for path in removed:
            _remove(document, path)
        _put(document, values)
        after = document.as_string()
    except (tomlkit.exceptions.TOMLKitError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenToml(f"a layout that cannot be edited ({error})") from error
    if kept != text:
        raise BrokenToml("a layout that cannot be kept as it is")
    return after


def _remove(document: Any, path: tuple[str, ...]) -> None:
    table = document
    for key in path[:-1]:
        if key not in table:
            return
        table = table[key]
    if path[-1] in table:
        del table[path[-1]]  # a table in several parts has no `remove`


def _put(table: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            if key not in table:
                table[key] = _table(value, inline=isinstance(table, InlineTable))
            else:
                _put(table[key], value)
        elif key not in table or table[key] != value or type(value) is not type(_plain(table[key])):
            table[key] = value


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item


def _table(values: dict[str, Any], *, inline: bool) -> Table | InlineTable:
    if inline:
        short = tomlkit.inline_table()
        short.update(values)
        return short
    table = tomlkit.table(is_super_table=all(isinstance(value, dict) for value in values.values()))
    for key, value in values.items():
        table[key] = _table(value, inline=False) if isinstance(value, dict) else value
    return table
