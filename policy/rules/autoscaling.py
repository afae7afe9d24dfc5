"""autoscalers-settle, one-autoscaler-a-server, metrics-exist: by what servers are scaled, and by how many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onprem_agents.vllm.release import version_key

from ..autoscalers import autoscalers_of
from ..graph import Graph, Resource, Value, Violation, dig, items
from ..operation import mode_of
from ..serving import Server, servers

_CLASS = "serving.kserve.io/autoscalerClass"
_TRANSFERS = "scaledobject.keda.sh/transfer-hpa-ownership"
_SUMMED = re.compile(r"\bsum\s*(?:by|without)?\s*\(")
_AVERAGED = re.compile(r"/\s*(?:count|scalar|sum|on|ignoring)\b")
# vLLM's metrics by the release that has them no longer, or under another name only (the wheels of 0.10.2 to 0.33.0,
# v1/metrics/loggers.py; 0.11 and 0.15 were not read; 2026-11-29).
_GONE: dict[str, tuple[str, str]] = {
    "vllm:gpu_cache_usage_perc": ("0.12.0", "vllm:kv_cache_usage_perc"),
    "vllm:gpu_prefix_cache_hits": ("0.12.0", "vllm:prefix_cache_hits"),
    "vllm:gpu_prefix_cache_queries": ("0.12.0", "vllm:prefix_cache_queries"),
    "vllm:time_per_output_token_seconds": ("0.16.0", "vllm:inter_token_latency_seconds"),
    "vllm:cpu_cache_usage_perc": ("0.10.2", "vllm:kv_cache_usage_perc"),
    "vllm:num_requests_swapped": ("0.10.2", "vllm:num_requests_waiting"),
}
_ASKED_BY = (
    ("keda.sh", "ScaledObject"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("monitoring.coreos.com", "PrometheusRule"),
    ("serving.kserve.io", "InferenceService"),
)


def autoscalers_settle(graph: Graph) -> list[Violation]:
    """No autoscaler of servers multiplies its replicas by a sum over them. Advisory.

    For a target of type Value, Kubernetes multiplies the replicas that there are by metric ÷ target: a sum that grows
    with them never comes to rest (kubernetes.io, "Horizontal Pod Autoscaling", algorithm details; read 2026-11).
    """
    return [
        Violation(
            resource=resource,
            message=f"{resource} scales by a sum ({query}) against a target of type Value: Kubernetes multiplies the"
            " replicas by it, so that their number runs away.",
            change=f"Set {field} to AverageValue.",
        )
        for resource, kind, query, field in _triggers(graph)
        if kind == "Value" and _SUMMED.search(query) and not _AVERAGED.search(query)
    ]


def one_autoscaler_a_server(graph: Graph) -> list[Violation]:
    """No server is scaled by two autoscalers. Advisory."""
    found = {}
    for server in servers(graph):
        own = (each for each in autoscalers_of(graph, server) if each.annotation(_TRANSFERS) is None)
        scalers = sorted(own, key=str)  # an engine registers them in any order
        names = [str(each) for each in scalers]
        if _scaled_by_kserve(server):
            names.append(f"the HPA that KServe makes ({_CLASS})")
        if scalers and len(names) > 1:
            found[server.resource.urn] = Violation(
                resource=scalers[-1],
                message=f"{scalers[-1]} is not the only one that scales {server.resource}: {' and '.join(names)} do,"
                " and either undoes what the other did.",
                change=f"Keep one of them; for a service of KServe set {_CLASS}: none."
                if _scaled_by_kserve(server)
                else "Keep one of them.",
            )
    return list(found.values())


def metrics_exist(graph: Graph) -> list[Violation]:
    """Autoscalers and alerts ask for metrics that the servers of the program have. Advisory."""
    judged = min(servers(graph), key=_release, default=None)
    if judged is None:
        return []
    oldest = _release(judged)
    return [
        Violation(
            resource=resource,
            message=f"{resource} asks for {old}, which vLLM {judged.judged} does not have: it gets no value.",
            change=f"Write {new}.",
        )
        for group, kind in _ASKED_BY
        for resource in graph.of_kind(group, kind)
        for old, (since, new) in _GONE.items()
        if version_key(since) <= oldest
        and any(_names(text, old) for text in _texts(resource.props.get("spec")))
    ]


def _release(server: Server) -> tuple[int, ...]:
    return version_key(server.release or server.parsed.judged_by)


def _names(text: str, metric: str) -> bool:
    return re.search(rf"{re.escape(metric)}(?:_bucket|_sum|_count|_total)?(?![\w:])", text) is not None


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        if "vllm:" in value:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    else:
        for each in items(value):
            yield from _texts(each)


def _triggers(graph: Graph) -> Iterator[tuple[Resource, Value, str, str]]:
    """Yield the queries by which model servers are scaled, each with the type of its target and where that stands."""
    scaled = {scaler.urn for server in servers(graph) for scaler in autoscalers_of(graph, server)}
    for scaler in graph.of_kind("keda.sh", "ScaledObject"):
        for place, trigger in enumerate(items(dig(scaler.props, "spec", "triggers"))):
            query = str(dig(trigger, "metadata", "query") or "")
            if scaler.urn in scaled or "vllm:" in query:
                yield scaler, dig(trigger, "metricType"), query, f"spec.triggers[{place}].metricType"
    seen = {server.resource.urn: server.resource for server in servers(graph)}
    for service in seen.values():
        for place, metric in enumerate(
            items(dig(service.props, "spec", "predictor", "autoScaling", "metrics"))
        ):
            external = dig(metric, "external")
            yield (
                service,
                dig(external, "target", "type"),
                str(dig(external, "metric", "query") or ""),
                f"spec.predictor.autoScaling.metrics[{place}].external.target.type",
            )


def _scaled_by_kserve(server: Server) -> bool:
    """Whether KServe makes an autoscaler of its own: in Standard mode, unless it is told not to (v0.20.0)."""
    standard = server.resource.kind == "InferenceService" and mode_of(server.resource) == "Standard"
    return standard and server.resource.annotation(_CLASS) in (None, "hpa", "keda")
