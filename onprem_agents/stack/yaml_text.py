"""YAML, or JSON, that a person wrote: what it holds, and keys that stand twice, of which readers take one silently."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from onprem_agents.errors import InvalidInput, Problem

_ENDLESS = Problem(
    where="the file",
    cause="wrong-shape",
    found="a value that holds itself, or values nested without end",
    why="no settings look like that",
    fix="take the alias (*name) out that stands within its own anchor (&name)",
)


def read_yaml(text: str, source: str) -> tuple[object, list[Problem]]:
    """Return what the text holds, None where that is nothing, and each key that stands twice in a map.

    Raises `InvalidInput` of `source` for a text of which nothing can be said.
    """
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if node is None:
            return None, []
        return yaml.load(text, Loader=yaml.CSafeLoader), list(_duplicates(node, ()))
    except (yaml.YAMLError, ValueError) as error:  # PyYAML leaves the ValueError of a date such as 2026-13-01
        raise InvalidInput(source, [_broken(error)]) from None
    except RecursionError:
        raise InvalidInput(source, [_ENDLESS]) from None


def _broken(error: yaml.YAMLError | ValueError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "the file"
    return Problem(
        where=line,
        cause="broken-syntax",
        found=str(getattr(error, "problem", None) or error),
        why="it is not valid YAML",
        fix="mend the indentation or quoting there",
    )


def _duplicates(node: yaml.Node, path: tuple[str, ...]) -> Iterator[Problem]:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _duplicates(item, (*path, f"[{index}]"))
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[str, int] = {}
    for key, value in node.value:
        name = str(key.value)
        line = key.start_mark.line + 1
        if name in first:
            yield Problem(
                where=".".join((*path, name)).replace(".[", "["),
                cause="repeated",
                found=f"the key {name!r} on line {first[name]} and again on line {line}",
                why="only one of them can count, and readers differ about which",
                fix=f"remove line {first[name]} or line {line}",
            )
        first.setdefault(name, line)
        yield from _duplicates(value, (*path, name))
