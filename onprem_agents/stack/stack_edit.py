"""Entries of a stack file set and removed as text: comments, order and layout of everything else stay.

PyYAML tells where each node stands; only those places change, and the result is read back and compared.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from onprem_agents.errors import InvalidInput, Problem

_WIDE = 10_000_000  # never break a line: a cipher text is one


def put(text: str, path: tuple[str, ...], value: Any, source: str) -> str:
    """Return the YAML text with that value at that path of map keys; maps on the way are made.

    Raises `InvalidInput` when something on the way is no map.
    """
    expected: Any = yaml.safe_load(text)
    node = expected
    for key in path[:-1]:
        node = node.setdefault(key, {}) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        raise _unusual(source, f"no map at {'.'.join(path[:-1])}")
    node[path[-1]] = value
    parent, rest = _nearest(text, path)
    for key in reversed(rest[1:]):
        value = {key: value}
    return _checked(_set(text, parent, rest[0], value), expected, source)


def remove(text: str, path: tuple[str, ...], source: str) -> str:
    """Return the YAML text without the entry at that path, which must be there."""
    expected: Any = yaml.safe_load(text)
    node = expected
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    parent, rest = _nearest(text, path)
    return _checked(_cut(text, parent, rest[0]), expected, source)


def _nearest(text: str, path: tuple[str, ...]) -> tuple[yaml.MappingNode, tuple[str, ...]]:
    """Return the deepest map on the path that has an entry to set, and the keys from there on."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the caller read it as a map
    for index, key in enumerate(path[:-1]):
        child = next((value for name, value in node.value if name.value == key), None)
        if not isinstance(child, yaml.MappingNode):
            return node, path[index:]
        node = child
    return node, path[-1:]


def _set(text: str, parent: yaml.MappingNode, key: str, value: Any) -> str:
    entry = next(((name, old) for name, old in parent.value if name.value == key), None)
    if parent.flow_style:
        written = f"{_flow(key)}: {_flow(value)}"
        if entry is not None:
            return text[: entry[0].start_mark.index] + written + text[entry[1].end_mark.index :]
        end = parent.value[-1][1].end_mark.index if parent.value else parent.start_mark.index + 1
        return text[:end] + (", " if parent.value else "") + written + text[end:]
    column = parent.value[0][0].start_mark.column
    written = yaml.safe_dump(
        {key: value}, default_flow_style=False, sort_keys=False, width=_WIDE, allow_unicode=True
    )
    written = written.rstrip("\n").replace("\n", "\n" + " " * column)
    if entry is not None:
        return text[: entry[0].start_mark.index] + written + text[_end(text, entry[1]) :]
    end = _line_end(text, _end(text, parent.value[-1][1]))
    return f"{text[:end]}\n{' ' * column}{written}{text[end:] or chr(10)}"


def _cut(text: str, parent: yaml.MappingNode, key: str) -> str:
    index = next(index for index, (name, _) in enumerate(parent.value) if name.value == key)
    name, value = parent.value[index]
    if not parent.flow_style:
        start = text.rfind("\n", 0, name.start_mark.index) + 1
        return text[:start] + text[_line_end(text, _end(text, value)) + 1 :]
    if index + 1 < len(parent.value):
        return text[: name.start_mark.index] + text[parent.value[index + 1][0].start_mark.index :]
    start = parent.value[index - 1][1].end_mark.index if index else name.start_mark.index
    return text[:start] + text[value.end_mark.index :]


def _end(text: str, node: yaml.Node) -> int:
    """Return where the text of a node ends; PyYAML lets a block reach to the next token, comments included."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end = node.end_mark.index
    return end - 1 if end > node.start_mark.index and text[end - 1] == "\n" else end


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return json.dumps(value)


def _checked(text: str, expected: Any, source: str) -> str:
    try:
        same = yaml.safe_load(text) == expected
    except yaml.YAMLError:
        same = False
    if not same:
        raise _unusual(source, "an unusual layout around that entry")
    return text


def _unusual(source: str, found: str) -> InvalidInput:
    problem = Problem(
        where="the file",
        cause="unusual-layout",
        found=found,
        why="the entry cannot be set without touching yours; nothing was changed",
        fix="write the maps of developers and keys in the usual block form",
    )
    return InvalidInput(source, [problem])
