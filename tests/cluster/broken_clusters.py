"""A good cluster, and what is broken of it: for each what preflight must say, found and fix.

A key of `changed` or `states` names an object of the good cluster as `Kind/name`; what is there is merged into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onprem_agents.cluster.preflight import Verdict
from tests.cluster.api_server import encoded

Object = dict[str, Any]

NAMESPACE = "coding-agents"
_GATEWAY_API = "gateway.networking.k8s.io/v1"
_READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_TIME = "2026-11-28T00:00:00Z"

STACK: Object = {
    "hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodeNames": ["gpu-0", "gpu-1"]},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
    "access": {
        "host": "agents.example.internal",
        "tls": {"secretName": "agents-tls", "secretNamespace": "certificates"},
        "developers": {"alice": {}},
    },
}


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


def _named(api_version: str, kind: str, name: str, namespace: str | None = None, **body: Any) -> Object:
    metadata = {"name": name} | ({} if namespace is None else {"namespace": namespace})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def _accepted() -> Object:
    common = {"reason": "Accepted", "message": "", "lastTransitionTime": _TIME}
    return {"conditions": [{"type": "Accepted", "status": "True", **common}]}


def claim(name: str, modes: list[str], phase: str = "Bound", storage_class: str | None = "fast") -> Object:
    """A claim of the stack's namespace."""
    spec: Object = {"accessModes": modes, "resources": {"requests": {"storage": "100Gi"}}}
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return _named("v1", "PersistentVolumeClaim", name, NAMESPACE, spec=spec, status={"phase": phase})


def foreign_pod(gpus: int, priority_class: str | None = None) -> Object:
    """Another team's pod, at work on gpu-0."""
    resources = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": str(gpus)}
    container = {"name": "train", "image": "train:1", "resources": {"limits": resources}}
    spec: Object = {"nodeName": "gpu-0", "containers": [container]}
    if priority_class is not None:
        spec["priorityClassName"] = priority_class
    return _named("v1", "Pod", "training", "ingress", spec=spec)


def _storage_class(name: str, binding: str) -> Object:
    return _named(
        "storage.k8s.io/v1",
        "StorageClass",
        name,
        provisioner="csi.example.internal",
        volumeBindingMode=binding,
    )


NAMESPACES = [
    _named("v1", "Namespace", name)
    for name in (NAMESPACE, "certificates", "envoy-gateway-system", "knative-serving", "ingress")
]
_URGENT = _named("scheduling.k8s.io/v1", "PriorityClass", "urgent", value=1_000_000)
_ACCOUNT = _named("v1", "ServiceAccount", "default", "ingress")  # no controller makes it here
GRANT = _named(
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
    _named(
        _GATEWAY_API,
        "GatewayClass",
        "envoy-gateway",
        spec={"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        status=_accepted(),
    ),
    _named(
        "v1",
        "Secret",
        "agents-tls",
        "certificates",
        type="kubernetes.io/tls",
        data={"tls.crt": encoded("certificate"), "tls.key": encoded("key")},
    ),
    GRANT,
    _ACCOUNT,
    _named(
        "v1",
        "Service",
        "edge",
        "ingress",
        spec={"type": "LoadBalancer", "ports": [{"port": 443}]},
        status={"loadBalancer": {"ingress": [{"ip": "192.0.2.7", "ipMode": "VIP"}]}},
    ),
    _named(
        "v1",
        "ConfigMap",
        "envoy-gateway-config",
        "envoy-gateway-system",
        data={"envoy-gateway.yaml": "extensionApis:\n  enableLua: true\n"},
    ),
    _named(
        "cert-manager.io/v1",
        "ClusterIssuer",
        "internal-ca",
        spec={"ca": {"secretName": "internal-ca"}},
        status=_READY,
    ),
    _storage_class("fast", "Immediate"),
    _storage_class("local", "WaitForFirstConsumer"),
]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What is wrong with the cluster or does not go with the stack, and what must be said of it."""

    what: str
    check: str
    found: tuple[str, ...]
    fix: tuple[str, ...]
    verdict: Verdict = "missing"
    stack: Mapping[str, Any] = field(default_factory=dict)
    """Sections of the stack that are otherwise; those of `models` are of its first role."""
    changed: Mapping[str, Object] = field(default_factory=dict)
    states: Mapping[str, Object] = field(default_factory=dict)
    added: tuple[Object, ...] = ()
    gone: tuple[str, ...] = ()
    account: str | None = None
    """The ServiceAccount that looks; else it is an administrator."""


def _allocatable(**amounts: str) -> Object:
    room = {key.replace("_", "-"): amount for key, amount in amounts.items()}
    return {f"Node/gpu-{index}": {"allocatable": room} for index in range(2)}


_NODES_BY_LABEL = {"hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 1}}
_OCI = {"models": {"source": "oci://registry.example.internal/models/coder:1"}}
_PVC = {"models": {"source": "pvc://weights/coder"}}
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
_KNATIVE = {"serving": {"mode": "Knative"}}
_DRIVER_CHECK = "NVIDIA driver for CUDA 13.0"
_CLAIM_CHECK = f"PersistentVolumeClaim {NAMESPACE}/weights"

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
WEIGHTS = (
    Broken(
        what="the container runtime knows no image volumes",
        stack=_OCI,
        states={"Node/gpu-0": {"nodeInfo": node_info("v1.36.3", "containerd://1.7.27")}},
        check="image volumes: container runtime",
        found=("containerd://1.7.27 on gpu-0",),
        fix=("containerd 2.1 or CRI-O 1.33", "pvc://"),
    ),
    Broken(
        what="the kubelets may have image volumes switched off",
        stack=_OCI,
        states={
            f"Node/gpu-{index}": {"nodeInfo": node_info("v1.34.2", "cri-o://1.34.1")} for index in range(2)
        },
        check="image volumes: kubelet",
        verdict="doubtful",
        found=("v1.34.2 on gpu-0, gpu-1",),
        fix=("feature gate ImageVolume", "1.35"),
    ),
    Broken(
        what="the claim with the weights is not there",
        stack=_PVC,
        check=_CLAIM_CHECK,
        found=("not there",),
        fix=("fill it with the weights", "platform.models[].source"),
    ),
    Broken(
        what="the claim's StorageClass is not there",
        stack=_PVC,
        added=(claim("weights", ["ReadWriteMany"], "Pending", "cephfs"),),
        check=_CLAIM_CHECK,
        found=("its StorageClass cephfs is not there",),
        fix=("kubectl get storageclass",),
    ),
    Broken(
        what="the claim names no StorageClass and none is the default",
        stack=_PVC,
        added=(claim("weights", ["ReadWriteMany"], "Pending", None),),
        check=_CLAIM_CHECK,
        found=("none is the default", "fast, local"),
        fix=("storageclass.kubernetes.io/is-default-class",),
    ),
    Broken(
        what="the claim has waited for its first pod, so it is empty",
        stack=_PVC,
        added=(claim("weights", ["ReadWriteMany"], "Pending", "local"),),
        check=_CLAIM_CHECK,
        verdict="doubtful",
        found=("Pending", "waits for the first pod"),
        fix=("fill it with the weights",),
    ),
    Broken(
        what="the claim goes to one node and two replicas want it",
        stack={"models": {"source": "pvc://weights/coder", "replicas": 2}},
        added=(claim("weights", ["ReadWriteOnce"]),),
        check=_CLAIM_CHECK,
        found=("ReadWriteOnce: it can be mounted on one node at a time", "2 pods on 2 nodes"),
        fix=("ReadWriteMany", "one replica"),
    ),
    Broken(
        what="a gated model has no token",
        stack={
            "models": {"model": "meta-llama/Llama-3.1-8B-Instruct", "precision": "bf16"},
            "serving": {"storageSecret": "hf-token"},
        },
        check="licence of meta-llama/Llama-3.1-8B-Instruct",
        found=("hf-token is not there",),
        fix=("https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct", "HF_TOKEN"),
    ),
    Broken(
        what="the Secret of the registry is not there",
        stack={"serving": {"imagePullSecrets": ["pull"]}},
        check=f"Secret {NAMESPACE}/pull",
        found=("not there",),
        fix=("create it",),
    ),
)
PLATFORM = (
    Broken(
        what="the namespace's quota has fewer GPUs than the stack",
        added=(
            _named("v1", "ResourceQuota", "team", NAMESPACE, spec={"hard": {"requests.nvidia.com/gpu": "0"}}),
        ),
        check="ResourceQuota team",
        found=("requests.nvidia.com/gpu: the stack needs", "the quota is 0"),
        fix=("let the quota be raised",),
    ),
    Broken(
        what="a container may not have as much memory",
        added=(
            _named(
                "v1",
                "LimitRange",
                "small",
                NAMESPACE,
                spec={"limits": [{"type": "Container", "max": {"memory": "8Gi"}}]},
            ),
        ),
        check="LimitRange small",
        found=("memory: a container needs", "at most 8Gi"),
        fix=("API server refuses the pods",),
    ),
    Broken(
        what="the certificate's Secret is not there",
        gone=("Secret/agents-tls",),
        check="Secret certificates/agents-tls",
        found=("not there",),
        fix=("platform.access.tls",),
    ),
    Broken(
        what="nobody grants the Gateway the certificate",
        gone=("ReferenceGrant/agents",),
        check="ReferenceGrant in certificates",
        found=("none that allows it",),
        fix=("kind: ReferenceGrant", f"namespace: {NAMESPACE}"),
    ),
    Broken(
        what="the issuer cannot sign",
        stack={"access": {"tls": {"issuer": "internal-ca"}}},
        states={"ClusterIssuer/internal-ca": {"conditions": [{"type": "Ready", "status": "False"}]}},
        check="ClusterIssuer internal-ca",
        found=("condition Ready is False",),
        fix=("kubectl describe clusterissuer/internal-ca",),
    ),
    Broken(
        what="no controller accepts the GatewayClass",
        states={
            "GatewayClass/envoy-gateway": {
                "conditions": [
                    {
                        "type": "Accepted",
                        "status": "Unknown",
                        "reason": "Pending",
                        "message": "Waiting for controller",
                        "lastTransitionTime": _TIME,
                    }
                ]
            }
        },
        check="GatewayClass envoy-gateway",
        found=("condition Accepted is Unknown",),
        fix=("Envoy Gateway's controller runs",),
    ),
    Broken(
        what="the GatewayClass merges Gateways",
        changed={
            "GatewayClass/envoy-gateway": {
                "spec": {
                    "parametersRef": {
                        "group": "gateway.envoyproxy.io",
                        "kind": "EnvoyProxy",
                        "name": "shared",
                        "namespace": "envoy-gateway-system",
                    }
                }
            }
        },
        added=(
            _named(
                "gateway.envoyproxy.io/v1alpha1",
                "EnvoyProxy",
                "shared",
                "envoy-gateway-system",
                spec={"mergeGateways": True},
            ),
        ),
        check="GatewayClass envoy-gateway",
        found=("merges Gateways",),
        fix=("mergeGateways", "platform.access.gatewayClass"),
    ),
    Broken(
        what="nothing gives LoadBalancer Services an address",
        states={"Service/edge": {"loadBalancer": None}},
        check="addresses for LoadBalancer Services",
        found=("none for 1 Service of that type",),
        fix=("MetalLB",),
    ),
    Broken(
        what="Envoy Gateway takes no Lua and there are two roles",
        stack={
            "models": [*STACK["models"], {"role": "fast", "model": "google/gemma-4-E4B-it", "context": 65536}]
        },
        changed={"ConfigMap/envoy-gateway-config": {"data": {"envoy-gateway.yaml": "extensionApis: {}\n"}}},
        check="Lua filters in Envoy Gateway",
        found=("not enabled",),
        fix=("enableLua: true",),
    ),
    Broken(
        what="Kueue is not installed",
        stack={"queue": {}},
        check="ClusterQueue (kueue.x-k8s.io/v1beta1)",
        found=("the API server does not serve it",),
        fix=("install Kueue",),
    ),
    Broken(
        what="Knative is not installed",
        stack=_KNATIVE,
        check="Service (serving.knative.dev/v1)",
        found=("the API server does not serve it",),
        fix=("install Knative Serving",),
    ),
    *(
        Broken(
            what=f"Knative refuses {field}",
            stack=_KNATIVE,
            check=f"Knative's kubernetes.podspec-{flag}",
            found=("disabled",),
            fix=(f"kubernetes.podspec-{flag}: enabled in ConfigMap config-features",),
        )
        for field, flag in (
            ("node selectors", "nodeselector"),
            ("tolerations", "tolerations"),
            ("init containers", "init-containers"),
            ("priority classes", "priorityclassname"),
            ("fsGroup", "securitycontext"),
        )
    ),
    Broken(
        what="Knative ends long turns",
        stack=_KNATIVE,
        added=(
            _named(
                "v1",
                "ConfigMap",
                "config-defaults",
                "knative-serving",
                data={"max-revision-timeout-seconds": "300"},
            ),
        ),
        check="Knative's max-revision-timeout-seconds",
        found=("300",),
        fix=("longestTurnSeconds",),
    ),
)
PEOPLE = (
    Broken(
        what="the caller may not create model servers",
        account="guest",
        check="permission for inferenceservices.serving.kserve.io",
        found=(f"the caller may not create, patch, delete in {NAMESPACE}",),
        fix=("let a cluster administrator grant these verbs",),
    ),
    Broken(
        what="the caller may not make cluster-wide objects",
        account="developer",
        check="permission for priorityclasses.scheduling.k8s.io",
        found=("the caller may not create, patch, delete cluster-wide",),
        fix=("let a cluster administrator grant these verbs",),
    ),
    Broken(
        what="the caller may not look at the nodes",
        account="developer",
        check="nodes",
        verdict="doubtful",
        found=("the caller may not list nodes cluster-wide",),
        fix=("kubectl auth can-i list nodes",),
    ),
    Broken(
        what="the caller may not look at Secrets of another namespace",
        account="developer",
        check="Secret certificates/agents-tls",
        verdict="doubtful",
        found=("the caller may not get secrets in the namespace certificates",),
        fix=("let an administrator grant it",),
    ),
)
BROKEN = (*NODES, *OCCUPANTS, *DRIVERS, *WEIGHTS, *PLATFORM, *PEOPLE)
