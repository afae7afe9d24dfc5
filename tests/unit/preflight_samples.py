"""A pretended cluster for preflight: objects, nodes, what is served and who may do what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from onprem_agents.cluster import KubeClient, Resource
from onprem_agents.cluster.preflight import Check, preflight
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack_file

STACKS = Path(__file__).parents[2] / "stacks"
SERVED = (
    ("serving.kserve.io", "v1beta1", "InferenceService"),
    ("gateway.networking.k8s.io", "v1", "Gateway"),
    ("gateway.networking.k8s.io", "v1", "GatewayClass"),
    ("gateway.networking.k8s.io", "v1beta1", "ReferenceGrant"),
    ("gateway.envoyproxy.io", "v1alpha1", "SecurityPolicy"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
    *(
        ("gateway.envoyproxy.io", "v1alpha1", kind)
        for kind in (
            "BackendTrafficPolicy",
            "ClientTrafficPolicy",
            "EnvoyExtensionPolicy",
            "EnvoyProxy",
            "HTTPRouteFilter",
        )
    ),
)


GRANT = {
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "coding-agents"}],
        "to": [{"group": "", "kind": "Secret", "name": "agents-tls"}],
    }
}
ADDRESS = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}


class PretendedCluster:
    """Answers like a KubeClient over a few objects."""

    def __init__(self) -> None:
        self.kubernetes = "v1.36.3"
        self.served = list(SERVED)
        self.objects: dict[tuple[str, str], dict[str, Any]] = {
            ("GatewayClass", "envoy-gateway"): {
                "status": {"conditions": [{"type": "Accepted", "status": "True"}]}
            },
            ("Secret", "agents-tls"): {"data": {"tls.crt": "eA==", "tls.key": "eA=="}},
            ("ReferenceGrant", "agents-tls"): GRANT,
            ("Service", "ingress"): ADDRESS,
            **tried_releases(),
            ("ConfigMap", "envoy-gateway-config"): {"data": {"envoy-gateway.yaml": "enableLua: true\n"}},
        }
        self.nodes = [node("gpu-0", gpus=2), node("gpu-1", gpus=2)]
        self.pods: list[dict[str, Any]] = []
        self.forbidden: set[tuple[str, str]] = set()

    def version(self) -> str:
        return self.kubernetes

    def resources(self) -> tuple[Resource, ...]:
        return tuple(
            Resource(group=group, version=version, kind=kind, plural=f"{kind.lower()}s", namespaced=True)
            for group, version, kind in self.served
        )

    def find(self, _api: str, kind: str, name: str, _namespace: str | None = None) -> dict[str, Any] | None:
        return self.objects.get((kind, name))

    def list(self, _api: str, kind: str, _namespace: str | None = None) -> list[dict[str, Any]]:
        if kind == "Node":
            return self.nodes
        if kind == "Pod":
            return self.pods
        return [
            {**each, "metadata": {"name": name}} for (of, name), each in self.objects.items() if of == kind
        ]

    def ask(self, _method: str, _path: str, *, content: str, **_: Any) -> dict[str, Any]:
        wanted = json.loads(content)["spec"]["resourceAttributes"]
        return {"status": {"allowed": (wanted["verb"], wanted["resource"]) not in self.forbidden}}


def deployment(container: str, image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": container, "image": image}]}}}}


def tried_releases() -> dict[tuple[str, str], dict[str, Any]]:
    """Return what tells the releases of a cluster's software, as each of them does."""
    routes = {"annotations": {"gateway.networking.k8s.io/bundle-version": "v1.6.1"}}
    return {
        ("Deployment", "kserve-controller-manager"): deployment(
            "manager", "kserve/kserve-controller:v0.20.0"
        ),
        ("Deployment", "envoy-gateway"): deployment("envoy-gateway", "docker.io/envoyproxy/gateway:v1.9.1"),
        ("CustomResourceDefinition", "httproutes.gateway.networking.k8s.io"): {"metadata": routes},
        **{
            ("CustomResourceDefinition", name): {
                "metadata": {"labels": {"app.kubernetes.io/version": version}}
            }
            for name, version in {
                "certificates.cert-manager.io": "v1.21.2",
                "clusterqueues.kueue.x-k8s.io": "v0.19.2",
                "aigatewayroutes.aigateway.envoyproxy.io": "v1.0.0",
                "services.serving.knative.dev": "1.21.0",
            }.items()
        },
    }


def node(name: str, *, gpus: int, product: str = "NVIDIA-L40S", **amounts: str) -> dict[str, Any]:
    plenty = {"cpu": "64", "memory": "1Ti", "ephemeral-storage": "4Ti", "nvidia.com/gpu": str(gpus)}
    return {
        "metadata": {
            "name": name,
            "labels": {"nvidia.com/gpu.product": product, **driver_labels(580, "13.0")},
        },
        "status": {
            "allocatable": plenty | {key.replace("_", "-"): amount for key, amount in amounts.items()},
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.1.5"},
        },
    }


def driver_labels(branch: int, cuda: str) -> dict[str, str]:
    """What NVIDIA's GPU feature discovery tells of a driver, in the labels that preflight reads."""
    major, _, minor = cuda.partition(".")
    return {
        "nvidia.com/cuda.driver-version.major": str(branch),
        "nvidia.com/cuda.runtime-version.major": major,
        "nvidia.com/cuda.runtime-version.minor": minor,
    }


def stack_plan(stack: str = "local") -> PlatformPlan:
    return plan_stack_file(STACKS, stack)


def missing(cluster: PretendedCluster, plan: PlatformPlan) -> dict[str, Check]:
    checks = preflight(plan, render(plan), cast("KubeClient", cluster))
    return {check.name: check for check in checks if check.verdict != "ok"}
