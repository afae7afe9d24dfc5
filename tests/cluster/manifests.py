"""Hand-written objects for the tests of the bare cluster; nothing of the product is in them."""

from __future__ import annotations

import base64
from typing import Any

NAMESPACE = "demo"
KEY = "alice-key-0123456789"
GROUP = "gateway.envoyproxy.io/v1alpha1"
GATEWAY_API = "gateway.networking.k8s.io/v1"

Object = dict[str, Any]


def namespace(name: str = NAMESPACE, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def inference_service(name: str, *, gpus: int) -> Object:
    resources = {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": str(gpus)}
    container = {
        "name": "kserve-container",
        "image": "vllm/vllm-openai:v0.28.0",
        "args": ["--model=Qwen/Qwen3.6-27B-FP8"],
        "ports": [{"containerPort": 8000, "protocol": "TCP"}],
        "resources": {"requests": resources, "limits": resources},
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {
                "serving.kserve.io/deploymentMode": "Standard",
                "serving.kserve.io/autoscalerClass": "none",
            },
        },
        "spec": {
            "predictor": {
                "containers": [container],
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
            }
        },
    }


def claim(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Gi"}}},
    }


def privileged_pod(space: str) -> Object:
    container = {"name": "shell", "image": "busybox", "securityContext": {"privileged": True}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged", "namespace": space},
        "spec": {"containers": [container]},
    }


def gateway(port: int) -> Object:
    return _object(
        GATEWAY_API,
        "Gateway",
        {
            "gatewayClassName": "envoy-gateway",
            "listeners": [{"name": "http", "protocol": "HTTP", "port": port}],
        },
    )


def data_plane(port: int, backend_port: int) -> list[Object]:
    """A gateway on the loopback that asks for a key, and a backend on the loopback behind it."""
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": NAMESPACE},
        "data": {"alice": base64.b64encode(KEY.encode()).decode()},
    }
    backend_ref = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "edge"}
    return [
        secret,
        gateway(port),
        _object(GROUP, "Backend", {"endpoints": [{"ip": {"address": "127.0.0.1", "port": backend_port}}]}),
        _object(
            GATEWAY_API,
            "HTTPRoute",
            {
                "parentRefs": [{"name": "edge"}],
                "rules": [
                    {
                        "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}],
                        "backendRefs": [backend_ref],
                    }
                ],
            },
        ),
        _object(
            GROUP,
            "SecurityPolicy",
            {
                "targetRefs": [target],
                "apiKeyAuth": {
                    "credentialRefs": [{"name": "keys"}],
                    "extractFrom": [{"headers": ["authorization"]}, {"headers": ["x-api-key"]}],
                    "forwardClientIDHeader": "x-developer",
                    "sanitize": True,
                },
            },
        ),
        _object(GROUP, "ClientTrafficPolicy", {"targetRefs": [target], "connection": {"bufferLimit": "4Mi"}}),
        _object(
            GROUP,
            "BackendTrafficPolicy",
            {"targetRefs": [target], "timeout": {"http": {"requestTimeout": "600s"}}},
        ),
    ]


def _object(api_version: str, kind: str, spec: Object) -> Object:
    metadata = {"name": "edge", "namespace": NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
