"""knative-takes-the-pod, knative-features-are-on, deadlines-are-no-timeouts: what Knative refuses and what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from onprem_agents.catalog import (
    DEFAULTS,
    FEATURES,
    KNATIVE_NAMESPACE,
    LONGEST_KEY,
    LONGEST_SECONDS,
    feature_value,
    features_needed,
    never_taken,
)

from ..graph import UNKNOWN, Graph, Value, Violation, dig
from ..operation import Told, about_each, annotations_of, is_ours, mode_of, number
from ..serving import Server, servers

_DEADLINE = "serving.knative.dev/progress-deadline"
_STANDARD = "the annotation serving.kserve.io/deploymentMode to Standard"


def knative_takes_the_pod(graph: Graph) -> list[Violation]:
    """No server that Knative runs has a field which its webhook refuses: always, or by what the program sets.

    Its webhook answers "must not set the field(s)" or "expected … <= …", and there never is a pod.
    """
    stated, cap = _stated(graph, FEATURES), _stated(graph, DEFAULTS).get(LONGEST_KEY)
    return about_each(
        _on_knative(graph), lambda server: chain(_refused(stated, server), _too_long(cap, server))
    )


def knative_features_are_on(graph: Graph) -> list[Violation]:
    """Fields that Knative takes by a flag or a limit alone are told where the program does not show it. Advisory.

    Our own stacks are left to their preflight, which asks the cluster.
    """
    others = (server for server in _on_knative(graph) if not is_ours(server.resource))
    stated, cap = _stated(graph, FEATURES), _stated(graph, DEFAULTS).get(LONGEST_KEY)
    return about_each(others, lambda server: chain(_needing(stated, server), _maybe_too_long(cap, server)))


def deadlines_are_no_timeouts(graph: Graph) -> list[Violation]:
    """A server with Knative's progress deadline, which bounds its start, has a timeout for requests too. Advisory."""
    return about_each(servers(graph), _untimed)


def _on_knative(graph: Graph) -> Iterator[Server]:
    for server in servers(graph):
        by_kserve = mode_of(server.resource) == "Knative"
        if by_kserve or server.resource.type.startswith("kubernetes:serving.knative.dev/"):
            yield server


def _stated(graph: Graph, name: str) -> Mapping[str, Value]:
    """Return what a ConfigMap of Knative says in the program. A key that it leaves out may be set in the cluster."""
    for config in graph.of_kind("core", "ConfigMap"):
        if config.object_name == name and config.namespace == KNATIVE_NAMESPACE:
            data = dig(config.props, "data")
            return data if isinstance(data, Mapping) else {}
    return {}


def _pod(server: Server) -> Mapping[str, Value]:
    return server.pod if isinstance(server.pod, Mapping) else {}


def _refused(stated: Mapping[str, Value], server: Server) -> Iterator[Told]:
    never = list(dict.fromkeys(never_taken(_pod(server))))
    if never:
        yield Told(
            f"sets {', '.join(never)}, which Knative refuses: the server never gets a pod",
            f"Remove what it refuses, or set {_STANDARD}.",
        )
    off = [
        (flag, field)
        for flag, field in features_needed(_pod(server))
        if stated.get(flag) not in (None, UNKNOWN) and feature_value(flag, stated) == "disabled"
    ]
    if off:
        yield Told(
            f"sets {', '.join(field for _, field in off)}, which Knative refuses as ConfigMap {FEATURES} has"
            f" {', '.join(flag for flag, _ in off)} disabled: the server never gets a pod",
            f"Set {' and '.join(f'{flag}: enabled' for flag, _ in off)} there, or set {_STANDARD}.",
        )


def _needing(stated: Mapping[str, Value], server: Server) -> Iterator[Told]:
    needed = [
        (flag, field)
        for flag, field in features_needed(_pod(server))
        if stated.get(flag) is None and feature_value(flag, {}) == "disabled"
    ]
    if needed:
        yield Told(
            f"sets {', '.join(field for _, field in needed)}, which Knative refuses unless its cluster allows them",
            f"See that ConfigMap {FEATURES} of {KNATIVE_NAMESPACE} has"
            f" {' and '.join(f'{flag}: enabled' for flag, _ in needed)}, or set {_STANDARD}.",
        )


def _too_long(cap: Value, server: Server) -> Iterator[Told]:
    wanted, most = number(dig(server.resource.props, *_timeout_of(server))), number(cap)
    if wanted is not None and most is not None and wanted > most:
        yield Told(
            f"lets a request take {wanted:g} s ({'.'.join(_timeout_of(server))}), which Knative refuses as ConfigMap"
            f" {DEFAULTS} has {LONGEST_KEY} {most:g}: the server never gets a pod",
            f"Raise {LONGEST_KEY} to {wanted:g} or more, or set {_STANDARD}.",
        )


def _maybe_too_long(cap: Value, server: Server) -> Iterator[Told]:
    wanted = number(dig(server.resource.props, *_timeout_of(server)))
    if cap is None and wanted is not None and wanted > LONGEST_SECONDS:
        yield Told(
            f"lets a request take {wanted:g} s ({'.'.join(_timeout_of(server))}), which Knative refuses above"
            f" {LONGEST_SECONDS} unless its cluster allows it",
            f"See that ConfigMap {DEFAULTS} of {KNATIVE_NAMESPACE} has {LONGEST_KEY} {wanted:g} or more, or set"
            f" {_STANDARD}.",
        )


def _timeout_of(server: Server) -> tuple[str, ...]:
    """Return where a server says how long a request may take."""
    knative = server.resource.kind == "Service"
    return ("spec", "template", "spec", "timeoutSeconds") if knative else ("spec", "predictor", "timeout")


def _untimed(server: Server) -> Iterator[Told]:
    props, path = server.resource.props, _timeout_of(server)
    given = any(key == _DEADLINE for key, _ in annotations_of(server))
    if given and dig(props, *path) is None and server.resource.kind in ("InferenceService", "Service"):
        yield Told(
            f"has {_DEADLINE}, which bounds how long a revision may start, and no timeout for requests: those end after"
            " 300 s in Knative, after 60 s on the route that KServe makes in Standard mode",
            f"Set {'.'.join(path)} to the seconds of the longest turn.",
        )
