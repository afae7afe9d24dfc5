"""GpuNodePool: labels, taint, priority and queues of one hardware tier.

It adopts nodes that exist and never owns them: what it set is taken back when the stack goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from onprem_agents.plan import PlatformPlan

from .component import Component
from .declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class GpuNodePoolArgs:
    """The plan, and what is to be declared of it."""

    plan: PlatformPlan
    declaration: Declaration


class GpuNodePool(Component):
    """The nodes of one tier, made ready for model servers."""

    gpus: int
    """All GPUs of the pool."""
    free_gpus: int
    """GPUs left on one node when every replica runs: what a surge pod could use."""

    def __init__(self, name: str, args: GpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the pool's objects."""
        plan = args.plan
        self.gpus = plan.pool.gpus
        self.free_gpus = plan.placement.largest_free
        outputs = {"pool": plan.pool.name, "gpus": self.gpus, "freeGpus": self.free_gpus}
        super().__init__(name, outputs, opts)
        args.declaration.declare(self, name)
        self.register_outputs(outputs)
