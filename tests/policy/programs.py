"""One compliant program in wire format, and the tools to bend it: a role on two L40S behind Envoy Gateway."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

Manifest = dict[str, Any]
Manifests = dict[str, Manifest]

ARGS = [
    "/mnt/models",
    *("--served-model-name", "coder"),
    *("--port", "8080"),
    *("--tensor-parallel-size", "2"),
    *("--max-model-len", "131072"),
    *("--max-num-seqs", "16"),
    *("--max-num-batched-tokens", "2048"),
    *("--gpu-memory-utilization", "0.92"),
    "--enable-auto-tool-choice",
    *("--tool-call-parser", "qwen3_coder"),
    *("--reasoning-parser", "qwen3"),
    "--language-model-only",
]

AMOUNTS = {"cpu": "6", "memory": "48Gi", "nvidia.com/gpu": "2"}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


KEY_VARIABLE = {"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": "key", "key": "apiKey"}}}
"""The variable by which the compliant server checks a key itself."""


def _inference_service() -> Manifest:
    container = {
        "name": "kserve-container",
        "image": "vllm/vllm-openai:v0.33.0",
        "command": ["vllm", "serve"],
        "args": list(ARGS),
        "env": [KEY_VARIABLE],
        "resources": {"limits": dict(AMOUNTS), "requests": dict(AMOUNTS)},
        "lifecycle": {"preStop": {"sleep": {"seconds": 615}}},
        "volumeMounts": [
            {"name": "model", "mountPath": "/mnt/models", "readOnly": True},
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108  the pod's own volume
        ],
        "securityContext": dict(RESTRICTED),
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": "coder",
            "namespace": "agents",
            "labels": {"onprem-coding-agents/role": "coder"},
        },
        "spec": {
            "predictor": {
                "timeout": 660,
                "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L40S"},
                "initContainers": [
                    {
                        "name": "download",
                        "args": ["hf://Qwen/Qwen3.6-27B-FP8", "/mnt/models"],
                        "securityContext": dict(RESTRICTED),
                    }
                ],
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [container],
                "terminationGracePeriodSeconds": 675,
                "volumes": [
                    {"name": "model", "emptyDir": {}},
                    {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}},
                ],
            }
        },
    }


def _http_route() -> Manifest:
    rule = {
        "matches": [{"path": {"type": "Exact", "value": "/v1/chat/completions"}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": "coder-predictor", "port": 80}],
        "timeouts": {"request": "660s", "backendRequest": "660s"},
    }
    answered_by_the_gateway = {
        "matches": [{"path": {"value": "/v1/models"}}],
        "filters": [{"type": "ExtensionRef"}],
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "agents", "namespace": "agents"},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [rule, answered_by_the_gateway]},
    }


def _policy(kind: str, target: str, name: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "agents"},
        "spec": {
            "targetRefs": [{"kind": target, "name": "gateway" if target == "Gateway" else "agents"}],
            **spec,
        },
    }


def compliant() -> Manifests:
    """Return a program that no policy has anything against."""
    contract = {"timeouts": {"clientTimeoutSeconds": 780, "longestTurnSeconds": 600}}
    return copy.deepcopy(
        {
            "server": _inference_service(),
            "route": _http_route(),
            "backend": _policy(
                "BackendTrafficPolicy",
                "HTTPRoute",
                "agents",
                timeout={"http": {"maxStreamDuration": "720s", "streamIdleTimeout": "720s"}},
            ),
            "client": _policy(
                "ClientTrafficPolicy", "Gateway", "gateway", timeout={"http": {"streamIdleTimeout": "720s"}}
            ),
            "contract": {
                "apiVersion": "gateway.envoyproxy.io/v1alpha1",
                "kind": "HTTPRouteFilter",
                "metadata": {"name": "connection", "namespace": "agents"},
                "spec": {"directResponse": {"body": {"type": "Inline", "inline": json.dumps(contract)}}},
            },
        }
    )


def container(program: Manifests) -> Manifest:
    """Return the serving container."""
    found: Manifest = program["server"]["spec"]["predictor"]["containers"][0]
    return found


def predictor(program: Manifests) -> Manifest:
    """Return the predictor."""
    found: Manifest = program["server"]["spec"]["predictor"]
    return found


def rule(program: Manifests) -> Manifest:
    """Return the route rule that leads to the server."""
    found: Manifest = program["route"]["spec"]["rules"][0]
    return found


def argument(option: str, *values: Any) -> Callable[[Manifests], None]:
    """Return a change that sets an option to these values, or adds it; a switch takes none."""

    def change(program: Manifests) -> None:
        without(option)(program)
        container(program)["args"] += [option, *values]

    return change


def without(option: str) -> Callable[[Manifests], None]:
    """Return a change that removes an option and its values."""

    def change(program: Manifests) -> None:
        args = container(program)["args"]
        if option in args:
            start = args.index(option)
            end = start + 1
            while end < len(args) and not str(args[end]).startswith("--"):
                end += 1
            del args[start:end]

    return change


def put(*path: Any, value: Any) -> Callable[[Manifests], None]:
    """Return a change that sets what lies at a path, making objects on the way."""

    def change(program: Manifests) -> None:
        *parents, last = path
        node: Any = program
        for key in parents:
            node = node[key] if isinstance(node, list) else node.setdefault(key, {})
        node[last] = copy.deepcopy(value)

    return change


def bent(*changes: Callable[[Manifests], None]) -> list[Manifest]:
    """Return the compliant program after these changes."""
    program = compliant()
    for change in changes:
        change(program)
    return list(program.values())


def drop(*path: Any) -> Callable[[Manifests], None]:
    """Return a change that removes what lies at a path."""

    def change(program: Manifests) -> None:
        *parents, last = path
        node: Any = program
        for key in parents:
            node = node[key]
        del node[last]

    return change


def both(*changes: Callable[[Manifests], None]) -> Callable[[Manifests], None]:
    """Return several changes as one."""

    def change(program: Manifests) -> None:
        for step in changes:
            step(program)

    return change
