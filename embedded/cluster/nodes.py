"""Simulated nodes: real Node objects with the labels that the GPUs' operator sets, kept Ready by kwok."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from embedded.kube import KubeWriter
from embedded.process import Process
from onprem_agents.catalog import DEVICES, Vendor, mig_labels, mig_resource
from onprem_agents.cluster import ApiError, Object

CONTROL_NODE = "control"
SIMULATED = "embedded.onprem/simulated"
_DIGEST = "embedded.onprem/digest"
_READY_SECONDS = 120.0
# Room for anything that a stack asks of a node besides GPUs; the simulation is about GPUs.
_CPUS = "192"
_MEMORY = "2Ti"
_EPHEMERAL = "8Ti"
_PODS = "110"
# Driver and CUDA of the newest vLLM image, as GPU feature discovery 0.18 tells them (2026-11).
_NVIDIA_DRIVER = {
    "nvidia.com/cuda.driver-version.full": "580.95.05",
    "nvidia.com/cuda.driver-version.major": "580",
    "nvidia.com/cuda.driver-version.minor": "95",
    "nvidia.com/cuda.driver-version.revision": "05",
    "nvidia.com/cuda.runtime-version.full": "13.0",
    "nvidia.com/cuda.runtime-version.major": "13",
    "nvidia.com/cuda.runtime-version.minor": "0",
}


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """One simulated node with `gpus` GPUs of `memory_mib` each; no accelerator means no GPU."""

    name: str
    vendor: Vendor = "nvidia"
    accelerator_label: str = ""
    memory_mib: int = 0
    mig_profile: str | None = None
    """Of slices that the node offers by that name."""
    shares: Mapping[str, str] = field(default_factory=dict)
    """What the node offers where its GPUs are shared out, by resource, in place of whole ones."""
    gpus: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    taint: bool = True

    def manifest(self) -> Object:
        """Return the Node object with the labels that its GPUs' maker writes."""
        labels = {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            SIMULATED: "true",
        }
        room = {"cpu": _CPUS, "memory": _MEMORY, "ephemeral-storage": _EPHEMERAL, "pods": _PODS}
        spec: dict[str, Any] = {}
        if self.gpus:
            device = DEVICES[self.vendor]
            resource = device.resource if self.mig_profile is None else mig_resource(self.mig_profile)
            room |= self.shares or {resource: str(self.gpus)}
            labels |= self._gpu_labels()
            if self.taint:
                taint = {"key": device.taint_key, "value": device.taint_value, "effect": "NoSchedule"}
                spec["taints"] = [taint]
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "labels": labels | dict(self.labels),
                "annotations": {_DIGEST: self._digest()},
            },
            "spec": spec,
            "status": {"capacity": room, "allocatable": room},
        }

    def _gpu_labels(self) -> dict[str, str]:
        device = DEVICES[self.vendor]
        labels = {
            device.product_label: self.accelerator_label,
            device.memory_label: device.memory_text(self.memory_mib),
        }
        if self.mig_profile is not None:
            labels = mig_labels(self.mig_profile, self.accelerator_label, self.memory_mib)
        if self.vendor == "nvidia":  # what its feature discovery tells besides (0.18, 2026-11)
            labels |= _NVIDIA_DRIVER
            labels |= {"nvidia.com/gpu.count": str(self.gpus), "nvidia.com/gpu.present": "true"}
        return labels

    def _digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


def ensure(client: KubeWriter, specs: Iterable[NodeSpec]) -> list[str]:
    """Make the cluster's nodes those of `specs` plus one without GPUs; return the names that changed.

    All nodes are looked at, not only those that were made here: a stack that goes takes its labels back by a
    server-side apply, which makes an empty node of a name that is there no more (Kubernetes provider 4.25, 2026-11).
    """
    wanted = {spec.name: spec.manifest() for spec in (*specs, NodeSpec(name=CONTROL_NODE, taint=False))}
    present = {node["metadata"]["name"]: node for node in client.list("v1", "Node")}
    changed = []
    for name, node in present.items():
        if name not in wanted or _digest_of(node) != _digest_of(wanted[name]):
            _remove(client, name)
            changed.append(name)
    for name, node in wanted.items():
        if name not in present or name in changed:
            client.create(node)
            changed.append(name)
    return sorted(set(changed))


def _remove(client: KubeWriter, name: str) -> None:
    """Delete a node with its pods: Kubernetes' own collector would let those stay for another minute."""
    client.delete("v1", "Node", name)
    for pod in client.list("v1", "Pod", fields=f"spec.nodeName={name}"):
        namespace, pod_name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        path = f"{client.resource('v1', 'Pod').path(namespace)}/{pod_name}"
        with contextlib.suppress(ApiError):  # gone meanwhile
            client.request("DELETE", path, name=f"Pod {namespace}/{pod_name}", body={"gracePeriodSeconds": 0})


def wait_ready(client: KubeWriter, kwok: Process) -> None:
    """Wait until kwok has made every simulated node Ready."""

    def ready() -> bool:
        return all(_is_ready(node) for node in client.list("v1", "Node", labels=SIMULATED))

    kwok.wait_until(ready, timeout_seconds=_READY_SECONDS, what="done with making the nodes Ready")


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _digest_of(node: Object) -> str:
    return str(node["metadata"].get("annotations", {}).get(_DIGEST, ""))
