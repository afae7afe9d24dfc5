"""What the `pulumi.com/…` annotations of an object ask the provider to do."""

from __future__ import annotations

import hashlib
from typing import Literal

from embedded.plugins.kubernetes.wire import Object, is_unknown

# Names and meanings as in pulumi-kubernetes 4.34.
AUTONAMED = "pulumi.com/autonamed"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
PATCH_FORCE = "pulumi.com/patchForce"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
WAIT_FOR = "pulumi.com/waitFor"

DEFAULT_TIMEOUT_SECONDS = 600.0
"""How long an object may take to become ready or to go away (pulumi-kubernetes 4.34: ten minutes)."""

Propagation = Literal["Foreground", "Background", "Orphan"]
_PROPAGATIONS: dict[str, Propagation] = {"background": "Background", "orphan": "Orphan"}


def annotation(body: Object, name: str) -> str:
    """Return an annotation, empty when it is not set or not known yet."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(name) if isinstance(annotations, dict) else None
    return "" if value is None or is_unknown(value) else str(value)


def is_set(body: Object, name: str) -> bool:
    """Whether an annotation says `true`."""
    return annotation(body, name) == "true"


def timeout_seconds(body: Object, option_seconds: float) -> float:
    """Return the time limit: the resource option `customTimeouts`, else the annotation, else ten minutes."""
    if option_seconds > 0:
        return option_seconds
    text = annotation(body, TIMEOUT_SECONDS)
    return float(text) if text.isdigit() else DEFAULT_TIMEOUT_SECONDS


def propagation(body: Object) -> Propagation:
    """Return how dependents are deleted: in the foreground unless the annotation says otherwise."""
    return _PROPAGATIONS.get(annotation(body, DELETION_PROPAGATION).lower(), "Foreground")


def field_manager(body: Object, urn: str, remembered: str = "") -> str:
    """Return the field manager's name: the annotation's, else the one in the state, else the URN's own.

    It depends on nothing but the URN, so that an object of an interrupted run is recognised as ours.
    """
    digest = hashlib.sha256(urn.encode()).hexdigest()
    return annotation(body, PATCH_FIELD_MANAGER) or remembered or f"pulumi-kubernetes-{digest[:8]}"
