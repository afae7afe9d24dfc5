"""The GPU pool: labels and taint on existing nodes, and a priority class.

Nodes are adopted by a server-side patch and never owned: destroying the stack takes back what the patch set.
`spec.taints` is one atomic list for the API server: where somebody else already taints a node otherwise, the
patch is refused instead of overwriting theirs; set `hardware.taint: false` there.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import Pool, PoolPart

COMPONENT = "gpu-node-pool"

_PRIORITY = 100_000
"""Above batch work (0 by default), far below system pods (2,000,000,000)."""


def tolerations(pool: Pool) -> list[Manifest]:
    """Return the tolerations of a serving pod: any value of the GPU taint, whoever set it."""
    return [{"key": pool.device.taint_key, "operator": "Exists", "effect": "NoSchedule"}]


def node_patches(part: PoolPart) -> list[Manifest]:
    """Return one server-side patch per named node: the pool's labels, and the taint unless it is off."""
    return [patch for pool in part.pools for patch in _patches(pool)]


def _patches(pool: Pool) -> list[Manifest]:
    spec: Manifest = {}
    if pool.taint:
        device = pool.device
        taint = {"key": device.taint_key, "value": device.taint_value, "effect": "NoSchedule"}
        spec = {"spec": {"taints": [taint]}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": pool.labels},
            **spec,
        }
        for name in pool.node_names
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
