"""How the nodes of each maker tell their accelerators: what its device plugin offers, and what its labeller writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Vendor = Literal["nvidia", "amd", "huawei"]

_MIB_PER_GIB = 1024
_MIG, _PRODUCT = "nvidia.com/mig-", ".product"


@dataclass(frozen=True, kw_only=True)
class Device:
    """The accelerators of one maker as Kubernetes knows them.

    `resource` is what pods ask for, one a whole accelerator; `product_label` and `memory_label` are labels of nodes,
    the second in MiB or, where `memory_in_gib`, as `192G`. `taint_key` is the key by which users of its operator keep
    others off, `taint_value` what we give it. `operator` is what offers the resource and sets the labels; `link` is
    what its accelerators talk to each other by, where they have links of their own. `files` says who may open its
    device files, "" where any user of a pod that asked for one may.
    """

    maker: str
    resource: str
    product_label: str
    memory_label: str
    memory_in_gib: bool = False
    taint_key: str
    taint_value: str
    operator: str
    link: str
    files: str = ""

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
        link="NVLink",
    ),
    # ROCm/k8s-device-plugin: docs/user-guide/installation.md, cmd/k8s-node-labeller; the resource is that of its
    # naming strategy `single`, the default. Taint as in guides to AMD's operator on OKE. Read 2026-11-29.
    "amd": Device(
        maker="AMD",
        resource="amd.com/gpu",
        product_label="amd.com/gpu.product-name",
        memory_label="amd.com/gpu.vram",
        memory_in_gib=True,
        taint_key="amd.com/gpu",
        taint_value="present",
        operator="AMD's GPU operator with its node labeller",
        link="Infinity Fabric",
        files="/dev/kfd and /dev/dri belong to the groups video and render: containerd gives them to the pod's user "
        "with device_ownership_from_security_context, else only root may open them",
    ),
    # MindCluster: "K8s native objects" (Ascend Device Plugin, 6.0.RC3) for resource and chip label; the label of the
    # memory from the device plugin's labeller. No taint of its own is documented. Read 2026-11-29.
    "huawei": Device(
        maker="Huawei",
        resource="huawei.com/Ascend910",
        product_label="node.kubernetes.io/npu.chip.name",
        memory_label="mind-cluster/npu-chip-memory",
        memory_in_gib=True,
        taint_key="huawei.com/Ascend910",
        taint_value="present",
        operator="MindCluster's Ascend Device Plugin and Ascend Docker Runtime",
        link="HCCS",
        files="/dev/davinci* belong to the group HwHiAiUser (1000) of the nodes, and the driver's libraries come with "
        "Ascend Docker Runtime",
    ),
}


SHARED_MEMORY, SHARED_CORES = "nvidia.com/gpumem", "nvidia.com/gpucores"
"""What pods ask of a GPU that HAMi shares out, beside the number of shares: MiB, and percent of its cores (HAMi 2.9,
its README and Alauda's guide to inference services by command line, read 2026-11-29)."""
_SHARES = "nvidia.com/gpualloc"


def mig_resource(profile: str) -> str:
    """Return what pods ask for where NVIDIA's device plugin offers MIG slices of one profile by a name of their own.

    That is its strategy `mixed`; in `single` a slice is an `nvidia.com/gpu`, and the node's product label tells the
    profile (NVIDIA/k8s-device-plugin v0.17, docs and internal/lm/mig-strategy.go, read 2026-11-29).
    """
    return f"{_MIG}{profile}"


def is_gpu_resource(name: str) -> bool:
    """Whether a resource of pods counts accelerators of some maker, or slices of one."""
    return (
        name == _SHARES
        or name.startswith(_MIG)
        or any(name == device.resource for device in DEVICES.values())
    )


def is_product_label(label: str) -> bool:
    """Whether a label of nodes tells which accelerators they have."""
    if label.startswith(_MIG):
        return label.endswith(_PRODUCT)
    return any(label == device.product_label for device in DEVICES.values())


def mig_labels(profile: str, product: str, memory_mib: int) -> dict[str, str]:
    """Return the labels of nodes with such slices: their product, then their memory."""
    resource = mig_resource(profile)
    return {f"{resource}{_PRODUCT}": product, f"{resource}.memory": str(memory_mib)}
