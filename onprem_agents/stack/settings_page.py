"""The page of all settings, made from their schema: `docs/settings.md` is a copy of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from onprem_agents.stack.settings import PROJECT, json_schema

_HEAD = f"""# Settings

Every key below `{PROJECT}:platform` in a stack file, made from the schema by `onprem-agents schema --page`.
What is left out is derived: `onprem-agents plan STACK` shows what came of it. Keys without a default must be said.
`stacks/stack.schema.json` tells the same to editors. The secrets `developerKeys` and `serverKey` stand beside
`platform`; `onprem-agents keys` makes them.
"""
_BESIDE = {"array": "[]", "object": ".NAME"}


def settings_page() -> str:
    """Return the page as Markdown: one table for each map of settings, in the order of the schema."""
    return _HEAD + "".join(f"\n{_section(path, schema)}" for path, schema in sections())


def sections() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each map of settings by its path, which is its heading on the page, and its schema."""
    schema = json_schema()
    yield from _within("platform", schema, schema["$defs"])


def _within(
    path: str, schema: dict[str, Any], definitions: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema["properties"].items():
        section, beside = section_of(not_null(field))
        if section is not None:
            yield from _within(f"{path}.{name}{beside}", definitions[section], definitions)


def _section(path: str, schema: dict[str, Any]) -> str:
    rows = []
    for name, field in schema["properties"].items():
        kind = not_null(field)
        section, _ = section_of(kind)
        default = _default(name, field, schema, plain=section is None)
        rows.append((f"`{name}`", values_of(kind, section), default, str(field["description"])))
    lines = table(("setting", "values", "default", "meaning"), rows)
    return f"## {path}\n\n{' '.join(schema['description'].split())}\n\n{lines}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---" for _ in head], *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def not_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return what a setting may be where it is said."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if kinds else field


def section_of(kind: dict[str, Any]) -> tuple[str | None, str]:
    """Return the map of settings in a setting, if there is one, and how its place is written."""
    reference = kind.get("$ref") or entry_of(kind).get("$ref")
    beside = "" if "$ref" in kind else _BESIDE.get(str(kind.get("type")), "")
    return (reference.rpartition("/")[2], beside) if reference else (None, "")


def entry_of(kind: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry of a list or map may be, nothing where it may be anything.

    Maps with checked names have it beside the pattern of these.
    """
    by_name: dict[str, Any] = next(iter(kind.get("patternProperties", {}).values()), {})
    entries = kind.get("items") or kind.get("additionalProperties") or by_name
    return entries if isinstance(entries, dict) else {}


def values_of(kind: dict[str, Any], section: str | None) -> str:
    """Return what may stand there, in words."""
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if section is not None:
        return {"array": "list of maps", "object": "map of maps"}.get(str(kind.get("type")), "map")
    match kind["type"]:
        case "boolean":
            told = "`true`, `false`"
        case "integer" | "number":
            least = kind["minimum"] if "minimum" in kind else f"above {kind['exclusiveMinimum']}"
            told = f"{least} to {kind['maximum']}"
        case "array":
            told = f"list of: {values_of(entry_of(kind), None)}"
        case "object":
            told = f"map to: {values_of(entry_of(kind), None)}"
        case _:
            told = str(kind.get("patternErrorMessage", "text"))
    return told


def _default(name: str, field: dict[str, Any], schema: dict[str, Any], *, plain: bool) -> str:
    if name in schema.get("required", ()):
        return "must be said"
    value = field.get("default")
    return f"`{json.dumps(value)}`" if plain and value not in (None, [], {}) else ""
