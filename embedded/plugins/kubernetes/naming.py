"""Names and namespaces that the program left open."""

from __future__ import annotations

import hashlib
from typing import Literal

from embedded.plugins.kubernetes.directives import AUTONAMED, is_set
from embedded.plugins.kubernetes.wire import Object

Autonaming = Literal["propose", "enforce", "disable"]


def is_named(body: Object) -> bool:
    """Whether the program chose the name (known or not)."""
    return bool((body.get("metadata") or {}).get("name"))


def with_name(
    body: Object, old: Object, *, urn_name: str, seed: bytes, proposal: str = "", mode: Autonaming = "propose"
) -> Object:
    """Return the object with a name: the program's, the old automatic one, or a new one with a random end.

    Raises ValueError when automatic names are switched off for the stack.
    """
    if is_named(body):
        return body
    if is_set(old, AUTONAMED):
        return _named(body, str(old["metadata"]["name"]))
    if mode == "disable":
        raise ValueError("automatic names are switched off for this stack; set metadata.name")
    return _named(body, proposal or f"{urn_name}-{_suffix(seed, urn_name)}")


def _named(body: Object, name: str) -> Object:
    metadata = dict(body.get("metadata") or {})
    metadata["name"] = name
    metadata["annotations"] = dict(metadata.get("annotations") or {}) | {AUTONAMED: "true"}
    return body | {"metadata": metadata}


def _suffix(seed: bytes, urn_name: str) -> str:
    """Return eight hexadecimal digits; the engine gives the same seed in preview and update."""
    return hashlib.sha256(seed + urn_name.encode()).hexdigest()[:8]
