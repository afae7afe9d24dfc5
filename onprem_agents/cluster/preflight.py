"""What a cluster must have before a stack can run on it: one check a prerequisite, each with its fix.

Only reads. The versions in the fixes are those that the product is tested with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.cluster import KubeClient
from onprem_agents.plan import GPU_RESOURCE, PlatformPlan
from onprem_agents.plan.remarks import CREDENTIAL_STEPS
from onprem_agents.units import parse_quantity

Verdict = Literal["ok", "missing", "doubtful"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One prerequisite with what was found; `fix` is empty when the verdict is ok."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""


# What brings each API group that a stack may declare objects of, with the version tested (embedded cluster,
# 2026-11). Groups that are not here are Kubernetes' own.
PREREQUISITES: Mapping[str, str] = {
    "serving.kserve.io": "install KServe 0.20 (charts kserve-crd and kserve)",
    "gateway.networking.k8s.io": "install the Gateway API CRDs 1.6, standard channel",
    "gateway.envoyproxy.io": "install Envoy Gateway 1.9",
    "aigateway.envoyproxy.io": "install Envoy AI Gateway 1.0 or newer",
    "cert-manager.io": "install cert-manager, or give platform.access.tls.secretName",
    "kueue.x-k8s.io": "install Kueue 0.15, or drop platform.queue",
}
_KNATIVE = (
    "serving.knative.dev/v1",
    "Service",
    "install Knative Serving, or set platform.serving.mode to Standard",
)

_LEAST_KUBERNETES = (1, 32)
"""Envoy Gateway 1.9 and Envoy AI Gateway 1.0 are tested from Kubernetes 1.32 on (2026-08)."""


def preflight(
    plan: PlatformPlan, objects: Sequence[Mapping[str, Any]], client: KubeClient
) -> tuple[Check, ...]:
    """Check the cluster behind `client` against the plan and the objects that the stack declares.

    Raises `ClusterError` when it does not answer.
    """
    return tuple(_checks(plan, objects, client))


def _checks(plan: PlatformPlan, objects: Sequence[Mapping[str, Any]], client: KubeClient) -> Iterator[Check]:
    yield _version(client.version())
    for api in _needed(plan, objects):
        yield _api(client, *api)
    yield _gateway_class(plan, client)
    if any(each["kind"] == "EnvoyExtensionPolicy" for each in objects):
        yield _lua(plan, client)
    yield from _certificate(plan, client)
    yield from _licences(plan, client)
    yield from _nodes(plan, client)


def _needed(plan: PlatformPlan, objects: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
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


def _licences(plan: PlatformPlan, client: KubeClient) -> Iterator[Check]:
    """Look for the token with which gated weights are downloaded; whether its account accepted cannot be seen here."""
    name = plan.settings.serving.storage_secret
    for serving in plan.serving:
        if serving.licence_to_accept is None:
            continue
        if name is None:
            there, found = False, "platform.serving.storageSecret names no Secret"
        else:
            secret = client.find("v1", "Secret", name, plan.namespace)
            there = "HF_TOKEN" in (secret or {}).get("data", {})
            state = "is not there" if secret is None else "has HF_TOKEN" if there else "has no HF_TOKEN"
            found = f"Secret {plan.namespace}/{name} {state}"
        yield Check(
            name=f"licence of {serving.variant.hf_id}",
            verdict="ok" if there else "missing",
            found=found,
            fix="" if there else f"{serving.licence_to_accept}; {CREDENTIAL_STEPS}",
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
