"""starts-are-waited-for, servers-are-probed: a start that is cut short never ends, and one that nobody sees answers."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.units import BadUnit, parse_duration, rough_time

from ..graph import UNKNOWN, Graph, Value, Violation, dig
from ..operation import Told, about_each, annotations_of, mode_of, number
from ..probes import PRESET_START_SECONDS, Patience, load_seconds, probes_of
from ..serving import Server, servers

_DEADLINE = "serving.knative.dev/progress-deadline"
# Deployments (kubernetes.io, read 2026-11) and Knative's revisions (config-deployment, 1.21) alike.
_PROGRESS_SECONDS = 600
# Kinds whose pods take requests as soon as their containers run, where no probe says otherwise.
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "LeaderWorkerSet")


def starts_are_waited_for(graph: Graph) -> list[Violation]:
    """Probes and deadlines wait for as long as a model takes to load, at the least. Advisory: disks differ.

    The time is that of weights on a fast disk with kernels that are compiled; a download comes on top. What is only
    known at run time proves nothing.
    """
    return about_each(servers(graph), _impatient)


def servers_are_probed(graph: Graph) -> list[Violation]:
    """A server has a probe that tells when its model is loaded. Advisory.

    KServe gives its services one; a worker of several nodes starts no port that could be asked.
    """
    return about_each(servers(graph), _unprobed)


def _impatient(server: Server) -> Iterator[Told]:
    needed, what = load_seconds(server)
    for patience in (*probes_of(server), *_deadlines(server), *_preset(server)):
        if patience.seconds < needed:
            yield Told(
                f"waits {rough_time(patience.seconds)} for a start ({patience.field}), and {what}"
                f" {rough_time(needed)} or more: {patience.ends}",
                f"Give it {2 * needed} s or more"
                + (
                    ", such as startupProbe: {httpGet: {path: /health, port: …}, periodSeconds: 10, failureThreshold:"
                    f" {2 * needed // 10}}}."
                    if "Probe" in patience.field
                    else "."
                ),
            )


def _deadlines(server: Server) -> Iterator[Patience]:
    resource = server.resource
    if resource.kind == "Deployment":
        said = dig(resource.props, "spec", "progressDeadlineSeconds")
        seconds = _PROGRESS_SECONDS if said is None else number(said)
        if seconds is not None:
            yield Patience(
                seconds=seconds, field="spec.progressDeadlineSeconds", ends="its rollout is called failed"
            )
    elif mode_of(resource) == "Knative" or resource.type.startswith("kubernetes:serving.knative.dev/"):
        said = next((value for key, value in annotations_of(server) if key == _DEADLINE), None)
        seconds = _PROGRESS_SECONDS if said is None else _duration(said)
        if seconds is not None:
            yield Patience(
                seconds=seconds, field=_DEADLINE, ends="its revision is called failed and taken away"
            )


def _preset(server: Server) -> Iterator[Patience]:
    own = any(server.container.get(name) is not None for name in ("startupProbe", "livenessProbe"))
    if server.resource.kind == "LLMInferenceService" and not own and not server.unseen:
        yield Patience(
            seconds=PRESET_START_SECONDS,
            field="the startupProbe of KServe's preset",
            ends="its container is killed, and starts from the beginning",
        )


def _duration(text: Value) -> float | None:
    try:
        return None if text is UNKNOWN else parse_duration(str(text))
    except BadUnit:
        return None


def _unprobed(server: Server) -> Iterator[Told]:
    probed = any(server.container.get(name) is not None for name in ("readinessProbe", "startupProbe"))
    if server.resource.kind in _WORKLOADS and server.takes_requests and not probed:
        yield Told(
            "has no probe that tells when its model is loaded: it counts as ready, and gets requests, minutes before",
            "Add startupProbe and readinessProbe, both by httpGet: {path: /health, port: …}.",
        )
