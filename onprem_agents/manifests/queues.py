"""Kueue's queues: what admits the model servers' pods, with quota for all that they ask for.

Kueue admits a pod only when its ClusterQueue covers each resource that the pod requests; one that is not covered
keeps the pod gated for ever. So the quotas are added up from the rendered pods themselves. Only model servers carry
the queue's label: KServe hands it on to Deployment and pods (v0.20.0, predictor.go, buildObjectMeta).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from onprem_agents.manifests.gpu_node_pool import COMPONENT, tolerations
from onprem_agents.manifests.inference_service import inference_service
from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import (
    Amounts,
    Pool,
    PoolPart,
    ServerPart,
    format_amount,
    queued_requests,
    times,
    total,
)
from onprem_agents.units import GIB, parse_quantity

# Kueue 0.9 to 0.19 serve v1beta1; v1beta2 is there from 0.15 on and stored from 0.16 on (CRDs and changelogs read
# 2026-11).
_KUEUE = "kueue.x-k8s.io/v1beta1"
# Kueue lets nobody change it (v0.19.2, LocalQueue's `clusterQueue` is immutable): the object is made anew.
REPLACED = {"LocalQueue": ("spec.clusterQueue",)}

_DISK_GIB_PER_GPU = 4096
"""Where nobody knows the servers: disk is not what the queue shares out, and no node has more."""


def queues(part: PoolPart, servers: Sequence[ServerPart] = ()) -> list[Manifest]:
    """Return Kueue's objects, or nothing without a `queue` section.

    `servers` are those that the pool is for; without any the queue admits whatever finds a GPU.
    """
    queues = part.queues
    if queues is None:
        return []
    local_queue = manifest(
        part,
        _KUEUE,
        "LocalQueue",
        queues.local_queue,
        component=COMPONENT,
        spec={"clusterQueue": queues.cluster_queue},
    )
    if not queues.owns_cluster_queue:
        return [local_queue]
    return [
        *(
            manifest(
                part,
                _KUEUE,
                "ResourceFlavor",
                _flavor(part, pool),
                component=COMPONENT,
                namespaced=False,
                spec={"nodeLabels": pool.node_selector, "tolerations": tolerations(pool)},
            )
            for pool in part.pools
        ),
        manifest(
            part,
            _KUEUE,
            "ClusterQueue",
            queues.cluster_queue,
            component=COMPONENT,
            namespaced=False,
            spec={
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": part.namespace}},
                "queueingStrategy": "BestEffortFIFO",
                "resourceGroups": [_resource_group(part, servers)],
            },
        ),
        local_queue,
    ]


def _flavor(part: PoolPart, pool: Pool) -> str:
    return f"{part.namespace}-{pool.name}".replace("_", "-").lower()


def _quotas(pool: Pool, servers: Sequence[ServerPart]) -> Amounts:
    """Return what is admitted in a pool: all that its servers ask for, and no more GPUs than it has.

    GPUs are the scarce resource, and the measure of all: a surge pod beyond them waits here, where its reason is told.
    """
    asked = (
        queued_requests(server, inference_service(server)["spec"]["predictor"])
        for server in servers
        if server.pool == pool
    )
    return {**(total(asked) if servers else _whole(pool)), pool.resource: Fraction(pool.gpus)}


def _whole(pool: Pool) -> Amounts:
    """Return what all nodes of a pool can run: a pod has a GPU at least."""
    host = pool.accelerator.host
    each: Amounts = {
        "cpu": Fraction(host.cpus_per_gpu),
        "memory": Fraction(host.memory_gib_per_gpu * GIB),
        "ephemeral-storage": Fraction(_DISK_GIB_PER_GPU * GIB),
        "pods": Fraction(1),
        **{name: parse_quantity(amount) for name, amount in pool.requests(1).items()},
    }
    return times(each, pool.gpus)


def _resource_group(part: PoolPart, servers: Sequence[ServerPart]) -> Manifest:
    """Return one group: each flavor tells of every resource that any covers (Kueue 0.19), nothing where it has none."""
    quotas = {_flavor(part, pool): _quotas(pool, servers) for pool in part.pools}
    names = sorted({name for amounts in quotas.values() for name in amounts})
    return {
        "coveredResources": names,
        "flavors": [
            {
                "name": flavor,
                "resources": [
                    {"name": name, "nominalQuota": format_amount(name, amounts.get(name, Fraction(0)))}
                    for name in names
                ],
            }
            for flavor, amounts in quotas.items()
        ],
    }
