"""One wanted configuration merged into the text that a user has: what is not ours stays byte for byte."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Literal

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.setup import jsonc, toml_text

Format = Literal["json", "jsonc", "toml"]
# Lists that the user may have begun: ours are added. Any other list is ours alone and is replaced.
_ADDED_TO = frozenset({("permissions", "deny"), ("enabled_providers",)})
# opencode reads a bare word as the rule for every tool (schema of 1.18.33, 2026-11).
_PERMISSION = "permission"


def merged_text(
    text: str,
    form: Format,
    values: dict[str, Any],
    *,
    removed: tuple[tuple[str, ...], ...] = (),
    source: str,
) -> str:
    """Return the text with the wanted values in it; the same text when they are there already.

    `source` names the file in messages. Raises `InvalidInput` for a text that its agent could not read, with
    the line, and where the user has another kind of value in a place of ours.
    """
    crlf = "\r\n" in text and "\n" not in text.replace("\r\n", "")
    plain = text.replace("\r\n", "\n") if crlf else text
    before = read(plain, form, source)
    wanted = _spread(values, before)
    problems = list(_clashes(wanted, before, (), source))
    if problems:
        raise InvalidInput(source, problems)
    expected = _expected(before, wanted, removed)
    if _same(before, expected) and plain.strip():
        return text
    after = _edited(plain, form, wanted, expected, removed, source)
    if not _same(read(after, form, source), expected):
        raise _unmergeable(source, "an unusual layout")
    return after.replace("\n", "\r\n") if crlf else after


def read(text: str, form: Format, source: str) -> dict[str, Any]:
    """Return the values of a configuration text; an empty one has none. Raises `InvalidInput` with the line."""
    if not text.strip():
        return {}
    try:
        if form == "toml":
            return toml_text.parse(text)
        return jsonc.parse_object(text, strict=form == "json")
    except (toml_text.BrokenToml, jsonc.BrokenJson) as error:
        kind = {"json": "JSON", "jsonc": "JSON with comments", "toml": "TOML"}[form]
        problem = Problem(
            where=f"line {error.line}" if error.line else "the file",
            cause="broken-syntax",
            found=error.reason,
            why=f"the agent reads this file as {kind} and would refuse it; nothing was changed",
            fix="mend that line, or move the file away, and run onprem-agents setup again",
        )
        raise InvalidInput(source, [problem]) from None


def _edited(
    text: str,
    form: Format,
    wanted: dict[str, Any],
    expected: dict[str, Any],
    removed: tuple[tuple[str, ...], ...],
    source: str,
) -> str:
    if not text.strip():
        return toml_text.edited("", expected, ()) if form == "toml" else json.dumps(expected, indent=2) + "\n"
    try:
        if form == "toml":
            return toml_text.edited(text, wanted, removed)
        strict = form == "json"
        for path in removed:
            text = jsonc.remove(text, path, strict=strict)
        word = jsonc.parse(text, strict=strict).value.get(_PERMISSION)
        if isinstance(word, str) and _PERMISSION in wanted:
            text = jsonc.put(text, (_PERMISSION,), {"*": word}, strict=strict)
        for path, value in _leaves(wanted, ()):
            text = _put_json(text, path, value, strict=strict)
        return text
    except (toml_text.BrokenToml, jsonc.BrokenJson) as error:
        raise _unmergeable(source, str(error)) from None


def _put_json(text: str, path: tuple[str, ...], value: Any, *, strict: bool) -> str:
    present = _at(jsonc.parse(text, strict=strict).value, path)
    if path in _ADDED_TO and isinstance(present, list):
        for item in value:
            if item not in present:
                text = jsonc.append(text, path, item, strict=strict)
        return text
    return jsonc.put(text, path, value, strict=strict)


def _spread(values: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return the wanted values with a permission word of the user's made the rule that it stands for."""
    word = before.get(_PERMISSION)
    if isinstance(word, str) and isinstance(values.get(_PERMISSION), dict):
        return values | {_PERMISSION: {"*": word, **values[_PERMISSION]}}
    return values


def _expected(
    before: dict[str, Any], wanted: dict[str, Any], removed: tuple[tuple[str, ...], ...]
) -> dict[str, Any]:
    result = copy.deepcopy(before)
    for path in removed:
        holder = _at(result, path[:-1])
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
    for path, value in _leaves(wanted, ()):
        node = result
        for key in path[:-1]:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        present = node.get(path[-1])
        kept = present if path in _ADDED_TO and isinstance(present, list) else []
        node[path[-1]] = [*kept, *(item for item in value if item not in kept)] if kept else value
    return result


def _clashes(
    wanted: dict[str, Any], before: dict[str, Any], path: tuple[str, ...], source: str
) -> Iterator[Problem]:
    for key, value in wanted.items():
        if key not in before:
            continue
        here, present = (*path, key), before[key]
        if isinstance(value, dict) and isinstance(present, dict):
            yield from _clashes(value, present, here, source)
        elif here == (_PERMISSION,) and isinstance(present, str):
            continue
        elif isinstance(value, (dict, list)) and type(present) is not type(value):
            yield Problem(
                where=".".join(here),
                cause="foreign-setting",
                found=f"a {type(present).__name__} instead of {'a table' if isinstance(value, dict) else 'a list'}",
                why="the agent expects another kind of value there, and merging would lose yours",
                fix=f"take {here[-1]} out of {source} and run onprem-agents setup again",
            )


def _leaves(values: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two configurations are equal, with 1 and true apart, and dates as their text."""
    first, second = (json.dumps(values, sort_keys=True, default=str) for values in (one, other))
    return first == second


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(values, dict):
            return None
        values = values.get(key)
    return values


def _unmergeable(source: str, reason: str) -> InvalidInput:
    problem = Problem(
        where="the file",
        cause="unusual-layout",
        found=reason,
        why="onprem could not add its settings without touching yours; nothing was changed",
        fix="add what 'onprem-agents setup --print' shows by hand",
    )
    return InvalidInput(source, [problem])
