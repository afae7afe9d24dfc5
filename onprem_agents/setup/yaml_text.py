"""YAML edited in place: the parser tells where each value stands, and only those places are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import CollectionNode, MappingNode, Node

Edit = tuple[int, int, str]
"""From and to in the text, and what stands there afterwards."""


class BrokenYaml(ValueError):
    """The text is no YAML, or none of plain values under plain names; `line` counts from 1, 0 is unknown."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason = reason
        self.line = line
        super().__init__(reason)


def parse(text: str) -> dict[str, Any]:
    """Return the values; raises `BrokenYaml` with the line."""
    try:
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if mark is None or (error.context_mark is not None and not text[mark.index :].strip()):
            mark = error.context_mark  # what was begun, where the text ends before it does
        raise BrokenYaml(error.problem or "no YAML", mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BrokenYaml(str(error).splitlines()[0] if str(error) else "no YAML") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not _is_plain(values):
        raise BrokenYaml("something else than values under names")
    return values


def edited(text: str, expected: dict[str, Any]) -> str:
    """Return the text with these values; comments, order and layout of everything else stay.

    The text is one that `parse` reads. Raises `BrokenYaml` for braces around the whole; other layouts that this cannot
    edit come out with other values: the caller compares.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(root, MappingNode) and root.flow_style:
        raise BrokenYaml("braces around the whole file")
    if not isinstance(root, MappingNode):
        return _on_lines_of_its_own(text) + _block(expected, 0) + "\n"
    for start, end, new in sorted(_mapping(text, root, expected), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _mapping(text: str, node: MappingNode, expected: dict[str, Any]) -> Iterator[Edit]:
    pairs = {key.value: (key, value) for key, value in node.value}
    for name, (key, value) in pairs.items():
        if name in expected:
            yield from _value(text, key, value, expected[name])
        else:
            start, end = text.rfind("\n", 0, key.start_mark.index) + 1, _end_of_line(text, _end(value))
            yield start, min(end + 1, len(text)), ""
    if new := {name: value for name, value in expected.items() if name not in pairs}:
        column = node.start_mark.column
        at = _end_of_line(text, _end(node))
        yield at, at, f"\n{' ' * column}{_block(new, column)}"


def _value(text: str, key: Node, node: Node, expected: Any) -> Iterator[Edit]:
    if _constructed(node) == expected and type(_constructed(node)) is type(expected):
        return
    if not isinstance(node, CollectionNode) or node.flow_style or not _is_kept(node, expected):
        yield text.index(":", key.end_mark.index) + 1, _end(node), f" {_flow(expected)}"
    elif isinstance(node, MappingNode):
        yield from _mapping(text, node, expected)
    else:
        yield from _sequence(text, node, expected)


def _is_kept(node: CollectionNode, expected: Any) -> bool:
    """Whether the lines of a table or list can stay, with some of them changed and more of them added."""
    if isinstance(node, MappingNode):
        return isinstance(expected, dict)
    return isinstance(expected, list) and len(expected) >= len(node.value)


def _sequence(text: str, node: CollectionNode, expected: list[Any]) -> Iterator[Edit]:
    """Yield what makes it the expected one, which is as long as it is or longer."""
    for item, value in zip(node.value, expected, strict=False):
        if _constructed(item) != value:
            yield item.start_mark.index, _end(item), _block(value, item.start_mark.column)
    if more := expected[len(node.value) :]:
        column = node.start_mark.column
        at = _end_of_line(text, _end(node))
        yield at, at, f"\n{' ' * column}{_block(more, column)}"


def _end(node: Node) -> int:
    """Return where the last word of a value ends; the parser's own end lies behind blank lines and comments."""
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    # An alias stands where its anchor does, so the name before it may be further down.
    return max(last[0].end_mark.index, _end(last[1])) if isinstance(node, MappingNode) else _end(last)


def _end_of_line(text: str, position: int) -> int:
    if position and text[position - 1] == "\n":
        return position - 1
    end = text.find("\n", position)
    return end if end >= 0 else len(text)


def _constructed(node: Node) -> Any:
    return SafeConstructor().construct_document(node)


def _block(value: Any, column: int) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").rstrip("\n").replace("\n", f"\n{' ' * column}")


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").rstrip("\n")


def _on_lines_of_its_own(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return all(map(_is_plain, value)) if isinstance(value, list) else True
