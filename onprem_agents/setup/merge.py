"""One wanted configuration merged into the text that a user has: what is not ours stays byte for byte."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from onprem_agents.agents.config import KeyPath, Values, Wanted, at
from onprem_agents.agents.machine import Form
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.setup import jsonc, toml_text, yaml_text


def merged_text(text: str, form: Form, wanted: Wanted, *, source: str) -> str:
    """Return the text with the wanted values in it; the same text when they are there already.

    `source` names the file in messages. Raises `InvalidInput` for a text that its agent could not read, with
    the line, and where the user has another kind of value in a place of ours.
    """
    crlf = "\r\n" in text and "\n" not in text.replace("\r\n", "")
    plain = text.replace("\r\n", "\n") if crlf else text
    before = read(plain, form, source)
    wanted = _spread(_settled(wanted.leaving(before), before), before)
    problems = list(_clashes(wanted.values, before, wanted.word_tables, (), source))
    if problems:
        raise InvalidInput(source, problems)
    expected = _expected(before, wanted)
    if same(before, expected) and plain.strip():
        return text
    after = _edited(plain, form, wanted, expected, source)
    if not same(read(after, form, source), expected):
        raise unmergeable(source, "an unusual layout")
    return after.replace("\n", "\r\n") if crlf else after


def read(text: str, form: Form, source: str) -> Values:
    """Return the values of a configuration text; an empty one has none. Raises `InvalidInput` with the line."""
    if not text.strip():
        return {}
    try:
        if form == "toml":
            return toml_text.parse(text)
        if form == "yaml":
            return yaml_text.parse(text)
        return jsonc.parse_object(text, strict=form == "json")
    except (toml_text.BrokenToml, yaml_text.BrokenYaml, jsonc.BrokenJson) as error:
        kind = {"json": "JSON", "jsonc": "JSON with comments", "toml": "TOML", "yaml": "YAML"}[form]
        problem = Problem(
            where=f"line {error.line}" if error.line else "the file",
            cause="broken-syntax",
            found=error.reason,
            why=f"the agent reads this file as {kind} and would refuse it; nothing was changed",
            fix="mend that line, or move the file away, and run onprem-agents setup again",
        )
        raise InvalidInput(source, [problem]) from None


def _edited(text: str, form: Form, wanted: Wanted, expected: Values, source: str) -> str:
    if not text.strip() and form != "yaml":
        return toml_text.edited("", expected, ()) if form == "toml" else json.dumps(expected, indent=2) + "\n"
    try:
        if form == "yaml":
            return yaml_text.edited(text, expected)
        if form == "toml":
            return toml_text.edited(text, wanted.values, wanted.removed)
        strict = form == "json"
        for path in wanted.removed:
            text = jsonc.remove(text, path, strict=strict)
        for name in wanted.word_tables:
            word = jsonc.parse(text, strict=strict).value.get(name)
            if isinstance(word, str):
                text = jsonc.put(text, (name,), {"*": word}, strict=strict)
        for path, value in leaves(wanted.values, ()):
            text = _put_json(text, path, value, grown=path in wanted.added_to, strict=strict)
        return text
    except (toml_text.BrokenToml, yaml_text.BrokenYaml, jsonc.BrokenJson) as error:
        raise unmergeable(source, str(error)) from None


def _put_json(text: str, path: KeyPath, value: Any, *, grown: bool, strict: bool) -> str:
    present = at(jsonc.parse(text, strict=strict).value, *path)
    if grown and isinstance(present, list):
        for item in value:
            if item not in present:
                text = jsonc.append(text, path, item, strict=strict)
        return text
    return jsonc.put(text, path, value, strict=strict)


def _settled(wanted: Wanted, before: Values) -> Wanted:
    """Return what is wanted of this very file: which keys of ours are out of date, which lists must name us."""
    values, removed, grown = copy.deepcopy(wanted.values), list(wanted.removed), list(wanted.added_to)
    for table in wanted.owned:
        present, ours = at(before, *table), at(values, *table)
        removed += [(*table, key) for key in present if key not in ours] if isinstance(present, dict) else []
    for path, value in wanted.former:
        present = at(before, *path)
        if path in grown and isinstance(present, list) and isinstance(ours := at(values, *path), list):
            kept = [item for item in present if item not in value]
            at(values, *path[:-1])[path[-1]] = [*kept, *(item for item in ours if item not in kept)]
            grown.remove(path)
        elif present == value:
            removed.append(path)
    for path, item in wanted.joined:
        if path not in removed and isinstance(at(before, *path), list):
            holder = values
            for key in path[:-1]:
                holder = holder.setdefault(key, {})
            holder[path[-1]] = [item]
            grown.append(path)
    return replace(wanted, values=values, removed=tuple(removed), added_to=tuple(grown))


def _spread(wanted: Wanted, before: Values) -> Wanted:
    """Return the wanted values with each bare word of the user's made the rule that it stands for."""
    words = {name: before[name] for name in wanted.word_tables if isinstance(before.get(name), str)}
    spread = {name: {"*": word, **wanted.values[name]} for name, word in words.items()}
    return replace(wanted, values=wanted.values | spread)


def _expected(before: Values, wanted: Wanted) -> Values:
    result = copy.deepcopy(before)
    for path in wanted.removed:
        holder = at(result, *path[:-1])
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
    for path, value in leaves(wanted.values, ()):
        node = result
        for key in path[:-1]:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        present = node.get(path[-1])
        kept = present if path in wanted.added_to and isinstance(present, list) else []
        node[path[-1]] = _grown(kept, value) if kept else value
    return result


def _grown(present: list[Any], added: list[Any]) -> list[Any]:
    """Return a list of the user's with ours in it; one of ours takes the place of its namesake."""
    named = {item["name"]: item for item in added if isinstance(item, dict) and "name" in item}
    kept = [named.get(item.get("name"), item) if isinstance(item, dict) else item for item in present]
    return [*kept, *(item for item in added if item not in kept)]


def _clashes(
    wanted: Values, before: Values, word_tables: tuple[str, ...], path: KeyPath, source: str
) -> Iterator[Problem]:
    for key, value in wanted.items():
        if key not in before:
            continue
        here, present = (*path, key), before[key]
        if isinstance(value, dict) and isinstance(present, dict):
            yield from _clashes(value, present, word_tables, here, source)
        elif here in {(name,) for name in word_tables} and isinstance(present, str):
            continue
        elif isinstance(value, (dict, list)) and type(present) is not type(value):
            yield Problem(
                where=".".join(here),
                cause="foreign-setting",
                found=f"a {type(present).__name__} instead of {'a table' if isinstance(value, dict) else 'a list'}",
                why="the agent expects another kind of value there, and merging would lose yours",
                fix=f"take {here[-1]} out of {source} and run onprem-agents setup again",
            )


def leaves(values: Values, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every value that is no table, and empty tables, each with its place below `path`."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def same(one: Values, other: Values) -> bool:
    """Tell whether two configurations are equal, with 1 and true apart, and dates as their text."""
    first, second = (json.dumps(values, sort_keys=True, default=str) for values in (one, other))
    return first == second


def unmergeable(source: str, reason: str) -> InvalidInput:
    """Return the refusal of a file that cannot be edited without touching what is not ours."""
    problem = Problem(
        where="the file",
        cause="unusual-layout",
        found=reason,
        why="onprem-agents could not add its settings without touching yours; nothing was changed",
        fix="add what 'onprem-agents setup --print' shows by hand",
    )
    return InvalidInput(source, [problem])
