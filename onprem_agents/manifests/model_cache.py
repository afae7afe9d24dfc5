"""What keeps a role's weights between starts: a claim with the Job that fills it, or KServe's own cache.

The Job has the name of what it loads, so another source or revision is another Job on another claim. Its pods alone
have a way out of the namespace; the servers then have none.
"""

from __future__ import annotations

from onprem_agents.manifests.gpu_node_pool import tolerations
from onprem_agents.manifests.meta import COMPONENT_LABEL, Manifest, manifest, pod_security
from onprem_agents.manifests.model_source import cache_volume, filling
from onprem_agents.plan import ServerPart
from onprem_agents.plan.cache import ClaimCache, KServeCache
from onprem_agents.stack.labels import ROLE_LABEL, STACK_LABEL
from onprem_agents.units import format_gib

COMPONENT = "model-cache"

REPLACED = {"Job": ("spec",)}
"""Kubernetes lets nobody change a Job's pods (1.36): the Job is made anew, and one whose claim is full ends at once."""

_ATTEMPTS = 6
_SCRATCH_GIB = 4


def cache_objects(part: ServerPart, *, service_account: str) -> list[Manifest]:
    """Return the objects of the role's cache; a folder of the nodes has none."""
    cache = part.serving.cache
    if isinstance(cache, ClaimCache):
        return [_claim(part, cache), _job(part, cache, service_account)]
    if isinstance(cache, KServeCache):
        return [_local_model(part, cache)]
    return []


def _claim(part: ServerPart, cache: ClaimCache) -> Manifest:
    spec: Manifest = {
        "accessModes": [cache.access_mode],
        "resources": {"requests": {"storage": format_gib(cache.size_gib)}},
    }
    if cache.storage_class is not None:
        spec["storageClassName"] = cache.storage_class
    return manifest(
        part,
        "v1",
        "PersistentVolumeClaim",
        cache.name,
        component=COMPONENT,
        extra_labels={ROLE_LABEL: part.serving.role},
        # Many classes bind a claim for its first pod: that of the Job, which is waited for.
        annotations={"pulumi.com/skipAwait": "true"},
        spec=spec,
    )


def _job(part: ServerPart, cache: ClaimCache, service_account: str) -> Manifest:
    """Return the Job; it runs where the servers will, since a volume may stay on the node of its first pod."""
    labels = {
        COMPONENT_LABEL: COMPONENT,
        ROLE_LABEL: part.serving.role,
        STACK_LABEL: part.stack,
    }
    pod: Manifest = {
        "restartPolicy": "Never",
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({} if part.priority_class is None else {"priorityClassName": part.priority_class}),
        "nodeSelector": part.pool.node_selector,
        "tolerations": tolerations(part.pool),
        "securityContext": pod_security(part.pod_ids),
        "containers": [filling(part)],
        "volumes": [
            cache_volume(cache),
            {"name": "scratch", "emptyDir": {"sizeLimit": format_gib(_SCRATCH_GIB)}},
        ],
    }
    if part.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in part.image_pull_secrets]
    return manifest(
        part,
        "batch/v1",
        "Job",
        cache.name,
        component=COMPONENT,
        extra_labels={ROLE_LABEL: part.serving.role},
        annotations=_patience(part),
        spec={
            "backoffLimit": _ATTEMPTS,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    )


def _local_model(part: ServerPart, cache: KServeCache) -> Manifest:
    """Return KServe's cache, which is waited for until enough nodes have the weights.

    A server that KServe starts on a node without them finds an empty folder (v0.20.0).
    """
    account = {} if cache.service_account is None else {"serviceAccountName": cache.service_account}
    return manifest(
        part,
        "serving.kserve.io/v1alpha1",
        "LocalModelNamespaceCache",
        cache.name,
        component=COMPONENT,
        extra_labels={ROLE_LABEL: part.serving.role},
        annotations={
            "pulumi.com/waitFor": f"jsonpath={{.status.copies.available}}={cache.nodes}",
            **_patience(part),
        },
        spec={
            "sourceModelUri": part.serving.source.pinned_uri,
            "modelSize": format_gib(cache.size_gib),
            "nodeGroups": [cache.node_group],
            **account,
        },
    )


def _patience(part: ServerPart) -> dict[str, str]:
    return {
        # As of the model server: an interrupted update leaves the fields to a manager that no state names.
        "pulumi.com/patchForce": "true",
        "pulumi.com/timeoutSeconds": str(part.serving.timeouts.load_budget_seconds),
    }
