"""Knative Serving, for `serving.mode: Knative`: it refuses fields of a pod until a feature flag allows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.cluster.preflight.pods import containers_of, server_pods
from onprem_agents.plan import PlatformPlan

_NAMESPACE = "knative-serving"


def _has_volume(pod: Object, kind: str) -> bool:
    return any(kind in volume for volume in pod.get("volumes") or [])


def _writes_to_a_claim(pod: Object) -> bool:
    claims = (volume.get("persistentVolumeClaim") for volume in pod.get("volumes") or [])
    return any(claim is not None and not claim.get("readOnly") for claim in claims)


def _has_field_reference(pod: Object) -> bool:
    variables = (each for container in containers_of(pod) for each in container.get("env") or [])
    return any({"fieldRef", "resourceFieldRef"} & (each.get("valueFrom") or {}).keys() for each in variables)


def _adds_capabilities(pod: Object) -> bool:
    contexts = (container.get("securityContext") or {} for container in containers_of(pod))
    return any((context.get("capabilities") or {}).get("add") for context in contexts)


# Flag of ConfigMap config-features → how to see that a pod needs it (knative/serving, pkg/apis/config/features.go,
# read 2026-11; image volumes: knative/serving#15878).
_FLAGS: Mapping[str, Callable[[Object], bool]] = {
    "kubernetes.podspec-nodeselector": lambda pod: bool(pod.get("nodeSelector")),
    "kubernetes.podspec-tolerations": lambda pod: bool(pod.get("tolerations")),
    "kubernetes.podspec-init-containers": lambda pod: bool(pod.get("initContainers")),
    "kubernetes.podspec-priorityclassname": lambda pod: bool(pod.get("priorityClassName")),
    "kubernetes.podspec-securitycontext": lambda pod: bool(pod.get("securityContext")),
    "kubernetes.podspec-affinity": lambda pod: bool(pod.get("affinity")),
    "kubernetes.podspec-topologyspreadconstraints": lambda pod: bool(pod.get("topologySpreadConstraints")),
    "kubernetes.podspec-runtimeclassname": lambda pod: bool(pod.get("runtimeClassName")),
    "kubernetes.podspec-schedulername": lambda pod: bool(pod.get("schedulerName")),
    "kubernetes.podspec-dnspolicy": lambda pod: bool(pod.get("dnsPolicy")),
    "kubernetes.podspec-dnsconfig": lambda pod: bool(pod.get("dnsConfig")),
    "kubernetes.podspec-hostaliases": lambda pod: bool(pod.get("hostAliases")),
    "kubernetes.podspec-hostnetwork": lambda pod: bool(pod.get("hostNetwork")),
    "kubernetes.podspec-hostipc": lambda pod: bool(pod.get("hostIPC")),
    "kubernetes.podspec-fieldref": _has_field_reference,
    "kubernetes.containerspec-addcapabilities": _adds_capabilities,
    "kubernetes.podspec-volumes-emptydir": lambda pod: _has_volume(pod, "emptyDir"),
    "kubernetes.podspec-volumes-hostpath": lambda pod: _has_volume(pod, "hostPath"),
    "kubernetes.podspec-volumes-image": lambda pod: _has_volume(pod, "image"),
    "kubernetes.podspec-persistent-volume-claim": lambda pod: _has_volume(pod, "persistentVolumeClaim"),
    "kubernetes.podspec-persistent-volume-write": _writes_to_a_claim,
}
# Allowed unless somebody forbids them; all others are forbidden unless somebody allows them.
_ON_BY_DEFAULT = frozenset({"kubernetes.podspec-volumes-emptydir"})


def check_knative(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the feature flags that the stack's pods need, and whether a turn may take as long as it is given."""
    if plan.settings.serving.mode != "Knative":
        return
    pods = [pod.spec for pod in server_pods(objects)]
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
    yield _request_cap(pods, defaults)


def _value(flag: str, stated: Mapping[str, str]) -> str:
    """Return a flag as Knative reads it: in any case of letters, and the default for any other word."""
    said = str(stated.get(flag, "")).lower()
    if said in ("enabled", "allowed", "disabled"):
        return said
    return "enabled" if flag in _ON_BY_DEFAULT else "disabled"


def _request_cap(pods: Sequence[Object], defaults: Mapping[str, str]) -> Check:
    # Knative Serving 1.21, config-defaults: 600 s where nothing is said (read 2026-11).
    said = str(defaults.get("max-revision-timeout-seconds") or "")
    cap = int(said) if said.isdigit() else 600
    wanted = max((int(pod.get("timeout") or 0) for pod in pods), default=0)
    return Check.of(
        "Knative's max-revision-timeout-seconds",
        holds=cap >= wanted,
        found=str(cap),
        fix=f"set it to {wanted} or more in ConfigMap config-defaults of {_NAMESPACE}, or lower "
        "platform.timeouts.longestTurnSeconds: a longer turn is refused as a revision",
    )
