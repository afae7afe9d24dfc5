"""LLMInferenceService: what it says itself, what configs of the program add, and the preset that KServe puts below.

Source: kserve v0.18.0 to v0.20.0, config/llmisvcconfig and pkg/controller/v1alpha2/llmisvc/config_merge.go, read
2026-11-29. The presets of v0.16 and v0.17 have the same words, but read no VLLM_ADDITIONAL_ARGS.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onprem_agents.vllm import HOLE

from ..containers import KSERVE, Container, environment_in, known_containers
from ..graph import UNKNOWN, Graph, Resource, Value, dig, items
from ..image_release import release_in
from .commands import argv_of, names_vllm, starts_vllm
from .declared import Declared, Unread

_CONTAINER = "main"
_ADDITIONAL = "VLLM_ADDITIONAL_ARGS"
_READ = (_ADDITIONAL, "VLLM_API_SERVER_COUNT")  # by the presets' own scripts
# The presets' names, with the version that later releases put before them.
_PRESET = re.compile(r"(?:v\d+-\d+-\d+-)?kserve-config-llm-[a-z-]+")
_SYSTEM_NAMESPACES = ("kserve", "opendatahub", "redhat-ods-applications")
_SIMULATOR = "inference-sim"


def llm_inference_services(graph: Graph) -> Iterator[Declared | Unread]:
    """Yield what the LLMInferenceServices of a graph declare: the server, those that prefill, those of more nodes."""
    yield from _unused_configs(graph)
    for service in graph.of_kind(KSERVE, "LLMInferenceService"):
        if dig(service.props, "spec") is UNKNOWN:
            yield Unread(resource=service, reason="its spec is only known at run time")
            continue
        spec, unseen = _combined(graph, service)
        for part, takes_requests in ((spec, True), (dig(spec, "prefill"), False)):
            if part is not None:
                yield from _of_part(graph, service, spec, part, unseen=unseen, takes_requests=takes_requests)


def _unused_configs(graph: Graph) -> Iterator[Unread]:
    """Yield the configs that no service of the graph names, but for the presets that KServe itself brings."""
    used = {
        dig(ref, "name")
        for service in graph.of_kind(KSERVE, "LLMInferenceService")
        for ref in items(dig(service.props, "spec", "baseRefs"))
        if isinstance(dig(ref, "name"), str)
    }
    for config in graph.of_kind(KSERVE, "LLMInferenceServiceConfig"):
        name, spec = config.object_name, dig(config.props, "spec")
        serves = any(dig(spec, part) is not None for part in ("template", "worker", "prefill", "model"))
        if serves and isinstance(name, str) and name not in used and _PRESET.fullmatch(name) is None:
            yield Unread(
                resource=config,
                reason="no LLMInferenceService of the program names it in baseRefs, so the server that it belongs to is"
                " out of sight (check both together)",
            )


def _of_part(
    graph: Graph, service: Resource, spec: Value, part: Value, *, unseen: str, takes_requests: bool
) -> Iterator[Declared | Unread]:
    spread = dig(part, "worker") is not None
    for pod, leads in ((dig(part, "template"), True), (dig(part, "worker"), False)):
        containers = known_containers(dig(pod, "containers"))
        own = next((one for one in containers if one.get("name") == _CONTAINER), None)
        if own is None and not leads:
            continue  # the preset's worker has the words of its leader
        container: Container = own or {}
        env = environment_in(graph, service, container)
        if not container.get("command"):
            words = _preset(spec, part, env, spread=spread)
            arguments = container.get("args")
            joined = UNKNOWN if arguments is UNKNOWN else [*words, *items(arguments)]
            left = [entry for entry in items(container.get("env")) if dig(entry, "name") not in _READ]
            container = {**container, "command": ["vllm", "serve"], "args": joined, "env": left}
        elif container["command"] is not UNKNOWN and not starts_vllm(argv_of(container), env):
            if _SIMULATOR not in str(container.get("image")):
                yield Unread(
                    resource=service,
                    reason=f"its container {_CONTAINER!r} has a command that can't be followed to a server",
                )
            continue
        yield Declared(
            resource=service,
            pod=pod,
            container=container,
            env=env,
            release=release_in(container.get("image")),
            named=True,
            may_be_vllm=not names_vllm(container.get("image")),
            unseen=unseen,
            sources=_sources(spec),
            hosts=tuple(_hosts(service.object_name)),
            multi_node=spread,
            takes_requests=takes_requests and leads,
        )


def _hosts(name: Value) -> Iterator[Value]:
    """Yield the names by which requests reach a service: its own, its Service's, its InferencePool's."""
    yield name
    for ending in ("kserve-workload-svc", "inference-pool") if name is not UNKNOWN else ():
        yield f"{name}-{ending}"


def _preset(spec: Value, part: Value, env: Mapping[str, str], *, spread: bool) -> list[Value]:
    """Return the words that KServe's preset puts after `vllm serve`, without those of ports and certificates."""
    name = dig(spec, "model", "name")
    words: list[Value] = ["/mnt/models", *([] if name is None else ["--served-model-name", name])]
    sizes = dig(part, "parallelism")
    if sizes is UNKNOWN:
        words.append(UNKNOWN)
    if dig(sizes, "tensor") is not None:
        words += ["--tensor-parallel-size", dig(sizes, "tensor")]
    if spread:
        words += ["--data-parallel-size", dig(sizes, "data") or 1]
        words += ["--enable-expert-parallel"] if dig(sizes, "expert") is True else []
    additional = env.get(_ADDITIONAL, "")
    if HOLE in additional:
        return [*words, UNKNOWN]
    try:
        return [*words, *shlex.split(additional)]
    except ValueError:
        return [*words, UNKNOWN]


def _sources(spec: Value) -> tuple[Value, ...]:
    """Return where the model comes from, and its name where that is a repository's."""
    name = dig(spec, "model", "name")
    return (dig(spec, "model", "uri"), *((name,) if isinstance(name, str) and "/" in name else ()))


def _combined(graph: Graph, service: Resource) -> tuple[Value, str]:
    """Return the spec of a service above the configs that it names, and what of these is out of sight."""
    combined: Value = {}
    unseen = ""
    for ref in items(dig(service.props, "spec", "baseRefs")):
        name = dig(ref, "name")
        config = _config(graph, service, name)
        if config is not None:
            combined = _merged(combined, dig(config.props, "spec"))
        elif name is UNKNOWN or _PRESET.fullmatch(str(name)) is None:
            unseen = (
                f"its config {str(name)!r} (baseRefs) is not in the program, so what it adds to the server is out of"
                " sight (declare the LLMInferenceServiceConfig beside it)"
            )
    return _merged(combined, dig(service.props, "spec")), unseen


def _config(graph: Graph, service: Resource, name: Value) -> Resource | None:
    found = [
        config
        for config in graph.of_kind(KSERVE, "LLMInferenceServiceConfig")
        if config.object_name == name and config.namespace in (service.namespace, *_SYSTEM_NAMESPACES)
    ]
    near = [config for config in found if config.namespace == service.namespace]
    return next(iter(near or found), None) if _PRESET.fullmatch(str(name)) is None else None


def _merged(base: Value, own: Value) -> Value:
    """Merge as a strategic merge patch does: objects by key, lists of named things by name, all else replaced."""
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        return {**base, **{key: _merged(base.get(key), value) for key, value in own.items()}}
    if _named(base) and _named(own):
        joined: dict[Any, Value] = {dig(each, "name"): each for each in base}
        for each in own:
            joined[dig(each, "name")] = _merged(joined.get(dig(each, "name")), each)
        return list(joined.values())
    return base if own is None else own


def _named(value: Value) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(dig(each, "name"), str) for each in value)
    )
