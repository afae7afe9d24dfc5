"""What a cluster must have before a stack can run on it: one check a prerequisite, each with its fix.

Only reads. The versions in the fixes are those that the product is tested with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.cluster import KubeClient
from onprem_agents.plan import GPU_RESOURCE, PlatformPlan
from onprem_agents.units import parse_quantity

Verdict = Literal["ok", "missing", "doubtful"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One prerequisite with what was found; `fix` is empty when the verdict is ok."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""


# API of each prerequisite with the version tested (embedded cluster, 2026-11).
_KSERVE = (
    "serving.kserve.io/v1beta1",
    "InferenceService",
    "install KServe 0.20 (charts kserve-crd and kserve)",
)
_GATEWAY = ("gateway.networking.k8s.io/v1", "Gateway", "install the Gateway API CRDs 1.6, standard channel")
_ENVOY = ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", "install Envoy Gateway 1.9")
_AI_GATEWAY = ("aigateway.envoyproxy.io/v1beta1", "AIGatewayRoute", "install Envoy AI Gateway 1.0 or newer")
_CERT_MANAGER = (
    "cert-manager.io/v1",
    "Certificate",
    "install cert-manager, or give platform.access.tls.secretName",
)
_KUEUE = ("kueue.x-k8s.io/v1beta1", "ClusterQueue", "install Kueue 0.15, or drop platform.queue")
_KNATIVE = (
    "serving.knative.dev/v1",
    "Service",
    "install Knative Serving, or set platform.serving.mode to Standard",
)

_LEAST_KUBERNETES = (1, 32)
"""Envoy Gateway 1.9 and Envoy AI Gateway 1.0 are tested from Kubernetes 1.32 on (2026-08)."""


def preflight(plan: PlatformPlan, client: KubeClient) -> tuple[Check, ...]:
    """Check the cluster behind `client` against the plan. Raises `ClusterError` when it does not answer."""
    return tuple(_checks(plan, client))


def _checks(plan: PlatformPlan, client: KubeClient) -> Iterator[Check]:
    yield _version(client.version())
    for api in _needed(plan):
        yield _api(client, *api)
    yield _gateway_class(plan, client)
    if len(plan.serving) > 1 and plan.access.gateway == "envoy-gateway":
        yield _lua(plan, client)
    yield from _certificate(plan, client)
    yield from _nodes(plan, client)


def _needed(plan: PlatformPlan) -> Iterator[tuple[str, str, str]]:
    yield from (_KSERVE, _GATEWAY, _ENVOY)
    if plan.access.gateway == "envoy-ai-gateway":
        yield _AI_GATEWAY
    if plan.access.tls.issuer is not None:
        yield _CERT_MANAGER
    if plan.queue is not None:
        yield _KUEUE
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


def _gateway_class(plan: PlatformPlan, client: KubeClient) -> Check:
    name = plan.access.gateway_class
    label = f"GatewayClass {name}"
    found = client.find("gateway.networking.k8s.io/v1", "GatewayClass", name)
    if found is None:
        fix = "create it for Envoy Gateway's controller, or name yours in platform.access.gatewayClass"
        return Check(name=label, verdict="missing", found="not there", fix=fix)
    if _merges_gateways(found, client):
        fix = (
            "take mergeGateways out of that EnvoyProxy, or name another class in platform.access.gatewayClass"
        )
        why = (
            "its EnvoyProxy merges Gateways, and Envoy Gateway 1.9 refuses one with settings of its own then"
        )
        return Check(name=label, verdict="missing", found=why, fix=fix)
    accepted = _condition(found, "Accepted")
    if accepted == "True":
        return Check(name=label, verdict="ok", found="accepted")
    return Check(
        name=label,
        verdict="missing",
        found=f"condition Accepted is {accepted or 'absent'}",
        fix="see that Envoy Gateway's controller runs and that the class names it",
    )


def _merges_gateways(gateway_class: dict[str, Any], client: KubeClient) -> bool:
    reference = gateway_class.get("spec", {}).get("parametersRef") or {}
    if reference.get("kind") != "EnvoyProxy":
        return False
    proxy = client.find(
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyProxy",
        reference["name"],
        reference.get("namespace", "default"),
    )
    return (proxy or {}).get("spec", {}).get("mergeGateways") is True


def _lua(plan: PlatformPlan, client: KubeClient) -> Check:
    """Several roles behind one host are told apart by a Lua filter, which Envoy Gateway 1.9 refuses by default."""
    namespace = plan.access.gateway_namespace
    found = client.find("v1", "ConfigMap", "envoy-gateway-config", namespace)
    text = "\n".join((found or {}).get("data", {}).values())
    if "enableLua: true" in text:
        return Check(name="Lua filters in Envoy Gateway", verdict="ok", found="enableLua: true")
    return Check(
        name="Lua filters in Envoy Gateway",
        verdict="missing" if found is not None else "doubtful",
        found="not enabled" if found is not None else f"no ConfigMap envoy-gateway-config in {namespace}",
        fix="set extensionApis.enableLua: true in Envoy Gateway's configuration and restart it; without it the "
        "routes of a stack with several models answer 500",
    )


def _certificate(plan: PlatformPlan, client: KubeClient) -> Iterator[Check]:
    tls = plan.access.tls
    if tls.issuer is not None:
        namespace = plan.namespace if tls.issuer_kind == "Issuer" else None
        found = client.find("cert-manager.io/v1", tls.issuer_kind, tls.issuer, namespace)
        yield Check(
            name=f"{tls.issuer_kind} {tls.issuer}",
            verdict="ok" if found is not None else "missing",
            found="there" if found is not None else "not there",
            fix="" if found is not None else "create it, or correct platform.access.tls.issuer",
        )
    elif tls.secret_name is not None:
        namespace = tls.secret_namespace or plan.namespace
        secret = client.find("v1", "Secret", tls.secret_name, namespace)
        yield Check(
            name=f"Secret {namespace}/{tls.secret_name}",
            verdict="ok" if secret is not None else "missing",
            found="there" if secret is not None else "not there",
            fix="" if secret is not None else "create the TLS Secret, or correct platform.access.tls",
        )


def _nodes(plan: PlatformPlan, client: KubeClient) -> Iterator[Check]:
    pool = plan.pool
    nodes = client.list("v1", "Node")
    names = {node["metadata"]["name"] for node in nodes}
    for name in pool.node_names:
        if name not in names:
            yield Check(
                name=f"Node {name}",
                verdict="missing",
                found="not there",
                fix="correct platform.hardware.nodeNames",
            )
    if pool.node_names:
        nodes = [node for node in nodes if node["metadata"]["name"] in pool.node_names]
    else:
        wanted = pool.node_selector.items()
        nodes = [node for node in nodes if wanted <= (node["metadata"].get("labels") or {}).items()]
    able = [node for node in nodes if _gpus(node) >= pool.gpus_per_node]
    enough = len(able) >= pool.nodes
    yield Check(
        name=f"{pool.nodes} nodes with {pool.gpus_per_node} × {pool.accelerator.name}",
        verdict="ok" if enough else "missing",
        found=f"{len(able)} nodes offer that many {GPU_RESOURCE}",
        fix=""
        if enough
        else "install NVIDIA's GPU operator, add nodes, or correct platform.hardware (accelerator, gpusPerNode, nodes)",
    )


def _gpus(node: dict[str, Any]) -> int:
    return int(parse_quantity(str(node.get("status", {}).get("allocatable", {}).get(GPU_RESOURCE, "0"))))


def _condition(found: dict[str, Any], kind: str) -> str | None:
    for condition in found.get("status", {}).get("conditions", []):
        if condition["type"] == kind:
            return str(condition["status"])
    return None
