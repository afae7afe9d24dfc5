"""What every rendered object has in common: identity, labels, names, security contexts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from onprem_agents.plan import Scope
from onprem_agents.stack.labels import STACK_LABEL
from onprem_agents.stack.pods import PodIds

Manifest = dict[str, Any]
"""One Kubernetes object in wire format: camelCase keys, canonical quantities, JSON values only."""

PART_OF = "onprem-coding-agents"
COMPONENT_LABEL = "app.kubernetes.io/component"

_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

_FIXED_ID = 1000


def files_digest(files: Mapping[str, str]) -> str:
    """Return a digest of files by name: a changed ConfigMap restarts no pod by itself, a changed annotation does."""
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()[:16]


def pod_security(ids: PodIds) -> Manifest:
    """Return a pod's security context under "restricted" (Pod Security Standard of Kubernetes 1.36, read 2026-11)."""
    fixed = {"runAsUser": _FIXED_ID, "runAsGroup": _FIXED_ID, "fsGroup": _FIXED_ID}
    return {
        "runAsNonRoot": True,
        **(fixed if ids == "fixed" else {}),
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def user_environment(ids: PodIds) -> dict[str, str]:
    """Return what tells programs their user's name where the platform picks a number that no image knows."""
    return {} if ids == "fixed" else {"USER": "onprem", "LOGNAME": "onprem"}


def container_security(*, read_only_root: bool) -> Manifest:
    """Return a container's security context under "restricted"."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": read_only_root,
        "runAsNonRoot": True,
    }


def labels(scope: Scope, component: str) -> dict[str, str]:
    """Return the labels of one object: what it is, what it is part of, who manages it, of which stack."""
    return {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/part-of": PART_OF,
        "app.kubernetes.io/managed-by": "pulumi",
        COMPONENT_LABEL: component,
        STACK_LABEL: scope.stack,
    }


def spread(pod_labels: Mapping[str, str]) -> list[Manifest]:
    """Return the wish that pods of these labels stand on different nodes; one that cannot still starts."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(pod_labels)},
        }
    ]


def manifest(
    scope: Scope,
    api_version: str,
    kind: str,
    name: str,
    *,
    component: str,
    namespaced: bool = True,
    extra_labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **body: Any,
) -> Manifest:
    """Return an object of the stack with its labels; `body` holds everything beside the metadata."""
    metadata: Manifest = {"name": name}
    if namespaced:
        metadata["namespace"] = scope.namespace
    metadata["labels"] = labels(scope, component) | dict(extra_labels or {})
    if annotations:
        metadata["annotations"] = dict(annotations)
    document = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
    copied: Manifest = json.loads(
        json.dumps(document)
    )  # JSON values only, and nothing shared between objects
    return copied


def object_name(prefix: str, text: str) -> str:
    """Return `prefix-text` as an object name; text that no object may carry becomes a slug with a hash."""
    name = f"{prefix}-{text}"
    if _DNS_SUBDOMAIN.fullmatch(name):
        return name
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{prefix}-{slug}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
