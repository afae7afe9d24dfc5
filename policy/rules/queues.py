"""queues-exist, queues-admit-the-pods, quotas-name-what-counts, priorities-exist: what a pod waits for in vain."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from onprem_agents.catalog import SHARED_CORES, SHARED_MEMORY, is_gpu_resource
from onprem_agents.stack.labels import QUEUE_LABEL

from ..graph import UNKNOWN, Graph, Resource, Violation, dig, may_equal
from ..operation import Told, about_each, is_ours
from ..queues import (
    KUEUE,
    asked_for,
    cluster_queue,
    is_whole,
    local_queues,
    queue_name,
    quotas,
    replicas_of,
)
from ..serving import Server, servers

_PRIORITY_LABEL = f"{KUEUE}/priority-class"
# What Kueue is told to count in their place: a pod's, not a GPU's (kueue.sigs.k8s.io, "Using HAMi", read 2026-11).
_TOTALS = {SHARED_CORES: "nvidia.com/total-gpucores", SHARED_MEMORY: "nvidia.com/total-gpumem"}


def queues_exist(graph: Graph) -> list[Violation]:
    """The LocalQueue that a server names is in the program, where that has any. Advisory: it may be elsewhere."""
    if not any(graph.of_kind(KUEUE, "LocalQueue")):
        return []
    return about_each(servers(graph), partial(_queueless, graph))


def queues_admit_the_pods(graph: Graph) -> list[Violation]:
    """The queue of a server covers all that its pods ask for, and has GPUs for all of its servers. Advisory.

    Kueue may be told to leave resources out; what is only known at run time, or borrowed, proves nothing.
    """
    return [*_uncovered(graph), *_short(graph)]


def quotas_name_what_counts(graph: Graph) -> list[Violation]:
    """A quota of shares of GPUs counts what a pod takes in all. Advisory.

    A pod on one GPU takes the same by either name: our own queues count such pods.
    """
    return [
        Violation(
            resource=queue,
            message=f"{queue} has a quota of {name}, which pods ask for per GPU: as HAMi has it, Kueue counts {total}.",
            change=f"Write {total} in coveredResources and flavors.",
        )
        for queue in graph.of_kind(KUEUE, "ClusterQueue")
        for name, total in _TOTALS.items()
        if name in quotas(queue) and total not in quotas(queue) and not is_ours(queue)
    ]


def priorities_exist(graph: Graph) -> list[Violation]:
    """The priority class of a server is in the program, where that has any of its kind. Advisory."""
    return about_each(servers(graph), partial(_unranked, graph))


def _queueless(graph: Graph, server: Server) -> Iterator[Told]:
    name = queue_name(server)
    if name is not None and not local_queues(graph, server):
        here = [
            str(queue.object_name)
            for queue in graph.of_kind(KUEUE, "LocalQueue")
            if may_equal(queue.namespace, server.resource.namespace)
        ]
        known = f"its namespace has {', '.join(here)}" if here else "its namespace has none"
        yield Told(
            f"waits in the LocalQueue {name!r} ({QUEUE_LABEL}), which the program does not have: {known}. Its pods stay"
            " SchedulingGated",
            f"Name a LocalQueue of its namespace in {QUEUE_LABEL}, or declare {name!r} there.",
        )


def _uncovered(graph: Graph) -> Iterator[Violation]:
    """Yield the queues that do not cover what their servers ask for."""
    missing: dict[str, set[str]] = {}
    askers: dict[str, list[str]] = {}
    queues: dict[str, Resource] = {}
    for server in servers(graph):
        queue = cluster_queue(graph, server)
        if queue is None or not is_whole(queue):
            continue
        covered = quotas(queue)
        names = {
            each for each in asked_for(server) if each not in covered and _TOTALS.get(each) not in covered
        }
        if names:
            queues[queue.urn] = queue
            missing.setdefault(queue.urn, set()).update(names)
            askers.setdefault(queue.urn, []).append(str(server.resource))
    for urn, names in missing.items():
        told = ", ".join(sorted(names))
        yield Violation(
            resource=queues[urn],
            message=f"{queues[urn]} does not cover {told}, asked for by {', '.join(sorted(set(askers[urn])))}: such"
            " pods are never admitted.",
            change=f"Add {told} to coveredResources and to each flavor.",
        )


def _short(graph: Graph) -> list[Violation]:
    """Return the queues that cannot admit all of their servers."""
    wanted: dict[tuple[str, str], float] = {}
    queues: dict[str, Resource] = {}
    for server in servers(graph):
        queue, count = cluster_queue(graph, server), replicas_of(server)
        name = next(filter(is_gpu_resource, asked_for(server)), None)
        if queue is None or count is None or name is None or not isinstance(server.gpus, int):
            continue
        queues[queue.urn] = queue
        key = (queue.urn, name)
        wanted[key] = wanted.get(key, 0) + count * server.gpus
    return [
        Violation(
            resource=queues[urn],
            message=f"{queues[urn]} has a quota of {quota:g} {name}, and its servers ask for {amount:g}: the last ones"
            " stay SchedulingGated.",
            change=f"Raise nominalQuota of {name} to {amount:g} or more, or lower the servers' replicas.",
        )
        for (urn, name), amount in wanted.items()
        if (quota := quotas(queues[urn]).get(name)) is not None and quota < amount
    ]


def _unranked(graph: Graph, server: Server) -> Iterator[Told]:
    for said, field, group, kind in (
        (dig(server.pod, "priorityClassName"), "priorityClassName", "scheduling.k8s.io", "PriorityClass"),
        (
            dig(server.resource.props, "metadata", "labels", _PRIORITY_LABEL),
            _PRIORITY_LABEL,
            KUEUE,
            "WorkloadPriorityClass",
        ),
    ):
        classes = [each.object_name for each in graph.of_kind(group, kind)]
        if said is None or said is UNKNOWN or not classes or str(said).startswith("system-"):
            continue
        if not any(may_equal(each, said) for each in classes):
            yield Told(
                f"names the {kind} {said!r} ({field}), which the program does not have: without it no pod is made",
                f"Name one of {', '.join(map(str, classes))}, or declare {said!r}.",
            )
