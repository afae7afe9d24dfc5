"""Releases of the cluster's software that do not take what a stack declares, or another than the stack is made for."""

from __future__ import annotations

from tests.cluster.broken import Broken
from tests.cluster.good_cluster import Object, named


def _runs(name: str, namespace: str, image: str) -> Object:
    """Return a controller's Deployment; its image tells the release, and no pod of it need run."""
    labels = {"control-plane": name}
    pod = {"containers": [{"name": "manager", "image": image}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return named("apps/v1", "Deployment", name, namespace, spec=spec)


def _kserve(version: str) -> Object:
    return _runs("kserve-controller-manager", "ingress", f"kserve/kserve-controller:v{version}")


RELEASES = (
    Broken(
        what="KServe has other words for the modes than the stack is made for",
        added=(_kserve("0.15.2"),),
        check="platform.serving.kserve",
        found=("left out, so the stack is made for 0.20.0", "the cluster has 0.15.2"),
        fix=("kserve: '0.15'",),
    ),
    Broken(
        what="the stack says an older KServe than there is",
        stack={"serving": {"kserve": "0.15"}},
        check="platform.serving.kserve",
        found=("0.15, so the stack is made for 0.15.2", "the cluster has 0.20.0"),
        fix=("kserve: '0.20'",),
    ),
    Broken(
        what="KServe is too old for the model servers",
        added=(_kserve("0.14.1"),),
        check="KServe",
        found=("0.14.1 (Deployment ingress/kserve-controller-manager)", "autoscalerClass none"),
        fix=("upgrade KServe to 0.20.0",),
    ),
    Broken(
        what="Envoy Gateway is too old for the policies",
        added=(_runs("envoy-gateway", "envoy-gateway-system", "docker.io/envoyproxy/gateway:v1.7.0"),),
        check="Envoy Gateway",
        found=("streamIdleTimeout before 1.8",),
        fix=("upgrade Envoy Gateway to 1.9.1",),
    ),
    Broken(
        what="the GPU operator is one that its maker no longer keeps up",
        added=(_runs("gpu-operator", "ingress", "nvcr.io/nvidia/gpu-operator:v24.9.2"),),
        check="NVIDIA GPU operator",
        verdict="doubtful",
        found=("24.9.2", "25.10.0 to 26.3.0"),
        fix=("upgrade NVIDIA GPU operator",),
    ),
)
