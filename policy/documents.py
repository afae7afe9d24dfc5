"""Resources in the documents that people have: manifests, Pulumi's previews, update plans and exported states.

Shapes as Pulumi CLI 3.259 prints them (`pulumi preview --json`, `preview --save-plan`, `stack export`; seen 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .checks import graph_of
from .graph import UNKNOWN, Resource, Value
from .patches import LIKE_ONE, looks_like_a_patch

# What stands for a value that is not known yet: sdk/go/common/resource/plugin/rpc.go of Pulumi 3.259 (read 2026-11).
_UNKNOWN_TEXTS: Final = (
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)
# The key of a value that is more than its JSON, a secret as a rule (sdk/go/common/resource/sig/sig.go), and what
# `preview --json` prints in place of a secret.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SHOWN_FOR_ONE: Final = "[secret]"
_SAME: Final = "same"
_GOING: Final = ("delete", "discard", "remove-pending-replace")
"""Steps after which the resource is not there (pkg/resource/deploy/step.go: delete, delete-replaced, discard, ...)."""


class NotReadable(Exception):
    """A document that declares resources and cannot be read as a whole; the text says why and what to do."""


def resources_in(document: Value) -> tuple[Resource, ...] | None:
    """Return what one document declares, None for one that declares nothing: settings, values, anything else.

    Raises `NotReadable` for a preview that ended in an error or that leaves out what does not change, and for what
    looks like a patch.
    """
    if not isinstance(document, Mapping):
        return None
    if isinstance(document.get("steps"), Sequence) and "changeSummary" in document:
        replaced_once = {resource.urn: resource for resource in _previewed(document)}
        return tuple(replaced_once.values())
    if isinstance(document.get("resourcePlans"), Mapping):
        return tuple(_planned(document["resourcePlans"]))
    deployment = document.get("deployment")
    if isinstance(deployment, Mapping) and isinstance(deployment.get("resources"), Sequence):
        return tuple(filter(None, (_resource(each) for each in deployment["resources"])))
    if isinstance(document.get("apiVersion"), str) and isinstance(document.get("kind"), str):
        if looks_like_a_patch(document):
            raise NotReadable(LIKE_ONE)
        return graph_of([plain(document)]).resources
    return None


def _previewed(document: Mapping[str, Any]) -> Iterator[Resource]:
    for told in document.get("diagnostics") or ():
        if isinstance(told, Mapping) and told.get("severity") == "error":
            first = str(told.get("message", "")).strip().partition("\n")[0]
            raise NotReadable(
                f"the preview ended in an error ({first}), so it may lack resources; mend that and preview again"
            )
    steps = [step for step in document["steps"] if isinstance(step, Mapping)]
    left_out = _count(document, _SAME) - sum(step.get("op") == _SAME for step in steps)
    if left_out > 0:
        raise NotReadable(
            f"the preview leaves out {left_out} resources that do not change; "
            "write it with: pulumi preview --json --show-sames"
        )
    for step in steps:
        if not str(step.get("op", "")).startswith(_GOING):
            found = _resource(step.get("newState"))
            if found is not None:
                yield found


def _count(document: Mapping[str, Any], op: str) -> int:
    summary = document["changeSummary"]
    return int(summary.get(op, 0)) if isinstance(summary, Mapping) else 0


def _planned(plans: Mapping[str, Any]) -> Iterator[Resource]:
    for urn, planned in plans.items():
        goal, state = planned.get("goal"), planned.get("state")
        if not isinstance(goal, Mapping) or not isinstance(state, Mapping):
            continue  # it goes, or nothing of it changes
        inputs = state.get("__inputs")
        props = inputs if isinstance(inputs, Mapping) else state
        found = _resource({**goal, "urn": urn, "inputs": props})
        if found is not None:
            yield found


def _resource(state: Value) -> Resource | None:
    """Return the resource of a state, None for what is about to go."""
    if not isinstance(state, Mapping) or state.get("delete") is True:
        return None
    urn = str(state.get("urn", ""))
    inputs = state.get("inputs")
    return Resource(
        urn=urn,
        type=str(state.get("type", "")),
        name=urn.rpartition("::")[2],
        props=plain(inputs) if isinstance(inputs, Mapping) else {},
        dependencies=tuple(str(each) for each in state.get("dependencies") or ()),
    )


def plain(value: Value) -> Value:
    """Return a value with UNKNOWN for what is not known yet, and for a secret, whose value is nobody's business."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return UNKNOWN
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, str):
        hidden = value == _SHOWN_FOR_ONE or any(text in value for text in _UNKNOWN_TEXTS)
        return UNKNOWN if hidden else value
    return value if value is None or isinstance(value, bool | int | float) else str(value)
