"""Labels by which clouds tell the accelerators of their nodes, beside those of the makers' own labellers.

Read 2026-11-29: Google, "GPU platforms" and "Run GPUs in GKE Standard node pools"; Amazon, "EC2 accelerated computing
instances", Karpenter's and EKS Auto Mode's well-known labels; Microsoft, "GPU accelerated virtual machine sizes".
"""

from __future__ import annotations

import re

from onprem_agents.catalog import is_product_label

_GKE = "cloud.google.com/gke-accelerator"
_GKE_NAMES = {
    "nvidia-tesla-t4": "T4",
    "nvidia-tesla-v100": "V100-16",
    "nvidia-l4": "L4",
    "nvidia-tesla-a100": "A100-40",
    "nvidia-a100-80gb": "A100-80",
    "nvidia-h100-80gb": "H100",
    "nvidia-h100-mega-80gb": "H100",
    "nvidia-h200-141gb": "H200",
    "nvidia-b200": "B200",
}
_GPU_NAMES = ("karpenter.k8s.aws/instance-gpu-name", "eks.amazonaws.com/instance-gpu-name")
_SHORT_NAMES = {
    "t4": "T4",
    "l4": "L4",
    "l40s": "L40S",
    "a10g": "A10G",
    "a100": "A100-40",
    "h100": "H100",
    "h200": "H200",
    "b200": "B200",
}
_INSTANCE = "node.kubernetes.io/instance-type"
_INSTANCES = (
    (re.compile(r"g4dn\."), "T4"),
    (re.compile(r"g5\."), "A10G"),
    (re.compile(r"g6\."), "L4"),
    (re.compile(r"g6e\."), "L40S"),
    (re.compile(r"p4d\."), "A100-40"),
    (re.compile(r"p4de\."), "A100-80"),
    (re.compile(r"p5\."), "H100"),
    (re.compile(r"p5en?\."), "H200"),
    (re.compile(r"p6-b200\."), "B200"),
    (re.compile(r"g2-standard-"), "L4"),
    (re.compile(r"a2-highgpu-|a2-megagpu-"), "A100-40"),
    (re.compile(r"a2-ultragpu-"), "A100-80"),
    (re.compile(r"a3-(?:high|mega|edge)gpu-"), "H100"),
    (re.compile(r"a3-ultragpu-"), "H200"),
    (re.compile(r"a4-highgpu-"), "B200"),
    (re.compile(r"Standard_NC\d+as_T4_v3"), "T4"),
    (re.compile(r"Standard_N[CD]\d+a(?:ds|msr)_A100_v4"), "A100-80"),
    (re.compile(r"Standard_ND\d+isr_H100_v5"), "H100"),
    (re.compile(r"Standard_ND\d+isr_H200_v5"), "H200"),
)


def tells_accelerator(label: str) -> bool:
    """Whether a label of nodes tells which accelerators they have."""
    return is_product_label(label) or label in (_GKE, *_GPU_NAMES, _INSTANCE)


def accelerator_told(label: str, value: str) -> str | None:
    """Return the name that a label's value gives the accelerator, None where the value tells none."""
    if label == _GKE:
        return _GKE_NAMES.get(value)
    if label in _GPU_NAMES:
        return _SHORT_NAMES.get(value.casefold())
    if label == _INSTANCE:
        return next((name for pattern, name in _INSTANCES if pattern.match(value)), None)
    return value
