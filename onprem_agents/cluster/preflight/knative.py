"""Knative Serving, for `serving.mode: Knative`: it refuses fields of a pod until a feature flag allows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object

_NAMESPACE = "knative-serving"


def _has_volume(pod: Object, kind: str) -> bool:
    return any(kind in volume for volume in pod.get("volumes") or [])


def _writes_claim(pod: Object) -> bool:
    claims = [volume.get("persistentVolumeClaim") for volume in pod.get("volumes") or []]
    return any(claim is not None and not claim.get("readOnly") for claim in claims)


# Flag of ConfigMap config-features → how to see that a pod needs it (knative/serving, pkg/apis/config/features.go,
# read 2026-11).
_FLAGS: Mapping[str, Callable[[Object], bool]] = {
    "kubernetes.podspec-nodeselector": lambda pod: bool(pod.get("nodeSelector")),
    "kubernetes.podspec-tolerations": lambda pod: bool(pod.get("tolerations")),
    "kubernetes.podspec-init-containers": lambda pod: bool(pod.get("initContainers")),
    "kubernetes.podspec-priorityclassname": lambda pod: bool(pod.get("priorityClassName")),
    "kubernetes.podspec-securitycontext": lambda pod: bool(pod.get("securityContext")),
    "kubernetes.podspec-volumes-emptydir": lambda pod: _has_volume(pod, "emptyDir"),
    "kubernetes.podspec-persistent-volume-claim": lambda pod: _has_volume(pod, "persistentVolumeClaim"),
    "kubernetes.podspec-persistent-volume-write": _writes_claim,
    "kubernetes.podspec-volumes-hostpath": lambda pod: _has_volume(pod, "hostPath"),
}
# Allowed unless somebody forbids them; all others are forbidden unless somebody allows them.
_ON_BY_DEFAULT = frozenset({"kubernetes.podspec-volumes-emptydir"})


def check_knative(objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the feature flags that the stack's pods need, and whether a load may take as long as it is given."""
    pods = [each["spec"]["predictor"] for each in objects if each["kind"] == "InferenceService"]
    stated = (client.find("v1", "ConfigMap", "config-features", _NAMESPACE) or {}).get("data") or {}
    for flag, needs in _FLAGS.items():
        if not any(needs(pod) for pod in pods):
            continue
        value = _value(flag, stated)
        yield Check.of(
            f"Knative's {flag}",
            holds=value != "disabled",
            found=value,
            fix=f"set {flag}: enabled in ConfigMap config-features of {_NAMESPACE}, or platform.serving.mode to "
            "Standard; Knative's webhook refuses the model server otherwise",
        )
    defaults = (client.find("v1", "ConfigMap", "config-defaults", _NAMESPACE) or {}).get("data") or {}
    for pod in pods:
        yield _request_cap(pod, defaults)
        return


def _value(flag: str, stated: Mapping[str, str]) -> str:
    """Return a flag as Knative reads it: in any case of letters, and the default for any other word."""
    said = str(stated.get(flag, "")).lower()
    if said in ("enabled", "allowed", "disabled"):
        return said
    return "enabled" if flag in _ON_BY_DEFAULT else "disabled"


def _request_cap(pod: Object, defaults: Mapping[str, str]) -> Check:
    # Knative Serving 1.21, config-defaults: 600 s where nothing is said (read 2026-11).
    cap = int(defaults.get("max-revision-timeout-seconds") or 600)
    wanted = int(pod.get("timeout") or 0)
    return Check.of(
        "Knative's max-revision-timeout-seconds",
        holds=cap >= wanted,
        found=str(cap),
        fix=f"set it to {wanted} or more in ConfigMap config-defaults of {_NAMESPACE}, or lower "
        "platform.timeouts.longestTurnSeconds: a longer turn is refused as a revision",
    )
