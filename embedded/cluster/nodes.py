"""Simulated nodes: real Node objects with the labels that NVIDIA's GPU operator sets, kept Ready by kwok."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from embedded.kube import KubeWriter
from embedded.process import Process
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
# A driver for the newest vLLM image, as GPU feature discovery 0.18 tells it (2026-11).
_DRIVER = {
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
    accelerator_label: str = ""
    memory_mib: int = 0
    gpus: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    taint: bool = True

    def manifest(self) -> Object:
        """Return the Node object; the GPU labels are those of gpu-feature-discovery 0.18 (2026-11)."""
        labels = {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            SIMULATED: "true",
        }
        room = {"cpu": _CPUS, "memory": _MEMORY, "ephemeral-storage": _EPHEMERAL, "pods": _PODS}
        spec: dict[str, Any] = {}
        if self.gpus:
            room["nvidia.com/gpu"] = str(self.gpus)
            labels |= _DRIVER | {
                "nvidia.com/gpu.count": str(self.gpus),
                "nvidia.com/gpu.memory": str(self.memory_mib),
                "nvidia.com/gpu.present": "true",
                "nvidia.com/gpu.product": self.accelerator_label,
            }
            if self.taint:
                spec["taints"] = [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
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
