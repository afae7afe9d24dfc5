"""What differs between two objects, value by value."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from embedded.plugins.kubernetes.paths import MISSING, Path, look_up
from embedded.plugins.kubernetes.quantities import same_quantity
from embedded.plugins.kubernetes.wire import Object, has_unknowns

Kind = Literal["add", "delete", "update"]

# Metadata that only the API server writes (Kubernetes API reference, ObjectMeta; read 2026-11).
SERVER_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_NAMED_LISTS = ("name", "key", "type", "containerPort", "mountPath", "port", "ip", "topologyKey")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that is added, deleted or updated at `path`."""

    path: Path
    kind: Kind


def compare(old: Any, new: Any, path: Path = ()) -> Iterator[Change]:
    """Yield what leads from `old` to `new`; an unknown value differs from everything."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from compare(old.get(key, MISSING), new.get(key, MISSING), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            left = old[index] if index < len(old) else MISSING
            right = new[index] if index < len(new) else MISSING
            yield from compare(left, right, (*path, index))
    elif old is MISSING:
        yield Change(path=path, kind="add")
    elif new is MISSING:
        yield Change(path=path, kind="delete")
    elif old != new or has_unknowns(new):
        yield Change(path=path, kind="update")


def comparable(body: Object) -> Object:
    """Return an object as it counts in a comparison: no server-side metadata, `stringData` as `data`."""
    result = {key: value for key, value in body.items() if key != "status" and not key.startswith("__")}
    metadata = result.get("metadata")
    if isinstance(metadata, dict):
        result["metadata"] = {key: value for key, value in metadata.items() if key not in SERVER_METADATA}
    if is_secret(body) and isinstance(body.get("stringData"), dict):
        result.pop("stringData")
        result["data"] = dict(body.get("data") or {}) | encoded(body["stringData"])
    return result


def is_secret(body: Object) -> bool:
    """Whether an object is a core Secret."""
    return body.get("kind") == "Secret" and body.get("apiVersion") == "v1"


def encoded(string_data: Mapping[str, Any]) -> Object:
    """Return `stringData` as the `data` that the API server makes of it; unknown values stay as they are."""
    return {
        key: value if has_unknowns(value) else base64.b64encode(str(value).encode()).decode()
        for key, value in string_data.items()
    }


def without_effect(change: Change, before: Object, after: Object) -> bool:
    """Whether a change of the inputs changes nothing on the server.

    `before` is the object as it is, `after` as the server says it would become. Inside a list the whole list
    counts, because places in it need not be those of the inputs.
    """
    numbers = [place for place, step in enumerate(change.path) if isinstance(step, int)]
    path = change.path[: numbers[0]] if numbers else change.path
    left, right = look_up(before, path), look_up(after, path)
    if left is MISSING and right is MISSING:
        return change.kind == "delete"
    return bool(left == right)


def as_found(declared: Any, wanted: Any, live: Any) -> Any:
    """Return the declared value as it is found on the server: unchanged unless it drifted.

    `wanted` is what the server would make of the declared value now (a dry run); where it equals the live
    value nothing drifted, however the server spells it. Only declared values are looked at. MISSING: gone.
    """
    if live is MISSING:
        return MISSING
    if live in (wanted, declared) or same_quantity(declared, live):
        return declared
    if isinstance(declared, dict) and isinstance(live, dict):
        wanted = wanted if isinstance(wanted, dict) else {}
        found = {
            key: as_found(value, wanted.get(key, MISSING), live.get(key, MISSING))
            for key, value in declared.items()
        }
        return {key: value for key, value in found.items() if value is not MISSING}
    if isinstance(declared, list) and isinstance(live, list):
        return _list_as_found(declared, wanted if isinstance(wanted, list) else [], live)
    return live


def _list_as_found(declared: list[Any], wanted: list[Any], live: list[Any]) -> Any:
    key = _merge_key(declared, live)
    if key:
        found = []
        for item in declared:
            partner = _named(live, key, item[key])
            if partner is not MISSING:
                found.append(as_found(item, _named(wanted, key, item[key]), partner))
        return found
    if len(declared) == len(live):
        wanted = wanted if len(wanted) == len(live) else live
        return [as_found(*trio) for trio in zip(declared, wanted, live, strict=True)]
    if wanted and all(item in live for item in wanted):
        return declared  # a set to which others add, such as finalizers
    return live


def _merge_key(*lists: list[Any]) -> str:
    """Return the key that tells the items of all lists apart, empty when there is none."""
    for key in _NAMED_LISTS:
        if all(isinstance(item, dict) and key in item for items in lists for item in items) and all(
            len({repr(item[key]) for item in items}) == len(items) for items in lists
        ):
            return key
    return ""


def _named(items: list[Any], key: str, name: Any) -> Any:
    return next((item for item in items if isinstance(item, dict) and item.get(key) == name), MISSING)
