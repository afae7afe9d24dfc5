"""The container that runs a server: which one it is, and what its fields tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onprem_agents.catalog import SHARED_MEMORY, is_gpu_resource
from onprem_agents.units import BadUnit, parse_quantity
from onprem_agents.vllm import HOLE

from .graph import UNKNOWN, Graph, Resource, Unknown, Value, dig, items
from .image_release import release_in

KSERVE = "serving.kserve.io"

Container = Mapping[str, Value]


def environment(container: Container) -> dict[str, str]:
    """Return the variables that a container writes out; HOLE for one that comes from elsewhere."""
    env: dict[str, str] = {}
    for entry in items(container.get("env")):
        name = dig(entry, "name")
        if isinstance(name, str):
            value = dig(entry, "value")
            from_elsewhere = value is UNKNOWN or dig(entry, "valueFrom") is not None
            env[name] = HOLE if from_elsewhere else text_of("" if value is None else value)
    return env


def environment_in(graph: Graph, resource: Resource, container: Container) -> dict[str, str]:
    """Return a container's variables, those among them that ConfigMaps of the program tell."""
    env: dict[str, str] = {}
    for source in items(container.get("envFrom")):
        prefix = dig(source, "prefix") or ""
        data = config_map(graph, resource, dig(source, "configMapRef", "name"))
        env |= {f"{prefix}{name}": text_of(value) for name, value in data.items()}
    env |= environment(container)
    for entry in items(container.get("env")):
        told = dig(entry, "valueFrom", "configMapKeyRef")
        data = config_map(graph, resource, dig(told, "name")) if told is not None else {}
        if dig(told, "key") in data:
            env[str(dig(entry, "name"))] = text_of(data[dig(told, "key")])
    return env


def text_of(value: Value) -> str:
    """Return a scalar as it stands in argv or environment; HOLE for UNKNOWN."""
    if value is UNKNOWN:
        return HOLE
    return str(value).lower() if isinstance(value, bool) else str(value)


def release_of(predictor: Value, container: Container) -> str | None:
    """Return the release of vLLM in the image (or of `runtimeVersion`), None where its name does not tell."""
    return release_in(container.get("image"), version=dig(predictor, "model", "runtimeVersion"))


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


# What the device plugins of makers beside those of the catalogue call theirs: AWS, Google, Intel (read 2026-11).
_OTHER_DEVICES = ("neuron", "tpu", "gaudi", "gpu")


def asks_for_accelerator(container: Container) -> bool:
    """Whether the container asks for GPUs or for another maker's accelerators, which have no server of ours to size."""
    if gpus_of(container) is not None:
        return True
    amounts = [dig(container, "resources", part) for part in ("limits", "requests")]
    names = [str(name).casefold() for each in amounts if isinstance(each, Mapping) for name in each]
    return any(device in name for name in names if "/" in name for device in _OTHER_DEVICES)


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


def known_containers(containers: Value) -> list[Container]:
    """Return the containers of a pod, as far as they are written out."""
    return [container for container in items(containers) if isinstance(container, Mapping)]


def named_container(containers: Value, name: str) -> Container | None:
    """Return the container of that name, else the first: what KServe takes for the server."""
    known = known_containers(containers)
    named = [container for container in known if container.get("name") == name]
    return next(iter(named or known), None)


def merged(base: Container, own: Container) -> dict[str, Value]:
    """Merge as KServe v0.20.0 merges a runtime: arguments are joined, environment by name, mounts by their path.

    Of resources, contexts and probes a service replaces the keys that it says, as a strategic merge patch does.
    """
    joined = {key: [*items(base.get(key)), *items(own.get(key))] for key in ("args", "env")}
    mounts = {
        dig(mount, "mountPath"): mount for each in (base, own) for mount in items(each.get("volumeMounts"))
    }
    joined |= {"volumeMounts": list(mounts.values())} if mounts else {}
    unknown = {key: UNKNOWN for key in joined if UNKNOWN in (base.get(key), own.get(key))}
    return {**_patched(base, own), **joined, **unknown}


def _place(mount: Value) -> Value:
    path = dig(mount, "mountPath")
    return path if isinstance(path, str) else id(mount)


def _patched(base: Value, own: Value) -> Value:
    if not isinstance(base, Mapping) or not isinstance(own, Mapping):
        return own
    return {**base, **{key: _patched(base.get(key), value) for key, value in own.items()}}


def config_map(graph: Graph, resource: Resource, name: Value) -> Mapping[str, Value]:
    """Return the data of a ConfigMap in the namespace of an object, empty where the program has none."""
    for config in graph.of_kind("core", "ConfigMap"):
        if name is not None and config.object_name == name and config.namespace == resource.namespace:
            data = dig(config.props, "data")
            return data if isinstance(data, Mapping) else {}
    return {}


def owners(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield kind and name of the objects that an object belongs to."""
    for owner in items(dig(resource.props, "metadata", "ownerReferences")):
        kind, name = dig(owner, "kind"), dig(owner, "name")
        if isinstance(kind, str) and isinstance(name, str):
            yield kind, name
