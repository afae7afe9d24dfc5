"""GpuNodePool: labels, taint, priority and queues of nodes of one kind.

It adopts nodes that exist and never owns them: what it set is taken back when the stack goes.
"""

import pulumi

from onprem_agents.manifests import pool_bundles
from onprem_agents.plan.plan_parts import plan_pool

from .arguments import GpuNodePoolArgs
from .component import Component
from .planning import planning


class GpuNodePool(Component):
    """Nodes of one kind, made ready for model servers."""

    accelerator: pulumi.Output[str]
    """The accelerator of each node, as the catalogue calls it; of a platform's pools of several kinds all of them."""
    gpus_per_node: pulumi.Output[int]
    """GPUs in each node; of the largest node where a platform has pools of several kinds."""
    nodes: pulumi.Output[int]
    """All nodes."""
    gpus: pulumi.Output[int]
    """All GPUs."""
    free_gpus: pulumi.Output[int]
    """Most GPUs left on one node when every replica runs: what a surge pod could use. A pool that stands alone knows
    of no replica: all of a node."""
    priority_class: pulumi.Output[str]
    """Name of the PriorityClass for model servers."""
    local_queue: pulumi.Output[str | None]
    """Name of Kueue's LocalQueue for model servers; nothing where the pool has no queue."""
    namespace: pulumi.Output[str]
    """Namespace of the model servers."""

    def __init__(self, name: str, args: GpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the pool's objects."""
        plan = planning(self, name, args, plan=plan_pool, bundles=pool_bundles)
        state = {
            "pool": plan.tell(lambda part: part.names),
            "gpus": plan.tell(lambda part: part.gpus),
            "freeGpus": plan.tell(lambda part: part.free_gpus),
        }
        super().__init__(name, state, opts)
        plan.declare(self, lambda planned: planned.declaration.declare(self, name))
        self.accelerator = plan.tell(lambda part: part.accelerators)
        self.gpus_per_node = plan.tell(lambda part: part.gpus_per_node)
        self.nodes = plan.tell(lambda part: part.nodes)
        self.gpus = plan.tell(lambda part: part.gpus)
        self.free_gpus = plan.tell(lambda part: part.free_gpus)
        self.priority_class = plan.tell(lambda part: part.priority_class)
        self.local_queue = plan.tell(lambda part: None if part.queues is None else part.queues.local_queue)
        self.namespace = plan.tell(lambda part: part.namespace)
        self.register_attributes()
