"""The GPU nodes of a stack: of one kind, or pools of several kinds, whole GPUs, MIG slices or shares of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from onprem_agents.stack.domain import CatalogName, ObjectName, PoolName, RoleName
from onprem_agents.stack.section import Section, contradiction

GpusPerNode = Annotated[int, Field(strict=True, ge=1, le=16)]
NodeCount = Annotated[int, Field(strict=True, ge=1, le=1000)]
NodeNames = Annotated[
    tuple[ObjectName, ...],
    Field(
        description="Existing nodes to label and taint. Left out: no node is touched, and pods find theirs by "
        "the label that NVIDIA's GPU feature discovery sets.",
    ),
]
Taint = Annotated[
    bool,
    Field(
        description="Keep other workloads off the nodes that 'nodeNames' lists, by a taint that GPU users know."
    ),
]
MigStrategy = Literal["single", "mixed"]
ToldMigStrategy = Annotated[
    MigStrategy,
    Field(
        description="How the nodes offer MIG slices, as the strategy of NVIDIA's device plugin: single as "
        "nvidia.com/gpu, mixed as nvidia.com/mig-PROFILE. It matters where the accelerator is a slice."
    ),
]


def check_nodes(nodes: int | None, node_names: tuple[str, ...]) -> None:
    """Refuse a number of nodes that the list of their names contradicts, and a name that stands there twice."""
    if node_names and nodes is not None and len(node_names) != nodes:
        raise contradiction(
            f"'nodeNames' lists {len(node_names)} nodes but 'nodes' says {nodes}",
            "the pool has one size",
            "make them agree, or leave 'nodes' out",
        )
    if len(set(node_names)) != len(node_names):
        raise contradiction(", ".join(node_names), "'nodeNames' names a node twice", "name each node once")


class GpuShare(Section):
    """What a pod gets of a GPU that HAMi shares out."""

    memory_gib: Annotated[int, Field(strict=True, ge=1, le=512)] = Field(
        description="GiB of the GPU's memory that a pod gets."
    )
    core_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=100, description="Percent of the GPU's cores that a pod gets."
    )


ToldShare = Annotated[
    GpuShare | None,
    Field(
        description="Shares of GPUs, where the nodes have HAMi: 'gpusPerNode' then counts shares, and none of them "
        "work together. Left out: whole GPUs."
    ),
]


class NodesOfOneKind(Section):
    """Nodes with one kind of GPU: a tier by name, or accelerator, GPUs per node and number of nodes."""

    tier: CatalogName | None = Field(
        default=None,
        description="Hardware tier of the catalogue ('onprem-agents catalog' lists them), e.g. 48gb; it gives "
        "accelerator, GPUs per node and nodes. Left out: 'accelerator' must be said.",
    )
    accelerator: CatalogName | None = Field(
        default=None,
        description="Accelerator of the catalogue, e.g. L40S. Left out: that of the tier.",
    )
    gpus_per_node: GpusPerNode | None = Field(
        default=None, description="GPUs in each node. Left out: as the tier says, 1 beside an accelerator."
    )
    nodes: NodeCount | None = Field(
        default=None,
        description="Nodes in the pool. Left out: as many as 'nodeNames' lists, else as the tier says, else 1.",
    )
    node_names: NodeNames = ()
    taint: Taint = True
    mig_strategy: ToldMigStrategy = "single"
    share: ToldShare = None

    def way_out(self) -> str:
        """Return what to do where nothing, or too much, says which GPUs the nodes have."""
        return "name a tier, or the accelerator with gpusPerNode and nodes"

    def check_one_kind(self) -> None:
        """Refuse nodes that are said in both ways or in neither, and contradictory numbers of them."""
        if (self.tier is None) == (self.accelerator is None):
            raise contradiction(
                "both 'tier' and 'accelerator'" if self.tier else "neither 'tier' nor 'accelerator'",
                "one of the two says which GPUs the nodes have",
                self.way_out(),
            )
        check_nodes(self.nodes, self.node_names)


class NodePool(NodesOfOneKind):
    """One of several pools, each with GPUs of one kind."""

    name: PoolName | None = Field(
        default=None, description="Name of the pool. Left out: that of its tier or accelerator."
    )
    roles: tuple[RoleName, ...] = Field(
        default=(),
        description="Roles of 'models' that are served here. A role that no pool names goes to the first pool on which "
        "it fits.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> NodePool:
        self.check_one_kind()
        return self


class Hardware(NodesOfOneKind):
    """The GPU nodes: those of one kind, or pools of several kinds."""

    pools: Annotated[tuple[NodePool, ...], Field(max_length=8)] = Field(
        default=(),
        description="Pools of nodes with different GPUs, in place of all other keys here. Left out: there is one pool, "
        "which the other keys describe.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Hardware:
        if not self.pools:
            if "pools" in self.model_fields_set and self.tier is None and self.accelerator is None:
                raise contradiction(
                    "'pools' without any entry", "models need GPUs to be served on", self.way_out()
                )
            self.check_one_kind()
            return self
        others = sorted(self.model_fields_set - {"pools"})
        if others:
            raise contradiction(
                f"'pools' and {', '.join(to_camel(name) for name in others)}",
                "each pool says its own nodes",
                "move them into the pools, or leave out 'pools'",
            )
        named = [
            (role, f"pools[{index}].roles") for index, pool in enumerate(self.pools) for role in pool.roles
        ]
        for role in sorted({role for role, _ in named}):
            places = [place for other, place in named if other == role]
            if len(places) > 1:
                raise contradiction(
                    f"the role {role!r} in {' and '.join(places)}",
                    "a role is served in one pool",
                    "name it once, in one of them",
                )
        return self

    def way_out(self) -> str:
        return f"{super().way_out()}, or 'pools' with such an entry for each kind of GPU"
