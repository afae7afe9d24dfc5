"""A stack's state as another Kubernetes provider left it → one with which the provider of this machine goes on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

# Where the official provider keeps the inputs of the last update (pulumi-kubernetes 4.25, provider.go). Without it
# it would take every field for a new one and make each object anew. Until 0.1.0 a provider written for the local
# default left it out.
_INPUTS = "__inputs"


def continued(
    state: Document, version: str, is_installed: Callable[[str], bool]
) -> tuple[Document, tuple[str, ...]]:
    """Return the exported state, changed where needed, and what was changed, as sentences.

    The engine first loads the provider of the version that stands in the state; where that one is not installed,
    `version` takes its place.
    """
    state = copy.deepcopy(state)
    resources = (state.get("deployment") or {}).get("resources") or []
    done = []
    for resource in filter(_is_default_provider, resources):
        stated = resource["inputs"].get("version")
        if stated not in {None, version} and not is_installed(stated):
            for side in ("inputs", "outputs"):
                resource[side]["version"] = version
            done.append(f"the stack's Kubernetes provider is {version} now, for {stated} is not installed")
    without = [
        resource for resource in resources if _is_object(resource) and _INPUTS not in resource["outputs"]
    ]
    for resource in without:
        resource["outputs"][_INPUTS] = copy.deepcopy(resource["inputs"])
    if without:
        done.append(
            f"added to {len(without)} objects of the state what the official Kubernetes provider looks for"
        )
    return state, tuple(done)


def _is_default_provider(resource: Document) -> bool:
    """Whether the resource is a provider that the engine made for resources that name none."""
    name = str(resource["urn"]).rpartition("::")[2]
    return resource["type"] == "pulumi:providers:kubernetes" and name.startswith("default")


def _is_object(resource: Document) -> bool:
    kind = str(resource["type"])
    return kind.startswith("kubernetes:") and bool(resource.get("outputs")) and bool(resource.get("inputs"))
