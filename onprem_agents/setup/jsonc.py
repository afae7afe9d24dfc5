"""JSON with or without comments as text with places in it, so that an edit leaves every other byte as it was."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

MAX_DEPTH = 100
_BLANK = re.compile(r"[ \t\r\n]+")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_LITERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


class BrokenJson(ValueError):
    """The text is no JSON (or none that may be edited); `line` counts from 1."""

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.reason = reason
        self.line = text.count("\n", 0, position) + 1
        super().__init__(f"line {self.line}: {reason}")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One value and where it stands: `start` to `end` in the text; `members` by key or `items` in order."""

    kind: Literal["object", "array", "scalar"]
    start: int
    end: int
    scalar: Any = None
    members: dict[str, Node] = field(default_factory=dict)
    items: tuple[Node, ...] = ()
    starts: tuple[int, ...] = ()
    """Where each child begins, its key included."""

    @property
    def value(self) -> Any:
        """The value as Python sees it."""
        if self.kind == "object":
            return {key: node.value for key, node in self.members.items()}
        return [node.value for node in self.items] if self.kind == "array" else self.scalar

    @property
    def children(self) -> tuple[Node, ...]:
        """Values of an object or array, in order."""
        return tuple(self.members.values()) if self.kind == "object" else self.items


def parse(text: str, *, strict: bool) -> Node:
    """Return the root; raises `BrokenJson` with the line. `strict` refuses comments and trailing commas."""
    reader = _Reader(text, strict=strict)
    root = reader.value(reader.skip(0), 0)
    rest = reader.skip(root.end)
    if rest < len(text):
        raise BrokenJson(f"{text[rest]!a} after the end of the value", text, rest)
    return root


def parse_object(text: str, *, strict: bool) -> dict[str, Any]:
    """Return the values of a text whose root is an object; raises `BrokenJson` with the line."""
    root = parse(text, strict=strict)
    if root.kind != "object":
        raise BrokenJson("something other than an object", text, root.start)
    return dict(root.value)


class _Reader:
    def __init__(self, text: str, *, strict: bool) -> None:
        self.text = text
        self.strict = strict

    def skip(self, position: int) -> int:
        """Return the position after blanks and comments."""
        while True:
            if match := _BLANK.match(self.text, position):
                position = match.end()
            elif match := _COMMENT.match(self.text, position):
                if self.strict:
                    raise BrokenJson("a comment, which plain JSON does not have", self.text, position)
                position = match.end()
            else:
                return position

    def value(self, position: int, depth: int) -> Node:
        char = self.text[position : position + 1]
        if depth > MAX_DEPTH:
            raise BrokenJson("values nested without end", self.text, position)
        if char in ("{", "["):
            return self._container(position, depth, closing="}" if char == "{" else "]")
        if char == '"':
            content, end = self._string(position)
            return Node(kind="scalar", start=position, end=end, scalar=content)
        if match := _LITERAL.match(self.text, position):
            return Node(kind="scalar", start=position, end=match.end(), scalar=json.loads(match[0]))
        found = f"{char!a} where a value should be" if char else "the text ends in the middle"
        raise BrokenJson(found, self.text, position)

    def _container(self, start: int, depth: int, *, closing: str) -> Node:
        members: dict[str, Node] = {}
        items: list[Node] = []
        starts: list[int] = []
        position = self.skip(start + 1)
        while self.text[position : position + 1] != closing:
            starts.append(position)
            if closing == "}":
                key, node = self._member(position, depth)
                if key in members:
                    raise BrokenJson(f"the key {key!a} a second time in one object", self.text, position)
                members[key] = node
            else:
                node = self.value(position, depth + 1)
                items.append(node)
            position = self._after(node.end, closing)
        kind: Literal["object", "array"] = "object" if closing == "}" else "array"
        end = position + 1
        return Node(
            kind=kind, start=start, end=end, members=members, items=tuple(items), starts=tuple(starts)
        )

    def _after(self, position: int, closing: str) -> int:
        position = self.skip(position)
        char = self.text[position : position + 1]
        if char == ",":
            after = self.skip(position + 1)
            if self.strict and self.text[after : after + 1] == closing:
                raise BrokenJson(
                    "a comma after the last value, which plain JSON does not have", self.text, position
                )
            return after
        if char == closing:
            return position
        found = f"{char!a} where ',' or '{closing}' should be" if char else "the text ends in the middle"
        raise BrokenJson(found, self.text, position)

    def _member(self, position: int, depth: int) -> tuple[str, Node]:
        if self.text[position : position + 1] != '"':
            char = self.text[position : position + 1]
            found = (
                f"{char!a} where a key in double quotes should be" if char else "the text ends in the middle"
            )
            raise BrokenJson(found, self.text, position)
        key, end = self._string(position)
        colon = self.skip(end)
        if self.text[colon : colon + 1] != ":":
            raise BrokenJson(f"no ':' after the key {key!a}", self.text, colon)
        return key, self.value(self.skip(colon + 1), depth + 1)

    def _string(self, position: int) -> tuple[str, int]:
        match = _STRING.match(self.text, position)
        if match is None:
            raise BrokenJson(
                "a text without its closing quote, or with a raw control character", self.text, position
            )
        try:
            return str(json.loads(match[0])), match.end()
        except ValueError:
            raise BrokenJson("a text with an unknown escape", self.text, position) from None


def put(text: str, path: tuple[str, ...], value: Any, *, strict: bool) -> str:
    """Return the text with that value at that path of object keys; objects on the way are made.

    Raises `BrokenJson` where a value on the way is no object.
    """
    node, done = parse(text, strict=strict), 0
    while done < len(path) and node.kind == "object" and path[done] in node.members:
        node, done = node.members[path[done]], done + 1
    if done == len(path):
        return (
            text
            if node.value == value and type(node.value) is type(value)
            else (
                text[: node.start]
                + _dumps(value, _line_indent(text, node.start), _step(text))
                + text[node.end :]
            )
        )
    if node.kind != "object":
        raise BrokenJson(f"{path[done - 1]!a} holds no object", text, node.start)
    for key in reversed(path[done + 1 :]):
        value = {key: value}
    return _insert(text, node, f"{json.dumps(path[done])}: ", value)


def append(text: str, path: tuple[str, ...], value: Any, *, strict: bool) -> str:
    """Return the text with the value at the end of the list at that path, which must be there."""
    node = parse(text, strict=strict)
    for key in path:
        node = node.members[key]
    return _insert(text, node, "", value)


def remove(text: str, path: tuple[str, ...], *, strict: bool) -> str:
    """Return the text without the member at that path, its comma included; unchanged when there is none."""
    node = parse(text, strict=strict)
    for key in path[:-1]:
        if key not in node.members:
            return text
        node = node.members[key]
    if path[-1] not in node.members:
        return text
    index = list(node.members).index(path[-1])
    start, end = node.starts[index], node.members[path[-1]].end
    if index + 1 < len(node.starts):
        return text[:start] + text[node.starts[index + 1] :]
    if index > 0:
        return text[: node.children[index - 1].end] + text[end:]
    comma = _comma(text, end)
    return text[:start] + text[end if comma is None else comma + 1 :]


def _insert(text: str, node: Node, label: str, value: Any) -> str:
    parent, step = _line_indent(text, node.start), _step(text)
    if not node.children:
        inside = text[node.start + 1 : node.end - 1].rstrip()
        member = f"\n{parent}{step}{label}{_dumps(value, parent + step, step)}\n{parent}"
        return text[: node.start + 1] + inside + member + text[node.end - 1 :]
    last = node.children[-1]
    first_start, last_start = node.starts[0], node.starts[-1]
    comma = _comma(text, last.end)
    head = text[: last.end] + ("," if comma is None else "")
    if "\n" not in text[node.start : last_start]:
        between = "" if comma is None else text[last.end : comma + 1]
        rest = text[last.end if comma is None else comma + 1 :]
        return f"{head}{between} {label}{json.dumps(value)}{rest}"
    indent = _line_indent(text, first_start)
    stop = _end_of_line_comments(text, last.end if comma is None else comma + 1)
    member = f"\n{indent}{label}{_dumps(value, indent, step)}"
    return head + text[last.end : stop] + member + text[stop:]


def _comma(text: str, position: int) -> int | None:
    position = _Reader(text, strict=False).skip(position)
    return position if text[position : position + 1] == "," else None


def _end_of_line_comments(text: str, position: int) -> int:
    """Return where what belongs to this line ends: comments behind a value stay with that value."""
    match = re.compile(r"(?:[ \t]*(?:/\*[^\n]*?\*/|//[^\n]*))*").match(text, position)
    return match.end() if match else position


def _line_indent(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _step(text: str) -> str:
    match = re.search(r"\n([ \t]+)\S", text)
    return "  " if match is None else "\t" if match[1][0] == "\t" else match[1][:8]


def _dumps(value: Any, indent: str, step: str) -> str:
    return json.dumps(value, indent=step).replace("\n", f"\n{indent}")
