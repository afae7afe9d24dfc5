"""One GPU model, as a Kubernetes node and the CUDA driver describe it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from onprem_agents.catalog.device import DEVICES, Device, Vendor
from onprem_agents.catalog.fact import Fact, Source

# NVIDIA CUDA programming guide, compute capabilities: FP8 units from Ada (8.9), FP4 units from Blackwell
# (10.0) on.
_FIRST_WITH_FP8 = 8.9
_FIRST_WITH_FP4 = 10.0


class Host(Fact):
    """A typical server around the GPU: what one node offers per GPU. A starting value, not a promise."""

    cpus_per_gpu: int = Field(gt=0)
    memory_gib_per_gpu: int = Field(gt=0)
    gpus_per_node: int = Field(gt=0)


class MigSlice(Fact):
    """A part of a GPU that looks like a GPU of its own: `profile` in NVIDIA's names, cut from `parent`."""

    parent: str
    profile: Annotated[str, Field(pattern=r"^\d+g\.\d+gb$")]
    compute_slices: int = Field(gt=0, le=7)


class Accelerator(Fact):
    """A GPU of the catalogue, or a slice of one.

    `total_gib` is the memory the CUDA driver reports, which is less than the name promises; `total_seen` says
    whether a log showed it or it is a careful estimate. `product_label` is the value of the node label by which its
    maker tells the product, `memory_label_mib` that of the memory. `bf16_tflops` and `fp8_tflops` are
    dense tensor-core rates of the data sheet (FP16 where the GPU has no BF16 units; null: no FP8 units).
    `interconnect_gb_per_second` is what one GPU moves to its neighbours, both directions together: NVLink, else
    PCI Express. `unified_memory`: the operating system and everything else live in the same memory.
    `proposed` is false for what is known so that nodes and logs can be read, but never put forward: slices, laptops,
    refitted boards.
    """

    name: str
    vendor: Vendor = "nvidia"
    aliases: tuple[str, ...] = ()
    nominal_gb: int = Field(gt=0)
    total_gib: float = Field(gt=0)
    total_seen: bool
    total_source: Source
    compute_capability: float = Field(ge=7)
    bandwidth_gb_per_second: int = Field(gt=0)
    bf16_tflops: float = Field(gt=0)
    fp8_tflops: float | None = Field(default=None, gt=0)
    nvlink: bool
    interconnect_gb_per_second: int = Field(gt=0)
    unified_memory: bool = False
    proposed: bool = True
    mig: MigSlice | None = None
    product_label: Annotated[str, Field(pattern=r"^(NVIDIA|Tesla)-[A-Za-z0-9_.-]+$")]
    memory_label_mib: int = Field(gt=0)
    host: Host
    source: Source

    @property
    def device(self) -> Device:
        """How nodes offer it and tell of it."""
        return DEVICES[self.vendor]

    @property
    def product_labels(self) -> dict[str, str]:
        """The label of nodes that tells them from nodes with other accelerators."""
        return {self.device.product_label: self.product_label}

    @property
    def node_labels(self) -> dict[str, str]:
        """What its maker's labeller writes on nodes that have it."""
        return {
            **self.product_labels,
            self.device.memory_label: self.device.memory_text(self.memory_label_mib),
        }

    @property
    def native_fp8(self) -> bool:
        """True where the GPU computes in FP8 (Ada, Hopper, Blackwell)."""
        return self.compute_capability >= _FIRST_WITH_FP8

    @property
    def native_fp4(self) -> bool:
        """True where the GPU computes in FP4 (Blackwell)."""
        return self.compute_capability >= _FIRST_WITH_FP4
