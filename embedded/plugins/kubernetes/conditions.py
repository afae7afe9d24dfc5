"""`pulumi.com/waitFor`: JSONPath and condition expressions, with the official provider's semantics."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from embedded.plugins.kubernetes.directives import WAIT_FOR, annotation
from embedded.plugins.kubernetes.wire import Object

_BRACES = re.compile(r"\{\s*(.*?)\s*\}")
_STEP = re.compile(
    r"\.([A-Za-z_][\w-]*)"  # .name
    r"|\[(-?\d+)\]"  # [0]
    r"|\[['\"]([^'\"]+)['\"]\]"  # ['name']
    r"|(\[\*\]|\.\*)"  # [*]
    r"|\[\?\(?\s*@\.([\w.-]+)\s*==\s*['\"]?([^'\"\])]*)['\"]?\s*\)?\]"  # [?(@.type=="Ready")]
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One expression: a JSONPath that must select something (of `value`), or a status condition."""

    text: str
    path: str = ""
    condition: str = ""
    value: str = ""

    def holds(self, live: Object) -> tuple[bool, str]:
        """Say whether the object fulfils the expression, and what was found instead."""
        if self.condition:
            return _condition_holds(live, self.condition, self.value)
        if _observed(live.get("status")) < _generation(live):
            return False, f"waiting for {self.text}: the controller has not seen the change yet"
        found = select(live, self.path)
        if not found:
            return False, f"waiting for {self.text}: {{{self.path}}} selects nothing"
        if isinstance(found[0], dict | list):
            if self.value:
                raise ValueError(
                    f"{self.text}: the path leads to a whole {type(found[0]).__name__}, not a value"
                )
            return True, ""
        text = _text(found[0])
        return self.value in ("", text), f"waiting for {self.text}: found {text!r}"


def wanted(body: Object) -> tuple[Wanted, ...]:
    """Read the annotation: one expression or a JSON array of them. Raises ValueError for what is neither."""
    text = annotation(body, WAIT_FOR)
    if not text:
        return ()
    expressions: Any = [text]
    if text.lstrip().startswith("["):
        try:
            expressions = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{WAIT_FOR}: {text!r} is no JSON array of expressions: {error}") from error
    if not expressions or not all(isinstance(expression, str) for expression in expressions):
        raise ValueError(f"{WAIT_FOR}: {text!r} must hold at least one expression, each a string")
    return tuple(_parse(expression) for expression in expressions)


def select(value: Any, path: str) -> list[Any]:
    """Return what a JSONPath (`.status.conditions[?(@.type=="Ready")].status`) selects, in order."""
    found = [value]
    place = 0
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None:
            raise ValueError(f"the JSONPath {{{path}}} cannot be read from {path[place:]!r} on")
        name, index, quoted, every, field, text = match.groups()
        found = [
            item for parent in found for item in _step(parent, name or quoted, index, every, field, text)
        ]
        place = match.end()
    return found


def _step(
    parent: Any, name: str | None, index: str | None, every: str | None, field: str | None, text: str | None
) -> list[Any]:
    if name is not None:
        return [parent[name]] if isinstance(parent, dict) and name in parent else []
    if every is not None and isinstance(parent, dict):
        return list(parent.values())
    if not isinstance(parent, list):
        return []
    if every is not None:
        return list(parent)
    if index is not None:
        return parent[int(index) :][:1]
    return [item for item in parent if [_text(found) for found in select(item, f".{field}")] == [text]]


def _parse(expression: str) -> Wanted:
    kind, _, rest = expression.partition("=")
    if kind == "condition" and rest:
        name, _, value = rest.partition("=")
        return Wanted(text=expression, condition=name, value=value or "True")
    if kind != "jsonpath":
        raise ValueError(f"{WAIT_FOR}: {expression!r} must begin with `jsonpath=` or `condition=`")
    braces = _BRACES.match(rest)
    if braces is None:
        raise ValueError(
            f"{WAIT_FOR}: the path of {expression!r} must stand in braces: jsonpath={{.status.phase}}"
        )
    tail = rest[braces.end() :]
    if tail and (not tail.startswith("=") or len(tail) == 1):
        raise ValueError(
            f"{WAIT_FOR}: {expression!r} must read jsonpath={{.path}} or jsonpath={{.path}}=value"
        )
    path = braces[1].removeprefix("$")
    select({}, path)
    return Wanted(text=expression, path=path, value=tail[1:])


def _condition_holds(live: Object, name: str, value: str) -> tuple[bool, str]:
    status = live.get("status") or {}
    for condition in status.get("conditions") or []:
        if str(condition.get("type", "")).lower() != name.lower():
            continue
        seen = condition if "observedGeneration" in condition else status
        if _observed(seen) < _generation(live):
            return False, f"waiting for {name}={value}: the controller has not seen the change yet"
        found = str(condition.get("status", ""))
        why = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))
        holds = found.lower() == value.lower()
        return holds, f"waiting for {name}={value}: it is {found}" + (f" ({why})" if why else "")
    return False, f"waiting for {name}={value}: the object has no such condition yet"


def _generation(live: Object) -> int:
    return int((live.get("metadata") or {}).get("generation") or 0)


def _observed(holder: Any) -> float:
    value = holder.get("observedGeneration") if isinstance(holder, dict) else None
    return float("inf") if value is None else float(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
