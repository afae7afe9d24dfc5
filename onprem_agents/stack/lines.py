"""The line of a stack file on which a setting stands, for whoever shows a finding beside the file."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from onprem_agents.stack.settings import PROJECT

_LINE = re.compile(r"line (\d+)")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\[(\w+)=([^\]]*)\]")


def line_of(text: str, key: str) -> int:
    """Return the line, from 1, of a key as errors name it (`platform.models[0].context`, `…[role=coder]…`, `line 3`).

    Where the file has no such key, it is the line of the nearest one above it; 1 where there is none either.
    """
    told = _LINE.match(key)
    if told is not None:
        return int(told[1])
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return 1
    line = 1
    for step in _steps(key):
        found = _next(node, step)
        if found is None:
            break
        line, node = found
    return line


def _steps(key: str) -> Iterator[str | int | tuple[str, str]]:
    """Yield how one comes to a key from the top of the file: a name, an index, or a name with its value."""
    below = key.removeprefix("config.").removeprefix(f"{PROJECT}:")
    for number, step in enumerate(_STEP.finditer(below)):
        if number == 0:
            yield "config"
            yield f"{PROJECT}:{step[1]}"
        elif step[1] is not None:
            yield step[1]
        else:
            yield int(step[2]) if step[2] is not None else (step[3], step[4])


def _next(node: yaml.Node | None, step: str | int | tuple[str, str]) -> tuple[int, yaml.Node] | None:
    """Return the line and the value of one step below a node, None where there is no such."""
    if isinstance(step, str):
        return next(((_line(name), value) for name, value in _pairs(node) if _scalar(name) == step), None)
    entries = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(step, int):
        return (_line(entries[step]), entries[step]) if step < len(entries) else None
    return next(((_line(entry), entry) for entry in entries if _has(entry, *step)), None)


def _has(entry: yaml.Node, key: str, text: str) -> bool:
    return any(_scalar(name) == key and _scalar(value) == text for name, value in _pairs(entry))


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from node.value


def _scalar(node: yaml.Node) -> str | None:
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
