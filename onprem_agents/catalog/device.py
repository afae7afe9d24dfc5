"""How the nodes of each maker tell their accelerators: what its device plugin offers, and what its labeller writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Vendor = Literal["nvidia"]

_MIB_PER_GIB = 1024


@dataclass(frozen=True, kw_only=True)
class Device:
    """The accelerators of one maker as Kubernetes knows them.

    `resource` is what pods ask for, one a whole accelerator; `product_label` and `memory_label` are labels of nodes,
    the second in MiB or, where `memory_in_gib`, as `192G`. `taint_key` is the key by which users of its operator keep
    others off, `taint_value` what we give it. `operator` is what offers the resource, `discovery` what sets the labels.
    """

    maker: str
    resource: str
    product_label: str
    memory_label: str
    memory_in_gib: bool = False
    taint_key: str
    taint_value: str
    operator: str
    discovery: str

    def memory_text(self, memory_mib: int) -> str:
        """Return the value of the memory label for one accelerator of that size."""
        return f"{round(memory_mib / _MIB_PER_GIB)}G" if self.memory_in_gib else str(memory_mib)


DEVICES: Mapping[Vendor, Device] = {
    # NVIDIA/k8s-device-plugin with GPU feature discovery v0.17 (read 2026-09). GKE taints its GPU nodes
    # `nvidia.com/gpu=present:NoSchedule` (guides to its node pools, read 2026-11).
    "nvidia": Device(
        maker="NVIDIA",
        resource="nvidia.com/gpu",
        product_label="nvidia.com/gpu.product",
        memory_label="nvidia.com/gpu.memory",
        taint_key="nvidia.com/gpu",
        taint_value="present",
        operator="NVIDIA's GPU operator",
        discovery="NVIDIA's GPU feature discovery (part of the GPU operator)",
    ),
}


def is_gpu_resource(name: str) -> bool:
    """Whether a resource of pods counts accelerators of some maker."""
    return any(name == device.resource for device in DEVICES.values())
