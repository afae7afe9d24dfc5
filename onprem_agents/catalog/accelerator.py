"""One GPU model, as a Kubernetes node and the CUDA driver describe it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from onprem_agents.catalog.build import BUILDS, Build, Runs
from onprem_agents.catalog.device import DEVICES, Device, Vendor
from onprem_agents.catalog.fact import Fact, Source
from onprem_agents.catalog.model import Variant

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
    dense tensor-core rates of the data sheet (FP16 where the GPU has no BF16 units; null: no FP8 units),
    `fp4_tflops` is told where the compute capability does not tell of FP4 units. `compute_capability` is that of CUDA,
    the number that vLLM makes of an AMD architecture, and 0 where the maker has none.
    `interconnect_gb_per_second` is what one GPU moves to its neighbours, both directions together, by its maker's
    links (`nvlink`: it has such, NVIDIA's NVLink, AMD's Infinity Fabric, Huawei's HCCS), else by PCI Express.
    `unified_memory`: the operating system and everything else live in the same memory.
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
    compute_capability: float = Field(ge=0)
    bandwidth_gb_per_second: int = Field(gt=0)
    bf16_tflops: float = Field(gt=0)
    fp8_tflops: float | None = Field(default=None, gt=0)
    fp4_tflops: float | None = Field(default=None, gt=0)
    nvlink: bool
    interconnect_gb_per_second: int = Field(gt=0)
    unified_memory: bool = False
    proposed: bool = True
    mig: MigSlice | None = None
    product_label: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]+$")]
    memory_label_mib: int = Field(gt=0)
    host: Host
    source: Source

    @property
    def device(self) -> Device:
        """How nodes offer it and tell of it."""
        return DEVICES[self.vendor]

    @property
    def build(self) -> Build:
        """The vLLM that runs on it."""
        return BUILDS[self.vendor]

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
        """True where the GPU computes in FP8 (Ada, Hopper, Blackwell, CDNA 3 and 4)."""
        if self.build.precisions is None:
            return self.compute_capability >= _FIRST_WITH_FP8
        return self.fp8_tflops is not None

    @property
    def native_fp4(self) -> bool:
        """True where the GPU computes in FP4 (Blackwell, CDNA 4)."""
        if self.build.precisions is None:
            return self.compute_capability >= _FIRST_WITH_FP4
        return self.fp4_tflops is not None

    def obstacle(self, variant: Variant) -> str | None:
        """Return why vLLM does not run that checkpoint here, None where it does."""
        told, build = f"{variant.hf_id} ({variant.precision})", self.build
        if build.precisions is None:
            if self.compute_capability >= variant.min_compute_capability:
                return None
            return (
                f"{told} needs compute capability {variant.min_compute_capability}, {self.name} has "
                f"{self.compute_capability}"
            )
        if self.compute_capability in self._runs(variant).on:
            return None
        return f"{build.title} does not run {told} on {self.name}: {build.refusal(variant.precision)}"

    def runs(self, variant: Variant) -> bool:
        """Whether vLLM runs that checkpoint here."""
        return self.obstacle(variant) is None

    def computes_in(self, variant: Variant) -> bool:
        """Whether it computes in the checkpoint's precision rather than only storing weights in it."""
        if self.build.precisions is None:
            return variant.runs_natively_on(self.compute_capability)
        return self.compute_capability in self._runs(variant).natively_on

    def _runs(self, variant: Variant) -> Runs:
        return (self.build.precisions or {}).get(variant.precision, Runs(on=()))
