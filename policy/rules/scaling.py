"""servers-stay-up, scaling-settings-are-taken, scaling-settings-are-read: how many servers run, and by what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..autoscalers import autoscalers_of
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig
from ..operation import Told, about_each, annotations_of, mode_of, number
from ..serving import Server, servers, servers_for_agents

_CLASS = "serving.kserve.io/autoscalerClass"
_KNATIVE = "autoscaling.knative.dev/"
_LEAST = (f"{_KNATIVE}min-scale", f"{_KNATIVE}minScale")
# kserve v0.20.0, constants.go and inference_service_validation.go, read 2026-11-29.
_OF_THE_HPA, _OF_KNATIVE = ("cpu", "memory"), ("concurrency", "rps")
_ZERO: Final = "and the next turn waits until the model is loaded again: longer than agents and gateways wait"


def servers_stay_up(graph: Graph) -> list[Violation]:
    """No server of agents is scaled to zero. Advisory; a number that is only known at run time proves nothing."""
    scalers = {
        scaler.urn: Violation(
            resource=scaler,
            message=f"{scaler} has {said}: {server.resource} is taken away where nobody asks for it, {_ZERO}.",
            change="Set spec.minReplicaCount to 1 or more.",
        )
        for server in servers_for_agents(graph)
        for scaler in autoscalers_of(graph, server)
        if (said := _least_of(scaler)) is not None
    }
    return [*about_each(servers_for_agents(graph), _to_zero), *scalers.values()]


def scaling_settings_are_taken(graph: Graph) -> list[Violation]:
    """KServe's webhook takes the metric that a service scales by. A metric known only at run time is a violation."""
    return about_each(servers(graph), _metric_refused)


def scaling_settings_are_read(graph: Graph) -> list[Violation]:
    """No service in Standard mode has settings that only Knative's autoscaler reads. Advisory."""
    return about_each(servers(graph), _unread)


def _least_of(scaler: Resource) -> str | None:
    """Return the words of a ScaledObject that let it go to zero; KEDA's default is 0 (2.18, read 2026-11)."""
    least, idle = (dig(scaler.props, "spec", key) for key in ("minReplicaCount", "idleReplicaCount"))
    if scaler.kind != "ScaledObject":
        return None
    if idle == 0:
        return "idleReplicaCount 0"
    if least is None:
        return "no minReplicaCount, which KEDA takes for 0"
    return "minReplicaCount 0" if least == 0 else None


def _predictor(server: Server, key: str) -> Value:
    return dig(server.resource.props, "spec", "predictor", key)


def _to_zero(server: Server) -> Iterator[Told]:
    if server.resource.kind == "InferenceService" and _predictor(server, "minReplicas") == 0:
        field = "spec.predictor.minReplicas"
        if mode_of(server.resource) == "Standard" and server.resource.annotation(_CLASS) in (None, "hpa"):
            yield Told(
                f"has {field} 0, which KServe's HPA takes for 1 in Standard mode",
                f"Set {field} to 1 or more.",
            )
        else:
            yield Told(
                f"has {field} 0: it is taken away where nobody asks for it, {_ZERO}",
                f"Set {field} to 1 or more.",
            )
    elif dig(server.resource.props, "spec", "scaling", "minReplicas") == 0:
        yield Told(
            f"has spec.scaling.minReplicas 0: it is taken away, {_ZERO}",
            "Set spec.scaling.minReplicas to 1 or more.",
        )
    elif server.resource.type.startswith("kubernetes:serving.knative.dev/"):
        said = [value for key, value in annotations_of(server) if key in _LEAST]
        if UNKNOWN not in said and not any(number(value) for value in said):
            yield Told(
                f"{'has' if said else 'has no'} {_LEAST[0]}{' 0' if said else ''}: Knative takes it away where nobody"
                f" asks for it, {_ZERO}",
                f'Set the annotation {_LEAST[0]}: "1" in spec.template.metadata.annotations.',
            )


def _metric_refused(server: Server) -> Iterator[Told]:
    metric, mode = _predictor(server, "scaleMetric"), mode_of(server.resource)
    by = server.resource.annotation(_CLASS)
    if metric is None or mode not in ("Standard", "Knative"):
        return
    if mode == "Standard" and by == "keda":
        yield Told(
            f"has spec.predictor.scaleMetric {metric} beside {_CLASS}: keda, which KServe's webhook refuses",
            "Write the metric in spec.predictor.autoScaling.metrics.",
        )
    taken = _OF_THE_HPA if mode == "Standard" else _OF_KNATIVE
    if mode == "Standard" and by != "hpa":
        return
    if mode == "Knative" and server.resource.annotation(f"{_KNATIVE}class") is not None:
        return
    if metric not in taken:
        said = f"{metric}, which KServe's webhook refuses in {mode} mode"
        unknown = "what is only known at run time, so that KServe's webhook may refuse it"
        yield Told(
            f"scales by {unknown if metric is UNKNOWN else said} (spec.predictor.scaleMetric)",
            f"Set it to {' or '.join(taken)}.",
        )


def _unread(server: Server) -> Iterator[Told]:
    if mode_of(server.resource) != "Standard":
        return
    dead = [key for key, _ in annotations_of(server) if key.startswith(_KNATIVE)]
    if _predictor(server, "scaleMetric") in _OF_KNATIVE and server.resource.annotation(_CLASS) not in (
        "hpa",
        "keda",
    ):
        dead.append(f"spec.predictor.scaleMetric {_predictor(server, 'scaleMetric')}")
    if number(_predictor(server, "containerConcurrency")):
        dead.append("spec.predictor.containerConcurrency")
    if dead:
        yield Told(
            f"has {', '.join(dead)}, which nothing reads in Standard mode: only Knative scales by it",
            "Remove it, and scale by KEDA where it must be scaled.",
        )
