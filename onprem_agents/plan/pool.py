"""The GPU pool: what the hardware section means, and whether the replicas can be placed on its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onprem_agents.catalog import SHARED_CORES, SHARED_MEMORY, Accelerator, Device, mig_labels, mig_resource
from onprem_agents.stack.labels import POOL_LABEL, POOL_NAMESPACE_LABEL


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a pod gets of a GPU of `whole_gib` that HAMi shares out, and the resource that counts such shares."""

    resource: str
    memory_gib: int
    core_percent: int
    whole_gib: float


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The nodes of one hardware tier."""

    name: str
    namespace: str
    """That of the servers which the nodes are for."""
    accelerator: Accelerator
    gpus_per_node: int
    nodes: int
    node_names: tuple[str, ...]
    taint: bool
    share: Share | None = None
    """The part of a GPU that a pod gets, whose memory and compute are then the accelerator's; None for whole ones."""
    own_name: bool = False
    """Whether the stack gave it its name, which then does not tell its accelerator."""
    where: str = "platform.hardware"
    """The setting that describes it."""
    tier: str | None = None
    """The tier of the catalogue that tells its accelerator, where one does."""
    taken: tuple[str, ...] = ()
    """Accelerators of the pools beside it that it cannot have too: no label would tell the nodes of the two apart."""
    mig_profile: str | None = None
    """The profile of its slices where the nodes offer them by that name, as the MIG strategy `mixed` does."""

    @property
    def device(self) -> Device:
        """How its nodes offer the accelerators."""
        return self.accelerator.device

    @property
    def resource(self) -> str:
        """What a pod asks for, one a GPU."""
        if self.share is not None:
            return self.share.resource
        return self.device.resource if self.mig_profile is None else mig_resource(self.mig_profile)

    @property
    def most_together(self) -> int:
        """GPUs of a node that may share one model: shares of a GPU do not."""
        return 1 if self.share is not None else self.gpus_per_node

    def requests(self, gpus: int) -> dict[str, str]:
        """Return what a pod asks for to get that many GPUs."""
        if self.share is None:
            return {self.resource: str(gpus)}
        return {
            self.resource: str(gpus),
            SHARED_MEMORY: str(self.share.memory_gib * 1024),
            SHARED_CORES: str(self.share.core_percent),
        }

    @property
    def offered_by(self) -> str:
        """What makes nodes offer that resource."""
        return "HAMi" if self.share is not None else self.device.operator

    @property
    def product_labels(self) -> dict[str, str]:
        """The label of nodes that tells them from nodes with other accelerators."""
        if self.mig_profile is None:
            return self.accelerator.product_labels
        product, memory_mib = self.accelerator.product_label, self.accelerator.memory_label_mib
        label, *_ = mig_labels(self.mig_profile, product, memory_mib)
        return {label: product}

    @property
    def gpus(self) -> int:
        """All GPUs of the pool."""
        return self.gpus_per_node * self.nodes

    @property
    def labels(self) -> dict[str, str]:
        """Labels that the stack puts on the nodes which it is told by name."""
        return {POOL_LABEL: self.name, POOL_NAMESPACE_LABEL: self.namespace}

    @property
    def node_selector(self) -> dict[str, str]:
        """Labels that a serving pod asks of its node: ours where we label the nodes, the operator's elsewhere."""
        if self.node_names:
            return self.labels
        return self.product_labels


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the replicas go, as GPUs left per node after the largest replicas were placed first."""

    free_per_node: tuple[int, ...]
    unplaced: tuple[str, ...]
    """Roles of the replicas that found no node, one entry a replica."""

    @property
    def largest_free(self) -> int:
        """Most GPUs left on one node: what a surge pod could use."""
        return max(self.free_per_node, default=0)

    @property
    def free(self) -> int:
        """All GPUs left."""
        return sum(self.free_per_node)


def place(pool: Pool, demands: Sequence[tuple[str, int, int]]) -> Placement:
    """Place `(role, replicas, gpus per replica)` on the nodes, largest replicas first, each on one node.

    Replicas are packed as the scheduler could pack them at best; a replica that finds no node here cannot be
    scheduled at all, since all nodes of a pool are alike and larger replicas were placed before it.
    """
    free = [pool.gpus_per_node] * pool.nodes
    unplaced: list[str] = []
    for role, replicas, gpus in sorted(demands, key=lambda demand: -demand[2]):
        for _ in range(replicas):
            fitting = [index for index, left in enumerate(free) if left >= gpus]
            if not fitting:
                unplaced.append(role)
                continue
            tightest = min(fitting, key=lambda index: free[index])
            free[tightest] -= gpus
    return Placement(free_per_node=tuple(free), unplaced=tuple(unplaced))
