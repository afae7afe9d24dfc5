"""The GPU pool: labels and taint on existing nodes, a priority class, and Kueue's queues where wanted.

Nodes are adopted by a server-side patch and never owned: destroying the stack takes back what the patch set.
`spec.taints` is one atomic list for the API server: where somebody else already taints a node otherwise, the
patch is refused instead of overwriting theirs; set `hardware.taint: false` there.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import GPU_RESOURCE, TAINT_KEY, PoolPart, Quota
from onprem_agents.units import format_cpu, format_gib

COMPONENT = "gpu-node-pool"

# Kueue 0.15.0 stores v1beta1 and serves v1beta2 as well; 0.19 still serves v1beta1 (CRDs read 2026-11).
_KUEUE = "kueue.x-k8s.io/v1beta1"
# Kueue lets nobody change it (v0.15.0, LocalQueue's `clusterQueue` is immutable): the object is made anew.
REPLACED = {"LocalQueue": ("spec.clusterQueue",)}
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

_PRIORITY = 100_000
"""Above batch work (0 by default), far below system pods (2,000,000,000)."""

# As GKE taints its GPU nodes: `nvidia.com/gpu=present:NoSchedule` (guides to its node pools, read 2026-11).
_TAINT_VALUE = "present"


def tolerations() -> list[Manifest]:
    """Return the tolerations of a serving pod: any value of the GPU taint, whoever set it."""
    return [{"key": TAINT_KEY, "operator": "Exists", "effect": "NoSchedule"}]


def node_patches(part: PoolPart) -> list[Manifest]:
    """Return one server-side patch per named node: the pool's labels, and the taint unless it is off."""
    spec: Manifest = {}
    if part.pool.taint:
        spec = {"spec": {"taints": [{"key": TAINT_KEY, "value": _TAINT_VALUE, "effect": "NoSchedule"}]}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": part.pool.labels},
            **spec,
        }
        for name in part.pool.node_names
    ]


def priority_class(part: PoolPart) -> Manifest:
    """Return the PriorityClass of the serving pods: they push batch work off the GPUs, never the reverse."""
    return manifest(
        part,
        "scheduling.k8s.io/v1",
        "PriorityClass",
        part.priority_class,
        component=COMPONENT,
        namespaced=False,
        value=_PRIORITY,
        preemptionPolicy="PreemptLowerPriority",
        description="Model servers of the coding agents",
    )


def queues(part: PoolPart) -> list[Manifest]:
    """Return Kueue's ResourceFlavor, ClusterQueue and LocalQueue, or nothing without a `queue` section."""
    queues = part.queues
    if queues is None:
        return []
    flavor = f"{part.namespace}-{part.pool.name}".replace("_", "-").lower()
    return [
        manifest(
            part,
            _KUEUE,
            "ResourceFlavor",
            flavor,
            component=COMPONENT,
            namespaced=False,
            spec={"nodeLabels": part.pool.node_selector, "tolerations": tolerations()},
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
                "resourceGroups": [_resource_group(queues.quota, flavor)],
            },
        ),
        manifest(
            part,
            _KUEUE,
            "LocalQueue",
            queues.local_queue,
            component=COMPONENT,
            spec={"clusterQueue": queues.cluster_queue},
        ),
    ]


def _resource_group(quota: Quota, flavor: str) -> Manifest:
    quotas = {
        "cpu": format_cpu(quota.cpus),
        "memory": format_gib(quota.memory_gib),
        GPU_RESOURCE: str(quota.gpus),
        "pods": str(quota.pods),
    }
    return {
        "coveredResources": list(quotas),
        "flavors": [
            {
                "name": flavor,
                "resources": [{"name": name, "nominalQuota": most} for name, most in quotas.items()],
            }
        ],
    }
