"""What scales a server beside its own object: HPAs and KEDA's ScaledObjects, by the workload that they name."""

from __future__ import annotations

from collections.abc import Iterator

from .graph import Graph, Resource, Value, dig
from .serving import Server

_PREDICTOR = "-predictor"
"""KServe calls the Deployment of a service so (v0.20.0, read 2026-11)."""


def autoscalers_of(graph: Graph, server: Server) -> Iterator[Resource]:
    """Yield the HPAs and ScaledObjects of the program that scale a server."""
    for scaler in (
        *graph.of_kind("autoscaling", "HorizontalPodAutoscaler"),
        *graph.of_kind("keda.sh", "ScaledObject"),
    ):
        target = dig(scaler.props, "spec", "scaleTargetRef")
        if scaler.namespace == server.resource.namespace and _names(target, server.resource):
            yield scaler


def _names(target: Value, resource: Resource) -> bool:
    name, kind = dig(target, "name"), dig(target, "kind") or "Deployment"
    if resource.kind == "InferenceService":
        return kind == "Deployment" and name == f"{resource.object_name}{_PREDICTOR}"
    if resource.kind == "LLMInferenceService":
        return kind in ("Deployment", resource.kind) and name in (
            resource.object_name,
            f"{resource.object_name}-kserve",
        )
    return bool(kind == resource.kind and name == resource.object_name)
