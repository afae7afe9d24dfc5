"""The container of an InferenceService that runs the server, merged with its runtime as KServe does it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from onprem_agents.catalog import SHARED_MEMORY, is_gpu_resource
from onprem_agents.units import BadUnit, parse_quantity
from onprem_agents.vllm import HOLE

from .graph import UNKNOWN, Graph, Resource, Unknown, Value, dig, items

KSERVE = "serving.kserve.io"

# KServe v0.20.0, config/runtimes/kserve-vllmserver.yaml: what its own runtime puts before given arguments.
_KSERVE_RUNTIME = "kserve-vllmserver"
_KSERVE_RUNTIME_ARGV = (
    *("python", "-m", "vllm.entrypoints.openai.api_server"),
    *("--port=8080", "--model=/mnt/models"),
)
_CONTAINER = "kserve-container"
_VERSION = re.compile(r":v?(\d+\.\d+\.\d+)(?![\d.])")

Container = Mapping[str, Value]


def serving_container(graph: Graph, resource: Resource) -> tuple[Container | None, bool]:
    """Return the container that serves, and whether a runtime out of sight may add arguments to it."""
    predictor = dig(resource.props, "spec", "predictor")
    model = dig(predictor, "model")
    if not isinstance(model, Mapping):
        return _named_container(dig(predictor, "containers")), False
    name = model.get("runtime")
    runtime = _runtime(graph, resource, name)
    if runtime is not None:
        base = _named_container(dig(runtime.props, "spec", "containers")) or {}
        return _merged(base, model), False
    if name in (None, _KSERVE_RUNTIME):
        return _merged({"args": list(_KSERVE_RUNTIME_ARGV)}, model), False
    return model, True


def environment(container: Container) -> dict[str, str]:
    """Return the container's variables; HOLE for one that comes from elsewhere."""
    env: dict[str, str] = {}
    for entry in items(container.get("env")):
        name = dig(entry, "name")
        if isinstance(name, str):
            value = dig(entry, "value")
            from_elsewhere = value is UNKNOWN or dig(entry, "valueFrom") is not None
            env[name] = HOLE if from_elsewhere else text_of(value or "")
    return env


def text_of(value: Value) -> str:
    """Return a scalar as it stands in argv or environment; HOLE for UNKNOWN."""
    if value is UNKNOWN:
        return HOLE
    return str(value).lower() if isinstance(value, bool) else str(value)


def release_of(predictor: Value, container: Container) -> str | None:
    """Return the vLLM version in the image's tag (or `runtimeVersion`), None without one."""
    version = dig(predictor, "model", "runtimeVersion")
    image = f":{version}" if isinstance(version, str) else str(container.get("image"))
    match = _VERSION.search(image)
    return match[1] if match else None


def gpus_of(container: Container) -> int | Unknown | None:
    """Return the GPUs that the container asks for; None for none, or for parts of one."""
    for part in ("limits", "requests"):
        amounts = dig(container, "resources", part)
        if amounts is UNKNOWN:
            return Unknown.UNKNOWN
        for name in filter(is_gpu_resource, amounts if isinstance(amounts, Mapping) else ()):
            if amounts[name] is UNKNOWN:
                return Unknown.UNKNOWN
            if str(amounts[name]).isdigit():
                return int(str(amounts[name]))
    return None


def shared_gpu_gib(container: Container) -> float | Unknown | None:
    """Return the memory of a GPU that the container asks for where GPUs are shared out, None for all of it.

    UNKNOWN where it asks for an amount that cannot be read.
    """
    for part in ("limits", "requests"):
        amount = dig(container, "resources", part, SHARED_MEMORY)
        if amount is None:
            continue
        try:
            return Unknown.UNKNOWN if amount is UNKNOWN else float(parse_quantity(str(amount)) / 1024)
        except BadUnit:
            return Unknown.UNKNOWN
    return None


def _runtime(graph: Graph, resource: Resource, name: Value) -> Resource | None:
    for runtime in graph.of_kind(KSERVE, "ServingRuntime", "ClusterServingRuntime"):
        near = runtime.kind == "ClusterServingRuntime" or runtime.namespace == resource.namespace
        if near and name is not None and runtime.object_name == name:
            return runtime
    return None


def _named_container(containers: Value) -> Container | None:
    """Return the container that KServe takes for the server: the one of that name, else the first."""
    known = [container for container in items(containers) if isinstance(container, Mapping)]
    named = [container for container in known if container.get("name") == _CONTAINER]
    return next(iter(named or known), None)


def _merged(base: Container, model: Container) -> dict[str, Value]:
    """Merge as KServe v0.20.0 does: arguments are joined, environment by name, the rest replaced."""
    joined = {key: [*items(base.get(key)), *items(model.get(key))] for key in ("args", "env")}
    unknown = {key: UNKNOWN for key in joined if UNKNOWN in (base.get(key), model.get(key))}
    return {**base, **model, **joined, **unknown}
