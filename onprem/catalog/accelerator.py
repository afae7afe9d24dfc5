"""One GPU model, as a Kubernetes node and the CUDA driver describe it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from onprem.catalog.fact import Fact, Source

# NVIDIA CUDA programming guide, compute capabilities: FP8 units from Ada (8.9), FP4 units from Blackwell
# (10.0) on.
_FIRST_WITH_FP8 = 8.9
_FIRST_WITH_FP4 = 10.0


class Host(Fact):
    """A typical server around the GPU: what one node offers per GPU. A starting value, not a promise."""

    cpus_per_gpu: int = Field(gt=0)
    memory_gib_per_gpu: int = Field(gt=0)
    gpus_per_node: int = Field(gt=0)


class Accelerator(Fact):
    """A GPU of the catalogue.

    `total_gib` is the memory the CUDA driver reports, which is less than the name promises; `total_seen` says
    whether a log showed it or it is a careful estimate. `product_label` is the value of the node label
    `nvidia.com/gpu.product`, `memory_label_mib` that of `nvidia.com/gpu.memory`.
    """

    name: str
    aliases: tuple[str, ...] = ()
    nominal_gb: int = Field(gt=0)
    total_gib: float = Field(gt=0)
    total_seen: bool
    total_source: Source
    compute_capability: float = Field(ge=7)
    bandwidth_gb_per_second: int = Field(gt=0)
    nvlink: bool
    product_label: Annotated[str, Field(pattern=r"^NVIDIA-[A-Za-z0-9_.-]+$")]
    memory_label_mib: int = Field(gt=0)
    host: Host
    source: Source

    @property
    def native_fp8(self) -> bool:
        """True where the GPU computes in FP8 (Ada, Hopper, Blackwell)."""
        return self.compute_capability >= _FIRST_WITH_FP8

    @property
    def native_fp4(self) -> bool:
        """True where the GPU computes in FP4 (Blackwell)."""
        return self.compute_capability >= _FIRST_WITH_FP4
