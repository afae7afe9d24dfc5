"""A pool's queues: their names, whether the ClusterQueue is the stack's own, and what Kueue counts for a server."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from onprem_agents.plan.names import cluster_queue_of
from onprem_agents.plan.parts import Queues, ServerPart
from onprem_agents.plan.pod_requests import Amounts, pod_requests, times, total
from onprem_agents.stack.settings import Queue
from onprem_agents.units import MIB

# What Knative adds to each pod: the requests of its queue-proxy (serving 1.21, pkg/deployment/config.go, the
# defaults of `queue-sidecar-…-request` where they are on, read 2026-11).
_QUEUE_PROXY: Amounts = {
    "cpu": Fraction(25, 1000),
    "memory": Fraction(400 * MIB),
    "ephemeral-storage": Fraction(512 * MIB),
}


def queues_for(queue: Queue | None, namespace: str) -> Queues | None:
    """Return the queues that a section asks for."""
    if queue is None:
        return None
    return Queues(
        cluster_queue=queue.existing_cluster_queue or queue.cluster_queue or cluster_queue_of(namespace),
        local_queue=queue.local_queue,
        owns_cluster_queue=queue.existing_cluster_queue is None,
    )


def queued_requests(server: ServerPart, pod: Mapping[str, Any]) -> Amounts:
    """Return what a server's pods, rendered so, ask of Kueue at once, those of an update included."""
    requested = pod_requests(pod)
    if server.mode == "Knative":
        requested = total([requested, _QUEUE_PROXY])
    return times(requested | {"pods": Fraction(1)}, server.most_pods)
