"""What setup merged into a user's file taken out again, after the user and the agent went on writing into it.

Three texts are compared by their values: the one before setup, the one that it wrote, and the present one. Where the
present one still says what setup wrote, it says again what stood there before; all else stays.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from onprem_agents.agents.config import KeyPath, Values, at
from onprem_agents.agents.machine import Form
from onprem_agents.setup import jsonc, toml_text
from onprem_agents.setup.kind import Kind
from onprem_agents.setup.merge import leaves, read, same, unmergeable

_ABSENT = object()


def without_ours(present: str, before: str | None, written: str, kind: Kind, *, source: str) -> str | None:
    """Return the present text without what setup wrote, or None when then nothing is left of a file of ours.

    Raises `InvalidInput` for a text that its agent could not read, or that cannot be edited without loss.
    """
    if kind == "lines":
        rest = _without_lines(present, before or "", written)
        return rest if rest.strip() or before is not None else None
    if kind == "own":
        return before
    crlf = "\r\n" in present and "\n" not in present.replace("\r\n", "")
    plain = present.replace("\r\n", "\n") if crlf else present
    now, old, ours = (read(text, kind, source) for text in (plain, before or "", written))
    expected = _restored(now, old, ours)
    if not expected and before is None and _holds_nothing_else(plain, kind):
        return None
    after = _edited(plain, kind, now, expected, source)
    if before is None:
        after = after.lstrip("\n")  # the gap after our tables, of which none is left
    if not same(read(after, kind, source), expected):
        raise unmergeable(source, "an unusual layout")
    return after.replace("\n", "\r\n") if crlf else after


def _restored(now: Values, old: Values, ours: Values) -> Values:
    """Return the present values with ours undone."""
    result = copy.deepcopy(now)
    for path, value in leaves(ours, ()):
        former, present = _get(old, path), _get(now, path)
        if _equal(former, value):
            continue
        if isinstance(value, list) and isinstance(present, list):
            kept = former if isinstance(former, list) else []
            rest = [item for item in present if item in kept or item not in value]
            _set(result, path, rest if rest or former is not _ABSENT else _ABSENT)
        elif _equal(present, value):
            _set(result, path, former)
    for path, value in leaves(old, ()):
        if _get(ours, path) is _ABSENT and _get(result, path) is _ABSENT:
            _set(result, path, value)
        elif isinstance(at(ours, *path), dict) and not isinstance(value, dict):  # a bare word became a table
            inner = at(result, *path)
            if inner is None or _equal(inner, at(ours, *path)) or not inner:
                _set(result, path, value)
            elif isinstance(inner, dict):
                inner.setdefault("*", value)
    _prune(result, old)
    return result


def _prune(values: Values, old: Any) -> None:
    """Take out tables that are empty now and were not there before."""
    for key, value in list(values.items()):
        if isinstance(value, dict):
            former = old.get(key, _ABSENT) if isinstance(old, dict) else _ABSENT
            _prune(value, former)
            if not value and former is _ABSENT:
                del values[key]


def _edited(text: str, kind: Form, now: Values, expected: Values, source: str) -> str:
    gone = tuple(_missing(now, expected, ()))
    changed = [(path, value) for path, value in leaves(expected, ()) if not _equal(_get(now, path), value)]
    try:
        if kind == "toml":
            wanted: Values = {}
            for path, value in changed:
                _set(wanted, path, value)
            return toml_text.edited(text, wanted, gone)
        strict = kind == "json"
        for path in gone:
            text = jsonc.remove(text, path, strict=strict)
        for path, value in changed:
            text = jsonc.put(text, path, value, strict=strict)
        return text
    except (toml_text.BrokenToml, jsonc.BrokenJson) as error:
        raise unmergeable(source, str(error)) from None


def _missing(now: Values, expected: Values, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the highest places of `now` that `expected` lacks."""
    for key, value in now.items():
        if key not in expected:
            yield (*path, key)
        elif isinstance(value, dict) and isinstance(expected[key], dict):
            yield from _missing(value, expected[key], (*path, key))


def _get(values: Values, path: KeyPath) -> Any:
    node: Any = values
    for key in path:
        if not isinstance(node, dict) or key not in node:
            return _ABSENT
        node = node[key]
    return node


def _set(values: Values, path: KeyPath, value: Any) -> None:
    node = values
    for key in path[:-1]:
        if not isinstance(node.get(key), dict):
            if value is _ABSENT:
                return
            node[key] = {}
        node = node[key]
    if value is _ABSENT:
        node.pop(path[-1], None)
    else:
        node[path[-1]] = copy.deepcopy(value)


def _equal(one: Any, other: Any) -> bool:
    if one is _ABSENT or other is _ABSENT:
        return one is other
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def _holds_nothing_else(text: str, kind: Form) -> bool:
    """Tell whether a text has no comments of anybody's, so that without values it is empty."""
    return kind == "json" or (
        "#" not in text if kind == "toml" else "//" not in _plain(text) and "/*" not in text
    )


def _plain(text: str) -> str:
    return text.replace("://", "")


def _without_lines(present: str, before: str, written: str) -> str:
    former = before.splitlines()
    ours = [line for line in written.splitlines() if line not in former]
    return "".join(line for line in present.splitlines(keepends=True) if line.rstrip("\r\n") not in ours)
