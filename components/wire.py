"""Arguments as Python writes them → settings as the plan reads them: names in camelCase, and nothing but values.

What a program cannot know yet is an unknown of Pulumi's, at any depth: nothing stands there, and its place is told.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union, get_args, get_origin

from onprem_agents.errors import Problem, nearest_hint
from onprem_agents.stack.section import Section, sections_in

from .awaited import SECRET, is_unknown
from .spelling import argument


@dataclass(kw_only=True)
class Wire:
    """The settings of one component in wire form, and what came to light on the way."""

    settings: Any = None
    unknown: list[str] = field(default_factory=list)
    """Places of arguments that will only be known later."""
    problems: list[Problem] = field(default_factory=list)

    def follows(self, problem: Problem) -> bool:
        """Tell whether a problem may go away as soon as everything is known."""
        above = ("", "arguments")
        return any(
            problem.where in above or re.match(re.escape(problem.where) + r"(?![^.\[])", place)
            for place in self.unknown
        )


def to_wire(section: type[Section], arguments: Mapping[str, Any]) -> Wire:
    """Return a component's arguments, whose values may be unknowns, as settings."""
    wire = Wire()
    wire.settings = _section(section, arguments, "", wire)
    return wire


def to_python(section: Section) -> dict[str, Any]:
    """Return settings as Python writes them: what one component tells is an argument of the next."""
    return section.model_dump(mode="json", exclude_none=True)


def python_names(section: type[Section]) -> dict[str, str]:
    """Return how Python writes the settings that the wire form writes otherwise."""
    names = {str(info.alias): name for name, info in section.model_fields.items() if info.alias != name}
    for info in section.model_fields.values():
        for inner in sections_in(info.annotation):
            names |= python_names(inner)
    return names


def _section(section: type[Section], values: Mapping[str, Any], where: str, wire: Wire) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        info = section.model_fields.get(name)
        written = str(name) if info is None else argument(name, str(info.alias))
        place = f"{where}.{written}" if where else written
        if info is None:
            wire.problems.append(_no_argument(place, name, section))
        elif value is not None:  # None is nothing said, as Pulumi reads it
            found[str(info.alias)] = _value(info.annotation, value, place, wire)
    return found


def _value(annotation: Any, value: Any, where: str, wire: Wire) -> Any:
    problem = _secret(where) if value is SECRET else _no_value(where, value)
    if problem is not None:
        wire.problems.append(problem)
    if problem is not None or is_unknown(value):
        wire.unknown.append(where)
        return None
    annotation = _said(annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if isinstance(value, Mapping):
        if isinstance(annotation, type) and not origin and issubclass(annotation, Section):
            return _section(annotation, value, where, wire)
        if origin is dict:
            return {
                str(name): _value(inner[1], each, f"{where}.{name}", wire) for name, each in value.items()
            }
    if origin is tuple and isinstance(value, Sequence) and not isinstance(value, str):
        return [_value(inner[0], each, f"{where}[{index}]", wire) for index, each in enumerate(value)]
    # Programs in other languages have no integers: 3 comes as 3.0 (a protobuf Struct has doubles alone; 5.29, 2026-11).
    if annotation is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _said(annotation: Any) -> Any:
    """Return what a setting is where it is said, without its limits."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (each for each in get_args(annotation) if each is not types.NoneType)
    return _said(get_args(annotation)[0]) if hasattr(annotation, "__metadata__") else annotation


def _no_argument(where: str, name: object, section: type[Section]) -> Problem:
    return Problem(
        where=where,
        cause="unknown-key",
        found=f"the argument {str(name)[:80]!r}",
        why="there is no such argument, so it would be ignored silently",
        fix=f"{nearest_hint(str(name), section.model_fields)} (or leave it out)",
    )


def _no_value(where: str, value: object) -> Problem | None:
    """Return the problem of a value that no setting can have; nothing where it may be one."""
    if isinstance(value, str | int | float | Mapping | Sequence) and not isinstance(value, bytes | bytearray):
        return None
    if is_unknown(value) or value is None:
        return None
    return Problem(
        where=where,
        cause="wrong-shape",
        found=f"a value of the type {type(value).__name__!r}",
        why="settings are made of text, numbers, booleans, lists and maps, and their order must not change by itself",
        fix=f"write {where.rpartition('.')[2]} as one of them",
    )


def _secret(where: str) -> Problem:
    return Problem(
        where=where,
        cause="not-a-secret",
        found="a secret Output (not shown)",
        why="settings are published in outputs and in the connection contract, where a secret would leak",
        fix="give a plain value, or 'pulumi.Output.unsecret' of one that is none",
    )
