"""What is broken of the nodes, and of what runs on them."""

from __future__ import annotations

from tests.cluster.broken import Broken
from tests.cluster.good_cluster import Object, driver, named

_NODES_BY_LABEL = {"hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 1}}
_LABELS_535 = {"metadata": {"labels": driver(535, 12, 2)}}
_NO_RUNTIME = {
    f"nvidia.com/cuda.{label}": None for label in ("runtime-version.major", "runtime-version.minor")
}
_FORMER = {
    "nvidia.com/cuda.driver-version.major": None,
    "nvidia.com/cuda.driver.major": "535",
    "nvidia.com/cuda.runtime.major": "12",
    "nvidia.com/cuda.runtime.minor": "2",
}
_DRIVER_CHECK = "NVIDIA driver for CUDA 13.0"
_URGENT = named("scheduling.k8s.io/v1", "PriorityClass", "urgent", value=1_000_000)


def _allocatable(**amounts: str) -> Object:
    room = {key.replace("_", "-"): amount for key, amount in amounts.items()}
    return {f"Node/gpu-{index}": {"allocatable": room} for index in range(2)}


def foreign_pod(gpus: int, priority_class: str | None = None) -> Object:
    """Another team's pod, at work on gpu-0."""
    resources = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": str(gpus)}
    container = {"name": "train", "image": "train:1", "resources": {"limits": resources}}
    spec: Object = {"nodeName": "gpu-0", "containers": [container]}
    if priority_class is not None:
        spec["priorityClassName"] = priority_class
    return named("v1", "Pod", "training", "ingress", spec=spec)


NODES = (
    Broken(
        what="a node is cordoned",
        changed={"Node/gpu-0": {"spec": {"unschedulable": True}}},
        check="Node gpu-0",
        found=("cordoned",),
        fix=("kubectl uncordon gpu-0",),
    ),
    Broken(
        what="a kubelet does not report",
        states={"Node/gpu-1": {"conditions": [{"type": "Ready", "status": "Unknown"}]}},
        check="Node gpu-1",
        found=("condition Ready is Unknown",),
        fix=("kubectl describe node",),
    ),
    Broken(
        what="a node is short of memory",
        states={
            "Node/gpu-1": {
                "conditions": [
                    {"type": "Ready", "status": "True"},
                    {"type": "MemoryPressure", "status": "True"},
                ]
            }
        },
        check="Node gpu-1",
        found=("MemoryPressure",),
        fix=("make room",),
    ),
    Broken(
        what="another team's taint is on a node",
        changed={"Node/gpu-0": {"spec": {"taints": [{"key": "team", "value": "ml", "effect": "NoExecute"}]}}},
        check="Node gpu-0",
        found=("taint team=ml:NoExecute",),
        fix=("kubectl taint node gpu-0 team:NoExecute-",),
    ),
    Broken(
        what="one of many nodes is cordoned, which others make up for",
        stack=_NODES_BY_LABEL,
        changed={"Node/gpu-0": {"spec": {"unschedulable": True}}},
        check="Node gpu-0",
        verdict="doubtful",
        found=("cordoned", "others of the pool are enough"),
        fix=("kubectl uncordon gpu-0",),
    ),
    Broken(
        what="a node of the list does not exist",
        gone=("Node/gpu-1",),
        check="Node gpu-1",
        found=("not there",),
        fix=("platform.hardware.nodeNames",),
    ),
    Broken(
        what="the device plugin offers no GPUs",
        states={f"Node/gpu-{index}": {"allocatable": {"nvidia.com/gpu": "0"}} for index in range(2)},
        check="2 nodes with 2 × L40S",
        found=("0 nodes of that many nvidia.com/gpu",),
        fix=("GPU operator", "platform.hardware"),
    ),
    Broken(
        what="no node has the memory that a pod asks for",
        states=_allocatable(memory="16Gi"),
        check="room for a pod of coder",
        found=("GiB of memory", "offers 16.0 GiB"),
        fix=("larger nodes", "status.allocatable"),
    ),
    Broken(
        what="no node has the CPUs that a pod asks for",
        states=_allocatable(cpu="2"),
        check="room for a pod of coder",
        found=("cpu", "offers 2"),
        fix=("larger nodes",),
    ),
    Broken(
        what="no node has the disk for the download",
        states=_allocatable(ephemeral_storage="20Gi"),
        check="room for a pod of coder",
        found=("ephemeral-storage", "offers 20.0 GiB"),
        fix=("larger nodes",),
    ),
)
OCCUPANTS = (
    Broken(
        what="another team's pods hold the GPUs",
        stack={"models": {"replicas": 2, "tensorParallel": 2}},
        added=(_URGENT, foreign_pod(1, "urgent")),
        check="room beside other pods",
        found=("2 pods of model servers do not fit", "ingress/training on gpu-0 (1 × nvidia.com/gpu)"),
        fix=("move those pods", "lower replicas"),
    ),
    Broken(
        what="another team's pods would be pushed off",
        stack={"models": {"replicas": 2, "tensorParallel": 2}},
        added=(foreign_pod(2),),
        check="room beside other pods",
        verdict="doubtful",
        found=("pods of lower priority would be pushed off", "ingress/training on gpu-0"),
        fix=("move those pods",),
    ),
)
DRIVERS = (
    Broken(
        what="the driver is older than the image's CUDA",
        changed={"Node/gpu-0": _LABELS_535, "Node/gpu-1": _LABELS_535},
        check=_DRIVER_CHECK,
        found=(
            "gpu-0, gpu-1: driver 535, which knows CUDA 12.2",
            "needs driver 580 or later",
            "CUDA error 803",
        ),
        fix=("upgrade the driver to 580 or later", "platform.serving.vllm 0.19.1", "-cu129"),
    ),
    Broken(
        what="a former GPU feature discovery tells an old driver",
        changed={f"Node/gpu-{index}": {"metadata": {"labels": _FORMER | _NO_RUNTIME}} for index in range(2)},
        check=_DRIVER_CHECK,
        found=("driver 535, which knows CUDA 12.2",),
        fix=("upgrade the driver to 580 or later",),
    ),
    Broken(
        what="the image is a mirror's, so its CUDA is assumed",
        stack={"serving": {"image": "registry.example.internal/vllm:production"}},
        changed={"Node/gpu-0": _LABELS_535, "Node/gpu-1": _LABELS_535},
        check=_DRIVER_CHECK,
        found=(
            "registry.example.internal/vllm:production brings CUDA 13.0 (assumed: vLLM's own image of 0.33.0",
        ),
        fix=("platform.serving.image",),
    ),
    Broken(
        what="the drivers of the nodes differ",
        stack=_NODES_BY_LABEL,
        changed={"Node/gpu-1": _LABELS_535},
        check=_DRIVER_CHECK,
        found=("gpu-1: driver 535",),
        fix=("platform.serving.cudaAffinity: true keeps the pods off such nodes",),
    ),
    Broken(
        what="the driver is of the image's major CUDA release, but older",
        stack={"serving": {"vllm": "0.19.1"}},
        changed={"Node/gpu-0": _LABELS_535, "Node/gpu-1": _LABELS_535},
        check="NVIDIA driver for CUDA 12.9",
        verdict="doubtful",
        found=("minor version compatibility",),
        fix=("upgrade the driver to 575 or later",),
    ),
    Broken(
        what="the pods require more nodes with that CUDA than there are",
        stack={"serving": {"cudaAffinity": True}},
        changed={"Node/gpu-1": {"metadata": {"labels": _NO_RUNTIME}}},
        check=_DRIVER_CHECK,
        found=("1 node with labels for CUDA 13.0 or later", "the pods go to none of gpu-1"),
        fix=("upgrade the driver of 1 more node to", "nvidia.com/cuda.runtime-version.major"),
    ),
    Broken(
        what="nothing tells the driver",
        changed={
            f"Node/gpu-{index}": {
                "metadata": {"labels": _NO_RUNTIME | {"nvidia.com/cuda.driver-version.major": None}}
            }
            for index in range(2)
        },
        check=_DRIVER_CHECK,
        verdict="doubtful",
        found=("no label tells the driver",),
        fix=("GPU feature discovery", "nvidia-smi"),
    ),
)
