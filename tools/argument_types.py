"""The components' arguments as Python types, made from the settings: `components/arguments.py` is a copy of it.

Names, descriptions and what may be left out are those of the sections of `onprem_agents.stack`; nothing is said
twice. The types are those that the Pulumi SDK's analyzer of component packages reads (3.272: plain types, lists,
maps and TypedDicts, each in an Input; no unions, no literals, no annotations that are texts).
"""

from __future__ import annotations

import inspect
import json
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.sections import ARGUMENTS, KeyArgument
from onprem_agents.stack.section import Section, sections_in

_HEAD = '''"""What each component is told: every value may be an Output.

Generated from the settings in `onprem_agents/stack` by `ONPREM_WRITE_GOLDEN=1 ./dev test golden`; the default of a
setting and what it is derived from are said there. The SDK's analyzer of component packages reads these types, so
no annotation is a text here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
'''
_DOCSTRING_COLUMNS = 106
_PLAIN = {str: "str", int: "int", float: "float", bool: "bool"}


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One value of a type: its name, its annotation and what is said of it."""

    name: str
    annotation: str
    told: str


def argument_types() -> str:
    """Return the module as text."""
    written: dict[str, str] = {}
    for component, arguments in ARGUMENTS.items():
        for inner in _within(arguments.section):
            written.setdefault(inner.__name__, _typed_dict(inner.__name__, inner, str(inner.__doc__)))
        name = f"{component}Args"
        told = f"What `{component}` is told."
        written[name] = _typed_dict(name, arguments.section, told, arguments.keys)
    return _HEAD + "".join(f"\n\n{text}" for text in written.values())


def _typed_dict(name: str, section: type[Section], told: str, keys: tuple[KeyArgument, ...] = ()) -> str:
    lines = [
        _Line(name=field_name, annotation=_annotation(field), told=_told(field))
        for field_name, field in section.model_fields.items()
    ]
    lines += [_Line(name=key.name, annotation=_key(key), told=key.description) for key in keys]
    # What must be said comes first.
    lines.sort(key=lambda line: line.annotation.startswith("NotRequired"))
    body = "".join(f"    {line.name}: {line.annotation}\n{_docstring(line.told)}" for line in lines)
    return f"class {name}(TypedDict):\n{_docstring(inspect.cleandoc(told))}\n{body}"


def _annotation(field: FieldInfo) -> str:
    value = f"pulumi.Input[{_type(field.annotation)}]"
    return value if field.is_required() else f"NotRequired[{value}]"


def _key(key: KeyArgument) -> str:
    """Return the type of a key; a developer's may be a text or a list of two, which the analyzer has no type for."""
    value = f"pulumi.Input[{'Mapping[str, pulumi.Input[Any]]' if key.by_developer else 'str'}]"
    return value if key.required else f"NotRequired[{value}]"


def _type(annotation: Any) -> str:
    """Return the type of a setting as the analyzer reads it; what a text may be its description says."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, types.UnionType):
        (kept,) = (each for each in arguments if each is not types.NoneType)
        return _type(kept)
    if origin is Literal:
        return _PLAIN[type(arguments[0])]
    if origin is tuple:
        return f"Sequence[pulumi.Input[{_type(arguments[0])}]]"
    if origin is dict:
        return f"Mapping[str, pulumi.Input[{_type(arguments[1])}]]"
    return _PLAIN.get(annotation) or str(annotation.__name__)


def _told(field: FieldInfo) -> str:
    words = [str(field.description)]
    if choices := list(_choices(field.annotation)):
        words.append(f"One of {', '.join(choices)}.")
    default = field.default
    if not isinstance(default, Section) and default not in (None, (), {}, PydanticUndefined):
        words.append(f"Default: {default if isinstance(default, str) else json.dumps(default)}.")
    first, *rest = words
    return " ".join([first if first.endswith(".") or not rest else f"{first}.", *rest])


def _choices(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
        return
    for inner in get_args(annotation):
        yield from _choices(inner)


def _within(section: type[Section]) -> Iterator[type[Section]]:
    """Yield the sections in a section, the inner ones first: a type must stand before it is used."""
    for field in section.model_fields.values():
        for inner in sections_in(field.annotation):
            yield from _within(inner)
            yield inner


def _docstring(text: str) -> str:
    paragraphs = text.split("\n\n")
    wrapped = [
        "\n".join(textwrap.wrap(each, _DOCSTRING_COLUMNS - 4, break_on_hyphens=False)) for each in paragraphs
    ]
    return (
        textwrap.indent('"""' + "\n\n".join(wrapped) + '"""', "    ", lambda line: bool(line.strip())) + "\n"
    )
