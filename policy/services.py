"""Which Services lead to a server: by its name, as KServe makes them, or by the labels of its pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .graph import UNKNOWN, Graph, Resource, Value, dig, may_equal
from .templates import template_labels


def services(graph: Graph) -> Iterator[Resource]:
    """Return the Services of a program."""
    return graph.of_kind("core", "Service")


def selects(service: Resource, workload: Resource) -> bool:
    """Whether a Service leads to the pods of an object."""
    return leads_to(service, pod_labels(workload), workload.namespace)


def leads_to(service: Resource, labels: Value, namespace: Value) -> bool:
    """Whether a Service leads to pods with these labels; a label that is only known at run time may be any."""
    return may_equal(service.namespace, namespace) and picks(dig(service.props, "spec", "selector"), labels)


def picks(selector: Value, labels: Value) -> bool:
    """Whether a selector of plain labels picks pods with these labels; one only known at run time may be any."""
    if not isinstance(selector, Mapping) or not selector:
        return False
    given = _mapping(labels)
    known = {key: value for key, value in selector.items() if value is not UNKNOWN}
    return bool(known) and all(given.get(key) in (value, UNKNOWN) for key, value in known.items())


def pod_labels(workload: Resource) -> dict[str, Value]:
    """Return the labels of an object's pods, with those that KServe v0.20 adds (Standard mode, read 2026-11)."""
    own = dig(workload.props, "metadata", "labels")
    name = workload.object_name
    if workload.kind == "InferenceService":
        added = dig(workload.props, "spec", "predictor", "labels")
        by_kserve = {
            "serving.kserve.io/inferenceservice": name,
            "component": "predictor",
            "app": f"isvc.{name}-predictor",
        }
    elif workload.kind == "LLMInferenceService":
        added, by_kserve = None, {"app.kubernetes.io/name": name}
    else:
        return _mapping(template_labels(workload))
    return {**_mapping(own), **_mapping(added), **by_kserve}


def _mapping(value: Value) -> dict[str, Value]:
    return dict(value) if isinstance(value, Mapping) else {}
