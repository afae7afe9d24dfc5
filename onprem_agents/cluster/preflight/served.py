"""What the API server is, and whether it serves every kind that a stack declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan

# What brings each API group that a stack may declare objects of, with the version tested (embedded cluster,
# 2026-11). Groups that are not here are Kubernetes' own.
PREREQUISITES: Mapping[str, str] = {
    "serving.kserve.io": "install KServe 0.20 (charts kserve-crd and kserve; kserve-localmodel-crd for local models)",
    "gateway.networking.k8s.io": "install the Gateway API CRDs 1.6, standard channel",
    "gateway.envoyproxy.io": "install Envoy Gateway 1.9",
    "aigateway.envoyproxy.io": "install Envoy AI Gateway 1.0 or newer",
    "cert-manager.io": "install cert-manager, or give platform.access.tls.secretName",
    "kueue.x-k8s.io": "install Kueue 0.19, or drop platform.queue",
}
_KNATIVE = (
    "serving.knative.dev/v1",
    "Service",
    "install Knative Serving, or set platform.serving.mode to Standard",
)

_LEAST_KUBERNETES = (1, 32)
"""Envoy Gateway 1.9 and Envoy AI Gateway 1.0 are tested from Kubernetes 1.32 on (2026-08)."""


def check_version(_plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether Kubernetes is new enough."""
    version = client.version()
    major, minor = (
        int("".join(filter(str.isdigit, part)) or 0) for part in version.lstrip("v").split(".")[:2]
    )
    old = (major, minor) < _LEAST_KUBERNETES
    yield Check.of(
        "Kubernetes",
        holds=not old,
        found=version,
        fix="upgrade the cluster to Kubernetes 1.32 or newer",
    )


def check_apis(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether each kind is served, with what brings it."""
    for api_version, kind, fix in _needed(plan, objects):
        there = any(
            resource.api_version == api_version and resource.kind == kind for resource in client.resources()
        )
        yield Check.of(
            f"{kind} ({api_version})",
            holds=there,
            found="served" if there else "the API server does not serve it",
            fix=fix,
        )


def _needed(plan: PlatformPlan, objects: Sequence[Object]) -> Iterator[tuple[str, str, str]]:
    declared = dict.fromkeys((each["apiVersion"], each["kind"]) for each in objects)
    for api_version, kind in declared:
        fix = PREREQUISITES.get(api_version.partition("/")[0])
        if fix is not None:
            yield api_version, kind, fix
    if plan.settings.serving.mode == "Knative":
        yield _KNATIVE
