"""A pool's queues: their names, and what Kueue admits at once."""

from __future__ import annotations

from collections.abc import Sequence

from onprem_agents.plan.names import cluster_queue_of
from onprem_agents.plan.parts import Queues, Quota
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.stack.settings import Queue


def queues_for(queue: Queue | None, namespace: str, quota: Quota) -> Queues | None:
    """Return the queues that a section asks for."""
    if queue is None:
        return None
    return Queues(
        cluster_queue=queue.cluster_queue or cluster_queue_of(namespace),
        local_queue=queue.local_queue,
        quota=quota,
    )


def quota_for(pool: Pool, servings: Sequence[ServingPlan]) -> Quota:
    """Return the quota of known servers, a surge pod included: with the replicas alone, an update would hang gated."""
    pods = [serving.resources for serving in servings for _ in range(serving.replicas)]
    return Quota(
        cpus=sum(pod.cpus for pod in pods) + max((pod.cpus for pod in pods), default=0),
        memory_gib=sum(pod.memory_gib for pod in pods) + max((pod.memory_gib for pod in pods), default=0),
        gpus=pool.gpus,
        pods=len(pods) + 1,
    )


def whole_quota(pool: Pool) -> Quota:
    """Return the quota of a pool whose servers nobody knows: all that its nodes' GPUs come with, a GPU a pod."""
    host = pool.accelerator.host
    return Quota(
        cpus=host.cpus_per_gpu * pool.gpus,
        memory_gib=host.memory_gib_per_gpu * pool.gpus,
        gpus=pool.gpus,
        pods=pool.gpus,
    )
