"""`./dev status`: what is declared, what is ready, what runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from embedded import plugins
from embedded.cluster import Cluster
from embedded.engine import Engine
from embedded.layout import Layout
from embedded.toolchain import Binary, present
from onprem_agents.catalog import is_gpu_resource
from onprem_agents.cluster import KubeClient
from onprem_agents.errors import ClusterError

Document = dict[str, Any]

_GATEWAY_API = "gateway.networking.k8s.io/v1"
_ENVOY_API = "gateway.envoyproxy.io/v1alpha1"
_POLICIES = (
    (_GATEWAY_API, "HTTPRoute"),
    (_ENVOY_API, "SecurityPolicy"),
    (_ENVOY_API, "ClientTrafficPolicy"),
    (_ENVOY_API, "BackendTrafficPolicy"),
)
# Namespaces of the cluster's own programs.
_OWN_NAMESPACES = frozenset({"kube-system", "kserve", "envoy-gateway-system"})


def status(layout: Layout, *, as_json: bool) -> None:
    """Print the state of the local default; parts that do not run are simply absent."""
    document = collect(layout)
    if as_json:
        print(json.dumps(document, indent=2))
    else:
        _show(document, Console(highlight=False))


def collect(layout: Layout) -> Document:
    """Return the document that `./dev status --json` prints."""
    cluster = Cluster(layout)
    parts = [
        {
            "name": part.name,
            "version": part.version,
            "origin": part.origin,
            "pid": part.pid,
            "resident_mib": round(part.resident_mib, 1),
        }
        for part in cluster.parts()
    ]
    document: Document = {
        "stack": None,
        "inferenceServices": [],
        "pods": [],
        "gateway": {"accepted": False, "programmed": False, "policies": []},
        "parts": parts,
    }
    binaries = present(layout, plugins.PROGRAMS)
    if "pulumi" in binaries:
        installed = plugins.install(layout, binaries)
        document["stack"] = _stack(Engine(layout, binaries))
        parts += [_idle(binary) for binary in (binaries["pulumi"], *installed)]
    if any(part["name"] == "kube-apiserver" for part in parts):
        client = cluster.client()
        document["inferenceServices"] = [
            {"name": item["metadata"]["name"], "ready": _true(item.get("status", {}), "Ready")}
            for item in _list(client, "serving.kserve.io/v1beta1", "InferenceService")
        ]
        document["pods"] = [
            _pod(item)
            for item in _list(client, "v1", "Pod")
            if item["metadata"]["namespace"] not in _OWN_NAMESPACES
        ]
        document["gateway"] = _gateway(client)
    return document


def _stack(engine: Engine) -> Document | None:
    for name in engine.stacks_with_resources():
        resources = engine.state(name).get("deployment", {}).get("resources", [])
        return {"name": name, "resources": len(resources), "outputs": engine.outputs(name)}
    return None


def _idle(binary: Binary) -> Document:
    """Describe a program that runs only during an update."""
    return {
        "name": binary.name,
        "version": binary.version,
        "origin": binary.origin,
        "pid": None,
        "resident_mib": 0.0,
    }


def _pod(item: Mapping[str, Any]) -> Document:
    containers = item["spec"].get("containers", [])
    gpus = sum(
        int(amount)
        for container in containers
        for name, amount in container.get("resources", {}).get("limits", {}).items()
        if is_gpu_resource(name)
    )
    return {
        "name": item["metadata"]["name"],
        "phase": item.get("status", {}).get("phase"),
        "node": item["spec"].get("nodeName"),
        "gpus": gpus,
    }


def _gateway(client: KubeClient) -> Document:
    gateways = [
        item
        for item in _list(client, _GATEWAY_API, "Gateway")
        if item["metadata"]["namespace"] not in _OWN_NAMESPACES
    ]
    policies = [
        {"kind": kind, "name": item["metadata"]["name"], "accepted": _accepted(item)}
        for api_version, kind in _POLICIES
        for item in _list(client, api_version, kind)
    ]
    return {
        "accepted": bool(gateways) and all(_true(item.get("status", {}), "Accepted") for item in gateways),
        "programmed": bool(gateways)
        and all(_true(item.get("status", {}), "Programmed") for item in gateways),
        "policies": policies,
    }


def _accepted(item: Mapping[str, Any]) -> bool:
    """Whether every gateway that the route or policy attaches to has accepted it."""
    told = item.get("status", {})
    answers = [*told.get("parents", []), *told.get("ancestors", [])]
    return bool(answers) and all(
        _true(answer, "Accepted") and not _false(answer, "ResolvedRefs") for answer in answers
    )


def _true(told: Mapping[str, Any], kind: str) -> bool:
    return _condition(told.get("conditions", []), kind) == "True"


def _false(told: Mapping[str, Any], kind: str) -> bool:
    return _condition(told.get("conditions", []), kind) == "False"


def _condition(conditions: Iterable[Mapping[str, Any]], kind: str) -> str:
    return next(
        (str(condition["status"]) for condition in conditions if condition["type"] == kind), "Unknown"
    )


def _list(client: KubeClient, api_version: str, kind: str) -> list[Document]:
    """Return the objects of a kind; none when the cluster does not serve it."""
    try:
        return list(client.list(api_version, kind))
    except ClusterError:
        return []


def _show(document: Document, console: Console) -> None:
    stack = document["stack"]
    console.print(f"stack {stack['name']}: {stack['resources']} resources" if stack else "no stack is up")
    for service in document["inferenceServices"]:
        console.print(f"  InferenceService {service['name']}  READY={service['ready']}")
    for pod in document["pods"]:
        console.print(f"  pod {pod['name']}  {pod['phase']}  on {pod['node']}  {pod['gpus']} GPUs")
    gateway = document["gateway"]
    if gateway["policies"]:
        console.print(f"  gateway  accepted={gateway['accepted']}  programmed={gateway['programmed']}")
        for policy in gateway["policies"]:
            console.print(f"    {policy['kind']} {policy['name']}  accepted={policy['accepted']}")
    table = Table("part", "version", "origin", "pid", "MiB", box=None, pad_edge=False)
    for part in document["parts"]:
        pid = "-" if part["pid"] is None else str(part["pid"])
        table.add_row(part["name"], part["version"], part["origin"], pid, f"{part['resident_mib']:.0f}")
    console.print(table)
    total = sum(part["resident_mib"] for part in document["parts"])
    console.print(f"resident in all: {total:.0f} MiB")
