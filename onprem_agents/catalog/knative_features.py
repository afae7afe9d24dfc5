"""Fields of a pod that Knative Serving refuses: always, or until a feature flag of its cluster allows them.

Source: knative/serving, pkg/apis/config/features.go and pkg/apis/serving/fieldmask.go, main of 2026-08-21, read
2026-11-29; volumes of images: knative/serving#15878.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KNATIVE_NAMESPACE = "knative-serving"
FEATURES = "config-features"
"""The ConfigMap in that namespace whose data are the flags."""
DEFAULTS, LONGEST_KEY, LONGEST_SECONDS = "config-defaults", "max-revision-timeout-seconds", 600
"""The ConfigMap and the key that cap how long a request may take, and what holds without (Serving 1.21; 2026-11)."""

_PREFIX = "kubernetes.podspec-"
# Flag, without its prefix → the field of a pod that needs it.
_FIELDS = {
    "nodeselector": "nodeSelector",
    "tolerations": "tolerations",
    "init-containers": "initContainers",
    "priorityclassname": "priorityClassName",
    "securitycontext": "securityContext",
    "affinity": "affinity",
    "topologyspreadconstraints": "topologySpreadConstraints",
    "runtimeclassname": "runtimeClassName",
    "schedulername": "schedulerName",
    "dnspolicy": "dnsPolicy",
    "dnsconfig": "dnsConfig",
    "hostaliases": "hostAliases",
    "hostnetwork": "hostNetwork",
    "hostipc": "hostIPC",
    "hostpid": "hostPID",
}
_VOLUMES = {
    "volumes-emptydir": "emptyDir",
    "volumes-hostpath": "hostPath",
    "volumes-image": "image",
    "volumes-csi": "csi",
    "persistent-volume-claim": "persistentVolumeClaim",
}
# Allowed unless somebody forbids them; all others are forbidden unless somebody allows them.
_ON_BY_DEFAULT = frozenset({f"{_PREFIX}volumes-emptydir"})
_NEVER = ("terminationGracePeriodSeconds", "activeDeadlineSeconds", "nodeName", "hostname", "subdomain")
_NEVER_IN_CONTAINERS = ("lifecycle", "volumeDevices")


def features_needed(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each feature flag that a pod spec needs, with the field that needs it."""
    for flag, field in _FIELDS.items():
        if pod.get(field):
            yield f"{_PREFIX}{flag}", field
    volumes = list(_objects(pod.get("volumes")))
    for flag, kind in _VOLUMES.items():
        if any(kind in volume for volume in volumes):
            yield f"{_PREFIX}{flag}", f"volumes[].{kind}"
    claims = [volume.get("persistentVolumeClaim") for volume in volumes]
    if any(isinstance(claim, Mapping) and not claim.get("readOnly") for claim in claims):
        yield f"{_PREFIX}persistent-volume-write", "volumes[].persistentVolumeClaim without readOnly"
    if any(_has_field_reference(container) for container in _containers(pod)):
        yield f"{_PREFIX}fieldref", "env[].valueFrom.fieldRef"
    if any(_adds_capabilities(container) for container in _containers(pod)):
        yield "kubernetes.containerspec-addcapabilities", "securityContext.capabilities.add"


def never_taken(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields of a pod spec that Knative refuses whatever its flags say."""
    yield from (field for field in _NEVER if pod.get(field))
    for container in _objects(pod.get("containers")):
        yield from (f"containers[].{field}" for field in _NEVER_IN_CONTAINERS if container.get(field))


def feature_value(flag: str, stated: Mapping[str, Any]) -> str:
    """Return a flag as Knative reads it: in any case of letters, and the default for any other word."""
    said = str(stated.get(flag, "")).lower()
    if said in ("enabled", "allowed", "disabled"):
        return said
    return "enabled" if flag in _ON_BY_DEFAULT else "disabled"


def _containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("initContainers", "containers"):
        yield from _objects(pod.get(key))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in (value if isinstance(value, list | tuple) else ()) if isinstance(each, Mapping))


def _has_field_reference(container: Mapping[str, Any]) -> bool:
    sources = (variable.get("valueFrom") for variable in _objects(container.get("env")))
    return any(
        isinstance(each, Mapping) and {"fieldRef", "resourceFieldRef"} & each.keys() for each in sources
    )


def _adds_capabilities(container: Mapping[str, Any]) -> bool:
    context = container.get("securityContext")
    capabilities = context.get("capabilities") if isinstance(context, Mapping) else None
    return isinstance(capabilities, Mapping) and bool(capabilities.get("add"))
