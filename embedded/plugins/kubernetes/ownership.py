"""Who owns which fields of an object (`metadata.managedFields`)."""

from __future__ import annotations

from typing import Any

from embedded.plugins.kubernetes.wire import Object

Entry = tuple[str, str]

# Managers whose fields the official provider takes over on the first update: other clients that stand for
# "the user", and itself in older modes (pulumi-kubernetes 4.34).
_TAKEN_OVER: frozenset[Entry] = frozenset(
    {
        ("kubectl", "Apply"),
        ("kubectl", "Update"),
        ("before-first-apply", "Update"),
        ("pulumi-kubernetes", "Update"),
        ("pulumi-resource-kubernetes", "Update"),
    }
)


def applied_by(live: Object, manager: str) -> bool:
    """Whether `manager` has applied fields of the object."""
    return any(_key(entry) == (manager, "Apply") for entry in _entries(live))


def to_take_over(live: Object) -> bool:
    """Whether fields belong to a manager that gives way to this provider."""
    return any(_key(entry) in _TAKEN_OVER for entry in _entries(live))


def taken_over(live: Object, manager: str) -> list[Object]:
    """Return the JSON patch that hands those fields to `manager`; fails on a changed object."""
    kept: list[Object] = []
    mine: Object = {}
    fields: Object = {}
    for entry in _entries(live):
        if _key(entry) in _TAKEN_OVER or _key(entry) == (manager, "Apply"):
            fields = _union(fields, entry.get("fieldsV1") or {})
            mine = mine or entry
        else:
            kept.append(entry)
    mine = mine | {"manager": manager, "operation": "Apply", "fieldsV1": fields}
    version = live["metadata"]["resourceVersion"]
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, mine]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
    ]


def _entries(live: Object) -> list[Object]:
    return [entry for entry in live["metadata"].get("managedFields") or () if not entry.get("subresource")]


def _key(entry: Object) -> Entry:
    return str(entry.get("manager", "")), str(entry.get("operation", ""))


def _union(left: Any, right: Any) -> Any:
    if not isinstance(left, dict) or not isinstance(right, dict):
        return left or right
    return {key: _union(left.get(key, {}), right.get(key, {})) for key in left | right}
