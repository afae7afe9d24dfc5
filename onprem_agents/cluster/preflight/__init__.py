"""What a cluster must have before a stack can run on it: one check a prerequisite, each with its fix.

Only reads; one module a subject. The versions in the fixes are those that the product is tested with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.certificate import check_certificate
from onprem_agents.cluster.preflight.check import Check, Object, Verdict
from onprem_agents.cluster.preflight.gateway import (
    check_gateway_class,
    check_load_balancer,
    check_lua,
    waits_for_an_address,
)
from onprem_agents.cluster.preflight.knative import check_knative
from onprem_agents.cluster.preflight.licences import check_licences
from onprem_agents.cluster.preflight.namespace import check_namespace
from onprem_agents.cluster.preflight.nodes import check_nodes
from onprem_agents.cluster.preflight.permissions import check_permissions
from onprem_agents.cluster.preflight.queue import check_queue
from onprem_agents.cluster.preflight.storage import check_storage
from onprem_agents.cluster.preflight.versions import check_versions
from onprem_agents.plan import PlatformPlan

__all__ = ["PREREQUISITES", "Check", "Verdict", "preflight"]

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


def preflight(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> tuple[Check, ...]:
    """Check the cluster behind `client` against the plan and the objects that the stack declares.

    Raises `ClusterError` when it does not answer.
    """
    return tuple(_checks(plan, objects, client))


def _checks(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    yield _version(client.version())
    for api in _needed(plan, objects):
        yield _api(client, *api)
    yield from check_versions(plan, objects, client)
    yield check_gateway_class(plan, client)
    if waits_for_an_address(plan, client):
        yield check_load_balancer(client)
    if any(each["kind"] == "EnvoyExtensionPolicy" for each in objects):
        yield check_lua(plan, client)
    yield from check_certificate(plan, client)
    yield from check_nodes(plan, objects, client)
    yield from check_queue(plan, objects, client)
    yield from check_licences(plan, client)
    yield from check_storage(plan, objects, client)
    yield from check_namespace(plan, objects, client)
    if plan.settings.serving.mode == "Knative":
        yield from check_knative(objects, client)
    yield from check_permissions(objects, client)


def _needed(plan: PlatformPlan, objects: Sequence[Object]) -> Iterator[tuple[str, str, str]]:
    declared = dict.fromkeys((each["apiVersion"], each["kind"]) for each in objects)
    for api_version, kind in declared:
        fix = PREREQUISITES.get(api_version.partition("/")[0])
        if fix is not None:
            yield api_version, kind, fix
    if plan.settings.serving.mode == "Knative":
        yield _KNATIVE


def _version(version: str) -> Check:
    major, minor = (
        int("".join(filter(str.isdigit, part)) or 0) for part in version.lstrip("v").split(".")[:2]
    )
    old = (major, minor) < _LEAST_KUBERNETES
    return Check(
        name="Kubernetes",
        verdict="missing" if old else "ok",
        found=version,
        fix="upgrade the cluster to Kubernetes 1.32 or newer" if old else "",
    )


def _api(client: KubeClient, api_version: str, kind: str, fix: str) -> Check:
    there = any(
        resource.api_version == api_version and resource.kind == kind for resource in client.resources()
    )
    return Check(
        name=f"{kind} ({api_version})",
        verdict="ok" if there else "missing",
        found="served" if there else "the API server does not serve it",
        fix="" if there else fix,
    )
