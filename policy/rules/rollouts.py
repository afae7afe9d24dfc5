"""rollouts-find-a-gpu: a new pod that waits for the GPU of the old one waits for ever."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from onprem_agents.catalog import is_gpu_resource

from ..graph import UNKNOWN, Graph, Value, Violation, dig
from ..operation import Told, about_each, mode_of
from ..queues import asked_for, cluster_queue, quotas, replicas_of
from ..serving import Server, servers

# Kubernetes' Deployments, which KServe's Standard mode makes too (v0.20.0, deployment_reconciler.go; read 2026-11).
_DEFAULT = "25%"


def rollouts_find_a_gpu(graph: Graph) -> list[Violation]:
    """A rollout that starts the new pod first has the GPUs for it. Advisory: the program seldom shows the pool.

    Told where the default decides, which is 25 % of surge, and where a quota of the program is short. A surge that
    somebody wrote is theirs to know.
    """
    return about_each(servers(graph), partial(_waiting, graph))


@dataclass(frozen=True, kw_only=True)
class _Surge:
    """How a rollout begins: `pods` more than there are, before it takes one away; `written` says so by itself."""

    pods: int
    written: bool
    field: str


def _waiting(graph: Graph, server: Server) -> Iterator[Told]:
    surge = _surge_of(server)
    if surge is None or not isinstance(server.gpus, int):
        return
    needed, free = surge.pods * server.gpus, _free(graph, server)
    if needed == 0 or (free is None and surge.written) or (free is not None and (free >= needed or free < 0)):
        return  # less than none left: queues-admit-the-pods says so
    room = "and where none are free" if free is None else f"and its queue has {free:g} left:"
    by = "as written" if surge.written else "by default"
    yield Told(
        f"starts its new pod before the old one ends ({surge.field}, {by}): that takes {needed} free"
        f" {'GPU' if needed == 1 else 'GPUs'}, {room} the rollout waits for ever",
        f"Set {surge.field} to {{type: Recreate}}, or to {{type: RollingUpdate, rollingUpdate: {{maxSurge: 0,"
        " maxUnavailable: 1}} with two replicas or more.",
    )


def _surge_of(server: Server) -> _Surge | None:
    """Return how a rollout begins, None where it needs no more than there is, or where nothing tells."""
    resource = server.resource
    if resource.type.startswith("kubernetes:apps/") and resource.kind == "Deployment":
        path: tuple[str, ...] = ("spec", "strategy")
    elif resource.kind == "InferenceService" and mode_of(resource) == "Standard":
        path = ("spec", "predictor", "deploymentStrategy")
    else:
        return None
    strategy, replicas = dig(resource.props, *path), replicas_of(server)
    if (
        replicas is None
        or UNKNOWN in (strategy, dig(strategy, "type"))
        or dig(strategy, "type") == "Recreate"
    ):
        return None
    surge, away = (dig(strategy, "rollingUpdate", key) for key in ("maxSurge", "maxUnavailable"))
    pods, missing = _count(surge, replicas, up=True), _count(away, replicas, up=False)
    if pods is None or missing is None or missing > 0:
        return None
    return _Surge(pods=pods, written=surge is not None, field=".".join(path))


def _count(value: Value, replicas: int, *, up: bool) -> int | None:
    """Return a number or a share of the replicas; Kubernetes rounds the surge up and what is away down."""
    said = _DEFAULT if value is None else value
    if isinstance(said, int):
        return said
    text = str(said)
    if not text.endswith("%") or not text[:-1].isdigit():
        return int(text) if text.isdigit() else None
    share = int(text[:-1]) * replicas / 100
    return math.ceil(share) if up else math.floor(share)


def _free(graph: Graph, server: Server) -> float | None:
    """Return the GPUs that the quota of a server's queue leaves, None where the program does not show it."""
    queue = cluster_queue(graph, server)
    name = next(filter(is_gpu_resource, asked_for(server)), None)
    quota = None if queue is None or name is None else quotas(queue).get(name)
    if queue is None or name is None or quota is None:
        return None
    for other in servers(graph):
        same = cluster_queue(graph, other)
        if same is not None and same.urn == queue.urn and name in asked_for(other):
            count = replicas_of(other)
            if count is None or not isinstance(other.gpus, int):
                return None
            quota -= count * other.gpus
    return quota
