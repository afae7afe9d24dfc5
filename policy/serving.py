"""Server: a vLLM server as an InferenceService declares it, read back from what was rendered.

Custom predictors (`predictor.containers`) and model predictors (`predictor.model`, with the ServingRuntime
when the program declares it) are read alike. Command, arguments and environment of the container go through
`onprem_agents.vllm.parse_argv`, so a rule sees what vLLM will see.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.stack.labels import ROLE_LABEL
from onprem_agents.vllm import ParsedServe, load_release, option_of, parse_argv

from .compile_cache import start_of
from .containers import (
    KSERVE,
    Container,
    environment,
    gpus_of,
    release_of,
    serving_container,
    shared_gpu_gib,
    text_of,
)
from .graph import UNKNOWN, Graph, Resource, Unknown, Value, dig, items
from .sources import accelerators, model_names

# `--task` of vLLM before 0.13 that serves no chat.
_POOLING_TASKS = frozenset({"embed", "embedding", "classify", "score", "reward"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """One vLLM server.

    `release` is the version in the image's tag, None without one. `gpus` is what one pod asks for, None when
    it asks for none. `accelerators` tell the GPUs it may land on, `model_names` the names its model may be
    known by, best first; UNKNOWN among them stands for one that is only known at run time. `timeout_seconds`
    is `predictor.timeout`, `start` how its later starts are, cold where nothing tells.
    """

    resource: Resource
    parsed: ParsedServe
    release: str | None
    gpus: int | Unknown | None
    shared_gib: float | Unknown | None
    """Memory of each GPU that the pod may use, None for all of it, UNKNOWN for an amount that cannot be read."""
    accelerators: tuple[str | Unknown, ...]
    model_names: tuple[str | Unknown, ...]
    timeout_seconds: Value
    multi_node: bool
    start: Literal["cold", "warm"]

    @property
    def pooling(self) -> bool:
        """Whether it serves embeddings or ranking, so that no agent talks to it."""
        flags = self.parsed.flags
        tasks = {unknown.value for unknown in self.parsed.unknown if unknown.name == "--task"}
        return (
            flags.runner == "pooling"
            or flags.convert in ("embed", "classify")
            or bool(tasks & _POOLING_TASKS)
        )

    def default(self, field: str) -> Any:
        """Return the value of a flag, UNREADABLE, or else the default of the release it is judged by."""
        value = self.parsed.read(field)
        return load_release(self.parsed.judged_by).default(option_of(field)) if value is None else value

    def key(self, key: str) -> str:
        """Return the stack's config key of one setting of this server's role."""
        role = dig(self.resource.props, "metadata", "labels", ROLE_LABEL) or self.resource.object_name
        return f"platform.models[role={role}].{key}"

    def change(self, field: str, key: str) -> str:
        """Return the words that say where to change a flag: the stack's key and the argument behind it."""
        return f"{self.key(key)} (the argument {option_of(field)})"


def servers(graph: Graph) -> Iterator[Server]:
    """Return the vLLM servers that the graph's InferenceServices declare and that agents may talk to."""
    for resource in graph.of_kind(KSERVE, "InferenceService"):
        container, hidden = serving_container(graph, resource)
        if container is None:
            continue
        server = _server(resource, container, hidden=hidden)
        if _is_vllm(resource, container, server.parsed) and not server.pooling:
            yield server


def _server(resource: Resource, container: Container, *, hidden: bool) -> Server:
    predictor = dig(resource.props, "spec", "predictor")
    env = environment(container)
    command, args = items(container.get("command")), items(container.get("args"))
    release = release_of(predictor, container)
    parsed = parse_argv([text_of(word) for word in (*command, *args)], release=release, env=env)
    out_of_sight = hidden or UNKNOWN in (container.get("command"), container.get("args"))
    if out_of_sight or (command and not parsed.command):
        parsed = dataclasses.replace(parsed, opaque=True)
    return Server(
        resource=resource,
        parsed=parsed,
        release=release,
        gpus=gpus_of(container),
        shared_gib=shared_gpu_gib(container),
        accelerators=accelerators(resource),
        model_names=tuple(model_names(resource, container, parsed, env)),
        timeout_seconds=dig(predictor, "timeout"),
        multi_node=dig(predictor, "workerSpec") is not None,
        start=start_of(predictor, container),
    )


def _is_vllm(resource: Resource, container: Container, parsed: ParsedServe) -> bool:
    model = dig(resource.props, "spec", "predictor", "model")
    told = (dig(model, "modelFormat", "name"), dig(model, "runtime"), container.get("image"))
    if any(isinstance(text, str) and "vllm" in text.lower() for text in told):
        return True
    starts_it = parsed.command and (not parsed.opaque or bool(parsed.flags.given()))
    return starts_it or (UNKNOWN in told and bool(parsed.flags.given()))
