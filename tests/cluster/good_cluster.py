"""A cluster that a stack can run on, as objects of the API server, and the stack."""

from __future__ import annotations

from typing import Any

from tests.cluster.api_server import encoded

Object = dict[str, Any]

NAMESPACE = "coding-agents"
TIME = "2026-11-28T00:00:00Z"
_GATEWAY_API = "gateway.networking.k8s.io/v1"
_READY = {"conditions": [{"type": "Ready", "status": "True"}]}

STACK: Object = {
    "hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodeNames": ["gpu-0", "gpu-1"]},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
    "access": {
        "host": "agents.example.internal",
        "tls": {"secretName": "agents-tls", "secretNamespace": "certificates"},
        "developers": {"alice": {}},
    },
}


def named(api_version: str, kind: str, name: str, namespace: str | None = None, **body: Any) -> Object:
    metadata = {"name": name} | ({} if namespace is None else {"namespace": namespace})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def node(name: str) -> Object:
    """A node as the GPU operator leaves it."""
    room = {"cpu": "64", "memory": "1Ti", "ephemeral-storage": "4Ti", "nvidia.com/gpu": "2", "pods": "110"}
    labels = {"nvidia.com/gpu.product": "NVIDIA-L40S", **driver(580, 13, 0)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": node_info("v1.36.3", "containerd://2.1.5"),
        },
    }


def node_info(kubelet: str, runtime: str) -> Object:
    """What a kubelet tells of itself."""
    others = ("architecture", "bootID", "kernelVersion", "kubeProxyVersion", "machineID", "operatingSystem")
    told = dict.fromkeys((*others, "osImage", "systemUUID"), "")
    return told | {"kubeletVersion": kubelet, "containerRuntimeVersion": runtime}


def driver(branch: int, major: int, minor: int) -> dict[str, str]:
    """The labels by which GPU feature discovery tells a driver and the CUDA release that it knows."""
    return {
        "nvidia.com/cuda.driver-version.major": str(branch),
        "nvidia.com/cuda.runtime-version.major": str(major),
        "nvidia.com/cuda.runtime-version.minor": str(minor),
    }


def _accepted() -> Object:
    common = {"reason": "Accepted", "message": "", "lastTransitionTime": TIME}
    return {"conditions": [{"type": "Accepted", "status": "True", **common}]}


def _storage_class(name: str, binding: str) -> Object:
    return named(
        "storage.k8s.io/v1",
        "StorageClass",
        name,
        provisioner="csi.example.internal",
        volumeBindingMode=binding,
    )


NAMESPACES = [
    named("v1", "Namespace", name)
    for name in (NAMESPACE, "certificates", "envoy-gateway-system", "knative-serving", "ingress")
]
_ACCOUNT = named("v1", "ServiceAccount", "default", "ingress")  # no controller makes it here
GRANT = named(
    _GATEWAY_API,
    "ReferenceGrant",
    "agents",
    "certificates",
    spec={
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": NAMESPACE}],
        "to": [{"group": "", "kind": "Secret", "name": "agents-tls"}],
    },
)
GOOD: list[Object] = [
    node("gpu-0"),
    node("gpu-1"),
    named(
        _GATEWAY_API,
        "GatewayClass",
        "envoy-gateway",
        spec={"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        status=_accepted(),
    ),
    named(
        "v1",
        "Secret",
        "agents-tls",
        "certificates",
        type="kubernetes.io/tls",
        data={"tls.crt": encoded("certificate"), "tls.key": encoded("key")},
    ),
    GRANT,
    _ACCOUNT,
    named(
        "v1",
        "Service",
        "edge",
        "ingress",
        spec={"type": "LoadBalancer", "ports": [{"port": 443}]},
        status={"loadBalancer": {"ingress": [{"ip": "192.0.2.7", "ipMode": "VIP"}]}},
    ),
    named(
        "v1",
        "ConfigMap",
        "envoy-gateway-config",
        "envoy-gateway-system",
        data={"envoy-gateway.yaml": "extensionApis:\n  enableLua: true\n"},
    ),
    named(
        "cert-manager.io/v1",
        "ClusterIssuer",
        "internal-ca",
        spec={"ca": {"secretName": "internal-ca"}},
        status=_READY,
    ),
    _storage_class("fast", "Immediate"),
    _storage_class("local", "WaitForFirstConsumer"),
]
