"""The page of all settings, made from their schema: `docs/settings.md` is a copy of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    schema = json_schema()
    sections = list(_sections("platform", schema, schema["$defs"]))
    return _HEAD + "".join(f"\n{part}" for part in sections)


def _sections(path: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    rows = [("setting", "values", "default", "meaning"), ("---", "---", "---", "---")]
    inner: list[tuple[str, dict[str, Any]]] = []
    for name, field in schema["properties"].items():
        kind = _not_null(field)
        section, beside = _section_of(kind)
        if section is not None:
            inner.append((f"{path}.{name}{beside}", definitions[section]))
        default = _default(name, field, schema, plain=section is None)
        rows.append((f"`{name}`", _values(kind, section), default, str(field["description"])))
    lines = "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
    yield f"## {path}\n\n{' '.join(schema['description'].split())}\n\n{lines}"
    for where, found in inner:
        yield from _sections(where, found, definitions)


def _not_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return what a setting may be where it is said."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if kinds else field


def _section_of(kind: dict[str, Any]) -> tuple[str | None, str]:
    """Return the map of settings in a setting, if there is one, and how its place is written."""
    reference = kind.get("$ref") or _within(kind).get("$ref")
    beside = "" if "$ref" in kind else _BESIDE.get(str(kind.get("type")), "")
    return (reference.rpartition("/")[2], beside) if reference else (None, "")


def _within(kind: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry of a list or map may be; maps with checked names have it beside the pattern of these."""
    by_name: dict[str, Any] = next(iter(kind.get("patternProperties", {}).values()), {})
    entries: dict[str, Any] = kind.get("items") or kind.get("additionalProperties") or by_name
    return entries


def _values(kind: dict[str, Any], section: str | None) -> str:
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if section is not None:
        return {"array": "list of maps", "object": "map of maps"}.get(str(kind.get("type")), "map")
    match kind["type"]:
        case "boolean":
            told = "`true`, `false`"
        case "integer" | "number":
            told = f"{kind['minimum']} to {kind['maximum']}"
        case "array":
            told = f"list of: {_values(_within(kind), None)}"
        case "object":
            told = f"map to: {_values(_within(kind), None)}"
        case _:
            told = str(kind.get("patternErrorMessage", "text"))
    return told


def _default(name: str, field: dict[str, Any], schema: dict[str, Any], *, plain: bool) -> str:
    if name in schema.get("required", ()):
        return "must be said"
    value = field.get("default")
    return f"`{json.dumps(value)}`" if plain and value not in (None, [], {}) else ""
