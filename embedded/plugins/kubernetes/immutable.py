"""Which fields cannot be changed in place, so that the object must be replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable

from embedded.plugins.kubernetes.paths import Path
from embedded.plugins.kubernetes.settings import Settings
from embedded.plugins.kubernetes.wire import Object

_POD_FIELDS = [
    "affinity",
    "automountServiceAccountToken",
    "containers",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "resourceClaims",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]

# Fields that make pulumi-kubernetes 4.34 plan a replacement, by API group and kind. The API server itself is
# asked too (a dry run), so this matters where it cannot answer: with unknown values, and where both differ.
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): tuple(f"spec.{name}" for name in _POD_FIELDS),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
}
_IDENTITY = ("kind", "metadata.name", "metadata.namespace")
# How the API server says it (Kubernetes 1.36): "spec.selector: Invalid value: …: field is immutable",
# "value: Forbidden: may not be changed in an update", "spec: Forbidden: updates to statefulset spec for fields
# other than … are forbidden".
_REFUSED = re.compile(
    r"(?P<field>[a-zA-Z][\w.\[\]]*): (?:Invalid value|Forbidden): "
    r"(?:(?!: (?:Invalid value|Forbidden): ).)*?"
    r"(?:immutable|updates to|may not (?:be )?change|cannot be changed|is forbidden after creation)",
    re.DOTALL,
)


def fields(body: Object, group: str, settings: Settings) -> tuple[str, ...]:
    """Return the paths (in Pulumi's spelling) whose change replaces the object.

    ConfigMaps and Secrets are replaced as a whole, as by the official provider, unless the provider is told
    that they may be changed in place and they are not marked immutable.
    """
    kind = str(body.get("kind", ""))
    found = _IDENTITY + _FIELDS.get((group, kind), ())
    frozen = body.get("immutable") is True
    if (group, kind) == ("", "ConfigMap") and (frozen or not settings.config_maps_mutable):
        found += ("data", "binaryData")
    if (group, kind) == ("", "Secret") and (frozen or not settings.secrets_mutable):
        found += ("data", "stringData")
    return found


def refused_fields(message: str) -> tuple[str, ...]:
    """Return the fields that the API server's message calls immutable."""
    return tuple(dict.fromkeys(match["field"] for match in _REFUSED.finditer(message)))


def covers(fields_: Iterable[Path], path: Path) -> bool:
    """Whether `path` is one of the fields, lies below one, or holds one."""
    return any(path[: len(field)] == field or field[: len(path)] == path for field in fields_)
