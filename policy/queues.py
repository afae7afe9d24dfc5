"""Kueue's queues of a program: which one a server waits in, and what that one gives out.

Source: Kueue v0.19.2, v1beta1 and v1beta2 of ClusterQueue and LocalQueue, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onprem_agents.stack.labels import QUEUE_LABEL

from .containers import Container, known_containers
from .graph import UNKNOWN, Graph, Resource, Value, dig, items, may_equal
from .operation import number
from .serving import Server

KUEUE = "kueue.x-k8s.io"


def queue_name(server: Server) -> Value:
    """Return the LocalQueue that a server names, None without one."""
    return dig(server.resource.props, "metadata", "labels", QUEUE_LABEL)


def local_queues(graph: Graph, server: Server) -> list[Resource]:
    """Return the LocalQueues of the program that may be the one a server names."""
    return [
        queue
        for queue in graph.of_kind(KUEUE, "LocalQueue")
        if may_equal(queue.object_name, queue_name(server))
        and may_equal(queue.namespace, server.resource.namespace)
    ]


def cluster_queue(graph: Graph, server: Server) -> Resource | None:
    """Return the ClusterQueue of the program that a server's quota comes from, None where that is out of sight."""
    if queue_name(server) in (None, UNKNOWN):
        return None
    for local in local_queues(graph, server):
        name = dig(local.props, "spec", "clusterQueue")
        for queue in graph.of_kind(KUEUE, "ClusterQueue"):
            if name is not UNKNOWN and queue.object_name == name:
                return queue
    return None


def quotas(queue: Resource) -> Mapping[str, float | None]:
    """Return the quota of each resource that a queue covers, over all flavors; None where that is not told.

    Without a figure too is what a queue may borrow from its cohort.
    """
    borrows = any(dig(queue.props, "spec", key) is not None for key in ("cohort", "cohortName"))
    found: dict[str, float | None] = {}
    for group in items(dig(queue.props, "spec", "resourceGroups")):
        found |= {str(name): None for name in items(dig(group, "coveredResources"))}
        for flavor in items(dig(group, "flavors")):
            for each in items(dig(flavor, "resources")):
                name, quota = str(dig(each, "name")), number(dig(each, "nominalQuota"))
                before = found.get(name)
                found[name] = None if borrows or quota is None else (before or 0.0) + quota
    return found


def is_whole(queue: Resource) -> bool:
    """Whether all that a queue covers is written out."""
    groups = dig(queue.props, "spec", "resourceGroups")
    lists = (dig(group, "coveredResources") for group in items(groups))
    return groups is not UNKNOWN and all(isinstance(each, list) and UNKNOWN not in each for each in lists)


def asked_for(server: Server) -> Iterator[str]:
    """Yield the resources that a server's pod asks for, by name."""
    pod = server.pod
    named: list[Container] = [server.container]
    for key in ("containers", "initContainers"):
        named += known_containers(dig(pod, key))
    for container in named:
        for part in ("limits", "requests"):
            amounts = dig(container.get("resources"), part)
            yield from (str(name) for name in amounts) if isinstance(amounts, Mapping) else ()


def replicas_of(server: Server) -> int | None:
    """Return how many pods a server has, None where that is only known at run time."""
    path = (
        ("spec", "predictor", "minReplicas")
        if server.resource.kind == "InferenceService"
        else ("spec", "replicas")
    )
    said = dig(server.resource.props, *path)
    return 1 if said is None else said if isinstance(said, int) else None
