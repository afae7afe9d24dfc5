"""turns-can-end: a server that stops lets the turns end that it has begun."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from onprem_agents.vllm import UNREADABLE, load_release, option_of

from ..graph import UNKNOWN, Graph, Value, Violation, dig, items
from ..operation import Told, about_each, is_completed_elsewhere, mode_of, number
from ..serving import Server, servers_for_agents

_DRAIN = "shutdown_timeout"
_GRACE_SECONDS = 30
"""What Kubernetes gives a pod to end (terminationGracePeriodSeconds; 1.36, read 2026-11)."""
LEAST_SECONDS = 60
"""Shorter than nearly every turn of an agent."""


def turns_can_end(graph: Graph, *, least_seconds: float = LEAST_SECONDS) -> list[Violation]:
    """At a rollout or a drained node a server ends the turns that it has begun. Advisory.

    It does so while a preStop hook sleeps, and from vLLM 0.18 on for --shutdown-timeout; both must fit into the pod's
    grace period. Knative drains by itself. What is only known at run time proves nothing.
    """
    return about_each(servers_for_agents(graph), partial(_cut, graph, least_seconds))


def _cut(graph: Graph, least_seconds: float, server: Server) -> Iterator[Told]:
    stays = server.resource.kind in ("Job", "Pod", "Service", "ServingRuntime", "ClusterServingRuntime")
    if stays or mode_of(server.resource) == "Knative" or UNKNOWN in (server.pod, mode_of(server.resource)):
        return
    said = dig(server.pod, "terminationGracePeriodSeconds")
    if said is UNKNOWN or is_completed_elsewhere(graph, server):
        return
    grace = _GRACE_SECONDS if said is None else number(said)
    pause, drain = _pause(server), _drain(server)
    if grace is None or pause is None or drain is None:
        return
    lasts = pause + drain
    where = "terminationGracePeriodSeconds" if said is not None else "Kubernetes' default"
    if lasts < least_seconds:
        yield Told(
            f"cuts off the turns that it has begun when it stops: it drains for {lasts:g} s (preStop {pause:g} s,"
            f" {option_of(_DRAIN)} {drain:g} s)",
            _change(server, least_seconds),
        )
    elif lasts > grace:
        yield Told(
            f"is killed after {grace:g} s ({where}) while it still drains: preStop takes {pause:g} s,"
            f" {option_of(_DRAIN)} {drain:g} s",
            f"Set terminationGracePeriodSeconds above {lasts:g}.",
        )


def _change(server: Server, least_seconds: float) -> str:
    if not _can_drain(server):
        return (
            f"Let a preStop hook sleep as long as the longest turn, at least {least_seconds:g} s, and set"
            " terminationGracePeriodSeconds above it."
        )
    return (
        f"Set {option_of(_DRAIN)} to the seconds of the longest turn, at least {least_seconds:g}, a preStop hook of"
        " some seconds, and terminationGracePeriodSeconds above both."
    )


def _can_drain(server: Server) -> bool:
    return option_of(_DRAIN) in load_release(server.parsed.judged_by).options()


def _drain(server: Server) -> float | None:
    """Return how long vLLM lets turns run after it is told to stop; None where that is only known at run time."""
    if server.parsed.opaque and server.parsed.read(_DRAIN) is None:
        return None
    value = server.parsed.read(_DRAIN)
    return None if value == UNREADABLE else number(value or 0)


def _pause(server: Server) -> float | None:
    """Return how long the preStop hook sleeps, 0 without one; None where nothing tells."""
    hook = dig(server.container.get("lifecycle"), "preStop")
    if hook is None:
        return 0.0
    seconds: Value = dig(hook, "sleep", "seconds")
    if seconds is None:
        words = " ".join(str(word) for word in items(dig(hook, "exec", "command"))).split()
        seconds = words[-1] if len(words) > 1 and words[-2].endswith("sleep") else None
    return number(seconds)
