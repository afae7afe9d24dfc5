"""The container that runs `vllm serve`, and the volumes it needs."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, container_security
from onprem_agents.manifests.model_files import file_mounts, file_volumes
from onprem_agents.manifests.model_source import cache_environment, model_mounts, model_volumes
from onprem_agents.plan import KEEP_ALIVE_PATH, PRE_STOP_SECONDS, ServerPart, ServingPlan
from onprem_agents.plan.server_environment import ENVIRONMENT
from onprem_agents.units import format_cpu, format_gib
from onprem_agents.vllm import COMMAND, DEFAULT_PORT

CONTAINER_NAME = "kserve-container"
"""KServe renames a single container to this (v0.20.0), so it is written here."""

_SCRATCH_GIB = 16
"""Compile and kernel caches of one vLLM release are a few GiB; the rest is room for temporary files."""


def server_port(serving: ServingPlan) -> int:
    """Return the port that the server listens on."""
    return serving.flags.port or DEFAULT_PORT


def server_container(part: ServerPart) -> Manifest:
    """Return the vLLM container.

    A preStop pause is there except on Knative, which allows no lifecycle handlers. The root filesystem stays
    writable, the one exception from what we ask of every other container: NVIDIA's CDI hook writes driver
    links there.
    """
    serving = part.serving
    container: Manifest = {
        "name": CONTAINER_NAME,
        "image": serving.image,
        "imagePullPolicy": part.images.pull_policy,
        "command": list(COMMAND),
        "args": list(serving.argv),
        # Python looks for modules where it is started, the middleware among them; KServe refuses PYTHONPATH (v0.20.0,
        # env_policy.go).
        "workingDir": KEEP_ALIVE_PATH.rpartition("/")[0],
        "env": _environment(serving, part.key_secret),
        "ports": [{"name": "http1", "containerPort": server_port(serving), "protocol": "TCP"}],
        "resources": _resources(part),
        **_probes(serving),
        "securityContext": container_security(read_only_root=False),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(serving),
    }
    if part.mode == "Standard":
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
    return container


def server_volumes(part: ServerPart) -> list[Manifest]:
    """Return the volumes: weights, scratch, shared memory, and the small files."""
    serving = part.serving
    return [
        *model_volumes(part),
        {"name": "scratch", "emptyDir": {"sizeLimit": format_gib(_SCRATCH_GIB)}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": format_gib(serving.resources.shm_gib)}},
        *file_volumes(serving),
    ]


def _environment(serving: ServingPlan, key_secret: str | None) -> list[Manifest]:
    values = {
        **ENVIRONMENT,
        "VLLM_ENGINE_READY_TIMEOUT_S": str(serving.timeouts.load_budget_seconds),
        **cache_environment(serving),
        **serving.pod.env,
    }
    plain: list[Manifest] = [{"name": name, "value": value} for name, value in values.items()]
    if key_secret is None:
        return plain
    key = {"secretKeyRef": {"name": key_secret, "key": "apiKey"}}
    return [*plain, {"name": "VLLM_API_KEY", "valueFrom": key}]


def _resources(part: ServerPart) -> Manifest:
    wanted = part.serving.resources
    amounts = {
        "cpu": format_cpu(wanted.cpus),
        "memory": format_gib(wanted.memory_gib),
        "ephemeral-storage": format_gib(wanted.download_gib + _SCRATCH_GIB),
        **part.pool.requests(wanted.gpus),
    }
    return {"requests": dict(amounts), "limits": dict(amounts)}


def _probes(serving: ServingPlan) -> Manifest:
    probes = serving.probes

    def probe(period_seconds: int, failures: int) -> Manifest:
        return {
            "httpGet": {"path": "/health", "port": server_port(serving), "scheme": "HTTP"},
            "periodSeconds": period_seconds,
            "failureThreshold": failures,
            "timeoutSeconds": 5,
            "successThreshold": 1,
        }

    return {
        "startupProbe": probe(probes.startup_period_seconds, probes.startup_failures),
        "readinessProbe": probe(probes.readiness_period_seconds, probes.readiness_failures),
        "livenessProbe": probe(probes.liveness_period_seconds, probes.liveness_failures),
    }


def _mounts(serving: ServingPlan) -> list[Manifest]:
    return [
        *model_mounts(serving),
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  the pod's own emptyDir
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108  the pod's own emptyDir
        *file_mounts(serving),
    ]
