"""The GPU pool: labels and taint on existing nodes, a priority class, and Kueue's queues where wanted.

Nodes are adopted by a server-side patch and never owned: destroying the stack takes back what the patch set.
`spec.taints` is one atomic list for the API server: where somebody else already taints a node otherwise, the
patch is refused instead of overwriting theirs; set `hardware.taint: false` there.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import GPU_RESOURCE, TAINT_KEY, PlatformPlan
from onprem_agents.stack.labels import POOL_LABEL
from onprem_agents.units import format_cpu, format_gib

COMPONENT = "gpu-node-pool"

# Kueue 0.15.0 stores v1beta1 and serves v1beta2 as well; 0.19 still serves v1beta1 (CRDs read 2026-11).
_KUEUE = "kueue.x-k8s.io/v1beta1"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

_PRIORITY = 100_000
"""Above batch work (0 by default), far below system pods (2,000,000,000)."""

# What GPU users know from the GPU operator and managed clusters.
_TAINT_VALUE = "present"


def priority_class_name(plan: PlatformPlan) -> str:
    """Return the name of the priority class: cluster-wide, so it carries the namespace."""
    return f"{plan.namespace}-serving"


def tolerations() -> list[Manifest]:
    """Return the tolerations of a serving pod: any value of the GPU taint, whoever set it."""
    return [{"key": TAINT_KEY, "operator": "Exists", "effect": "NoSchedule"}]


def node_patches(plan: PlatformPlan) -> list[Manifest]:
    """Return one server-side patch per named node: the pool's label, and the taint unless it is off."""
    spec: Manifest = {}
    if plan.pool.taint:
        spec = {"spec": {"taints": [{"key": TAINT_KEY, "value": _TAINT_VALUE, "effect": "NoSchedule"}]}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {POOL_LABEL: plan.pool.name}},
            **spec,
        }
        for name in plan.pool.node_names
    ]


def priority_class(plan: PlatformPlan) -> Manifest:
    """Return the PriorityClass of the serving pods: they push batch work off the GPUs, never the reverse."""
    return manifest(
        plan,
        "scheduling.k8s.io/v1",
        "PriorityClass",
        priority_class_name(plan),
        component=COMPONENT,
        namespaced=False,
        value=_PRIORITY,
        preemptionPolicy="PreemptLowerPriority",
        description="Model servers of the coding agents",
    )


def queues(plan: PlatformPlan) -> list[Manifest]:
    """Return Kueue's ResourceFlavor, ClusterQueue and LocalQueue, or nothing without a `queue` section.

    The quota covers a surge pod as well: with quota for the replicas alone, an update would hang gated.
    """
    queue = plan.queue
    if queue is None:
        return []
    flavor = f"{plan.namespace}-{plan.pool.name}".replace("_", "-").lower()
    return [
        manifest(
            plan,
            _KUEUE,
            "ResourceFlavor",
            flavor,
            component=COMPONENT,
            namespaced=False,
            spec={"nodeLabels": plan.pool.node_selector, "tolerations": tolerations()},
        ),
        manifest(
            plan,
            _KUEUE,
            "ClusterQueue",
            queue.cluster_queue,
            component=COMPONENT,
            namespaced=False,
            spec={
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": plan.namespace}},
                "queueingStrategy": "BestEffortFIFO",
                "resourceGroups": [_resource_group(plan, flavor)],
            },
        ),
        manifest(
            plan,
            _KUEUE,
            "LocalQueue",
            queue.local_queue,
            component=COMPONENT,
            spec={"clusterQueue": queue.cluster_queue},
        ),
    ]


def _resource_group(plan: PlatformPlan, flavor: str) -> Manifest:
    pods = [serving.resources for serving in plan.serving for _ in range(serving.replicas)]
    surge_cpus = max((pod.cpus for pod in pods), default=0)
    surge_gib = max((pod.memory_gib for pod in pods), default=0)
    quotas = {
        "cpu": format_cpu(sum(pod.cpus for pod in pods) + surge_cpus),
        "memory": format_gib(sum(pod.memory_gib for pod in pods) + surge_gib),
        GPU_RESOURCE: str(plan.pool.gpus),
        "pods": str(len(pods) + 1),
    }
    return {
        "coveredResources": list(quotas),
        "flavors": [
            {
                "name": flavor,
                "resources": [{"name": name, "nominalQuota": quota} for name, quota in quotas.items()],
            }
        ],
    }
