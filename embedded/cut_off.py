"""Creates that a killed engine had begun: what its state tells of them, and what is to be done to the objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embedded.kube import KubeWriter

# How the Kubernetes provider begins the names of its field managers (4.25, seen 2026-11).
_MANAGERS = "pulumi-kubernetes-"


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A create that a killed engine had begun: the object may exist or not."""

    urn: str
    api_version: str
    kind: str
    name: str | None
    namespace: str | None

    @property
    def id(self) -> str:
        """The id that the Kubernetes provider gives the object."""
        return f"{self.namespace}/{self.name}" if self.namespace else str(self.name)


def unfinished(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the resources of any kind that an exported state has begun to create.

    Beside Kubernetes objects these are components and the provider, which make nothing in a cluster. An update keeps
    them among what is pending (Pulumi 3.259, run 2026-11).
    """
    operations = state.get("deployment", {}).get("pending_operations") or []
    return [operation["resource"] for operation in operations if operation["type"] == "creating"]


def pending_creates(state: dict[str, Any]) -> tuple[Pending, ...]:
    """Return the Kubernetes objects that an exported state has begun to create."""
    pending = []
    for resource in unfinished(state):
        if not str(resource.get("type", "")).startswith("kubernetes:"):
            continue
        inputs = resource.get("inputs") or {}
        metadata = inputs.get("metadata") or {}
        pending.append(
            Pending(
                urn=resource["urn"],
                api_version=str(inputs.get("apiVersion")),
                kind=str(inputs.get("kind")),
                name=metadata.get("name"),
                namespace=metadata.get("namespace"),
            )
        )
    return tuple(pending)


def exists(client: KubeWriter, entry: Pending) -> bool:
    """Return whether the create was done before the engine was killed."""
    return client.find(entry.api_version, entry.kind, str(entry.name), entry.namespace) is not None


def disown(client: KubeWriter, entry: Pending) -> None:
    """Take the fields of an object from the manager that made it, so that they are nobody's.

    The provider makes up a new manager with each create and import (4.25, run 2026-11): the fields would belong to one
    that no state names, and the first update that changes one would be refused as a conflict.
    """
    found = client.get(entry.api_version, entry.kind, str(entry.name), entry.namespace)
    managed = found["metadata"].get("managedFields") or []
    others = [owner for owner in managed if not str(owner.get("manager")).startswith(_MANAGERS)]
    if len(others) < len(managed):
        # No entry at all would be read as "leave them" by the API server, an empty one takes all away.
        change = {"metadata": {"managedFields": others or [{}]}}
        client.patch(entry.api_version, entry.kind, str(entry.name), change, entry.namespace)
