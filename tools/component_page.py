"""The page of the components, made from their code: `docs/components.md` is a copy of it.

Arguments are those of the sections behind them, outputs the attributes of the classes; neither is said twice.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import components
from components.sections import ARGUMENTS, KeyArgument
from onprem_agents.stack.section import Section
from onprem_agents.stack.settings_page import entry_of, not_null, section_of, sections, table, values_of
from tools.component_examples import COMPONENTS, HEAD

_LEFT_OUT = "Left out: "
_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
# What numbers count. "in seconds" before all others, then the word that a description says first.
_COUNTED = ("seconds", "tokens", "GPUs", "nodes", "model servers", "sessions", "requests", "developers")
_UNITS = {unit: unit for unit in _COUNTED} | {"share": "(share)", "temperature": "", "TCP port": "(TCP port)"}


def component_page() -> str:
    """Return the page as Markdown."""
    parts = [
        f"### {title}\n\n{_line(section.__doc__)}\n\n{_argument_table(_arguments(section))}"
        for title, section in _references().items()
    ]
    shown = [_component(name, example) for name, example in COMPONENTS.items()]
    return "\n".join([HEAD, *shown, "## What components tell each other\n", *parts])


def unit_of(description: str) -> str:
    """Return what a number counts, as its description says; empty where it counts nothing.

    Raises `LookupError` when the description does not say it.
    """
    measured = re.search(r"\bin (seconds|tokens|MiB/s|GiB)\b", description)
    if measured:
        return measured[1]
    words = {unit: re.search(rf"\b{unit}\b", description, re.IGNORECASE) for unit in _UNITS}
    found = {unit: match.start() for unit, match in words.items() if match}
    if not found:
        raise LookupError(f"a number without a unit: {description!r} says none of {', '.join(_UNITS)}")
    return _UNITS[min(found, key=lambda unit: found[unit])]


@dataclass(frozen=True, kw_only=True)
class _Argument:
    """One row of a table of arguments."""

    name: str
    kind: str
    required: bool
    default: str
    meaning: str

    @property
    def row(self) -> tuple[str, str, str, str]:
        return f"`{self.name}`", self.kind, "required" if self.required else self.default, self.meaning


def _component(name: str, example: str) -> str:
    found = getattr(components, name)
    arguments = ARGUMENTS[name]
    rows = [*_arguments(arguments.section), *map(_key, arguments.keys)]
    outputs = table(("output", "type", "meaning"), _outputs(found))
    return (
        f"## {name}\n\n{_line(found.__doc__)}\n\n```python\n{example.strip()}\n```\n\n"
        f"{_argument_table(rows)}\n{outputs}"
    )


def _argument_table(arguments: Iterable[_Argument]) -> str:
    """Return a table with what must be said first."""
    rows = [each.row for each in sorted(arguments, key=lambda each: not each.required)]
    return table(("argument", "type, values", "default, and where it comes from", "meaning"), rows)


def _arguments(section: type[Section]) -> Iterator[_Argument]:
    schema = section.model_json_schema(by_alias=True)
    names = {str(info.alias): name for name, info in section.model_fields.items()}
    for alias, field in schema["properties"].items():
        description = _in_python(str(field["description"]), names)
        meaning, _, left_out = description.partition(_LEFT_OUT)
        yield _Argument(
            name=names[alias],
            kind=_kind(not_null(field), description),
            required=alias in schema.get("required", ()),
            default=_default(field, left_out, _setting(section, names[alias], alias)),
            meaning=meaning.strip(),
        )


def _key(key: KeyArgument) -> _Argument:
    meaning, _, left_out = key.description.partition(_LEFT_OUT)
    kind = "`Mapping[str, str]` or `Mapping[str, Sequence[str]]`" if key.by_developer else "`str`"
    return _Argument(
        name=key.name,
        kind=f"{kind}, secret",
        required=key.required,
        default=left_out.rstrip(".") or "none",
        meaning=meaning.strip(),
    )


def _kind(kind: dict[str, Any], description: str) -> str:
    """Return the type of an argument, and which values and units it takes."""
    section, _ = section_of(kind)
    if section is not None:
        path = _settings().get(section)
        target = f"settings.md#{_anchor(path)}" if path else f"#{section.lower()}"
        return _wrapped(kind, f"[`{section}`]({target})")
    entry = entry_of(kind) if kind["type"] in ("array", "object") else kind
    told = values_of(entry, None) if entry else "text"
    if kind["type"] in ("integer", "number"):
        told = f"{told} {unit_of(description)}".rstrip()
    return f"`{_type(kind)}`" if told in ("text", "`true`, `false`") else f"`{_type(kind)}`: {told}"


def _wrapped(kind: dict[str, Any], link: str) -> str:
    return {"array": f"list of {link}", "object": f"map by name of {link}"}.get(str(kind.get("type")), link)


def _type(kind: dict[str, Any]) -> str:
    match kind.get("type"):
        case None:
            return "Any"
        case "array":
            return f"Sequence[{_type(entry_of(kind))}]"
        case "object":
            return f"Mapping[str, {_type(entry_of(kind))}]"
        case _:
            return _TYPES[str(kind["type"])]


def _default(field: dict[str, Any], left_out: str, setting: str) -> str:
    value = field.get("default")
    if isinstance(value, dict) and value:
        told = "that of each key"
    elif left_out:
        told = left_out.rstrip(".")
    elif value in (None, [], {}):
        told = "none"
    else:
        told = f"`{json.dumps(value) if isinstance(value, str) else value}`"
    return f"{told}; as {setting}" if setting else told


def _setting(section: type[Section], name: str, alias: str) -> str:
    """Return a link to the setting of a stack that an argument is; empty where it is the component's own."""
    owner = next(each for each in section.__mro__ if name in inspect.get_annotations(each))
    for title, path in _settings().items():
        if owner is not Section and issubclass(_classes()[title], owner):
            return f"[`{path}.{alias}`](settings.md#{_anchor(path)})"
    return ""


def _outputs(found: type) -> Iterator[tuple[str, str, str]]:
    """Yield name, type and docstring of each attribute that a component promises."""
    tree = next(
        each for each in ast.walk(ast.parse(inspect.getsource(found))) if isinstance(each, ast.ClassDef)
    )
    for statement, docstring in itertools.pairwise(tree.body):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(docstring, ast.Expr):
            continue
        name, told = ast.unparse(statement.target), _line(ast.literal_eval(docstring.value))
        kind = ast.unparse(statement.annotation).removeprefix("pulumi.Output[").removesuffix("]")
        shown = f"[`{kind}`](#{kind.lower()})" if kind in _references() else f"`{kind}`"
        counted = re.search(r"\b(int|float)\b", kind)
        yield f"`{name}`", f"{shown}: {unit_of(told)}" if counted else shown, told


@cache
def _settings() -> Mapping[str, str]:
    """Return the path of each map of settings of a stack, by the name of its section."""
    return {str(schema["title"]): path for path, schema in sections()}


@cache
def _references() -> Mapping[str, type[Section]]:
    """Return the maps that components tell each other, by name: those which are no settings of a stack."""
    found: set[str] = set()
    for name in COMPONENTS:
        found |= set(ARGUMENTS[name].section.model_json_schema(by_alias=True).get("$defs", {}))
    return {title: _classes()[title] for title in sorted(found - _settings().keys())}


@cache
def _classes() -> Mapping[str, type[Section]]:
    found, waiting = {}, [Section]
    while waiting:
        for each in waiting.pop().__subclasses__():
            found[each.__name__] = each
            waiting.append(each)
    return found


def _in_python(description: str, names: Mapping[str, str]) -> str:
    """Return a description that names arguments as Python does."""
    return re.sub(
        r"'(\w+)'", lambda word: f"`{names[word[1]]}`" if word[1] in names else word[0], description
    )


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading).lower()


def _line(docstring: str | None) -> str:
    return " ".join(str(docstring).split("\n\n")[0].split())
