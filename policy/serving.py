"""Server: a vLLM server as anybody declares it, read back from what was rendered.

`policy/readers/` finds the containers that may serve, one reader a kind. Command, arguments and environment of each go
through `onprem_agents.vllm.parse_argv`, so a rule sees what vLLM will see.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.stack.labels import AGENTS_LABEL, ROLE_LABEL
from onprem_agents.vllm import ParsedServe, load_release, option_of, parse_argv, parse_options

from .checkpoints import first_known
from .compile_cache import start_of
from .config_files import with_config_file
from .containers import Container, gpus_of, shared_gpu_gib, text_of
from .graph import UNKNOWN, Graph, Resource, Unknown, Value, dig, items, once
from .huggingface import HuggingFaceServer, huggingface_server
from .image_release import serving_image
from .readers import READERS, Declared, Unread
from .sources import accelerators, model_names
from .spread import is_spread
from .writes_text import writes_no_text

# `--task` of vLLM before 0.13 that serves no chat.
_POOLING_TASKS = frozenset({"embed", "embedding", "classify", "score", "reward"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """One vLLM server.

    `release` is the version that the image tells, None without one. `gpus` is what one pod asks for, None when
    it asks for none. `accelerators` tell the GPUs it may land on, `model_names` the names its model may be
    known by, best first; UNKNOWN among them stands for one that is only known at run time. `timeout_seconds`
    is how long its controller lets a request take, `start` how its later starts are, cold where nothing tells.
    `hosts` are the names by which requests reach it. `unseen` says what may add arguments out of sight, "" for
    nothing. `for_agents` tells whether agents talk to it: not to a worker, and not where its owner says so;
    `takes_requests` whether anybody does. `pod` is the spec around its `container`, as its controller completes it.
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
    hosts: tuple[Value, ...] = ()
    unseen: str = ""
    for_agents: bool = True
    takes_requests: bool = True
    container: Container = dataclasses.field(default_factory=dict)
    pod: Value = None

    @property
    def pooling(self) -> bool:
        """Whether it serves embeddings, ranking or the like, so that no agent talks to it."""
        flags = self.parsed.flags
        tasks = {unknown.value for unknown in self.parsed.unknown if unknown.name == "--task"}
        tasks |= set(self.parsed.other.get("--task", ()))
        pools = flags.runner == "pooling" or flags.convert in ("embed", "classify")
        if pools or bool(tasks & _POOLING_TASKS):
            return True
        return writes_no_text(self.model_names) and first_known(self.model_names) is None

    @property
    def judged(self) -> str:
        """The release it is judged by, in words that say when that is not the image's own."""
        judged_by = self.parsed.judged_by
        if self.release is None:
            return f"{judged_by} (assumed, as nothing tells the release in its image)"
        words = [] if self.release == judged_by else [f"judged by {judged_by}, the nearest with facts"]
        image = serving_image(self.container.get("image"))
        if image is not None and image.tags == "own":
            words.append(f"the release in that image as told by {image.told_by}")
        return f"{self.release} ({'; '.join(words)})" if words else self.release

    def default(self, field: str) -> Any:
        """Return the value of a flag, UNREADABLE, or else the default of the release it is judged by."""
        value = self.parsed.read(field)
        return load_release(self.parsed.judged_by).default(option_of(field)) if value is None else value

    def left_open(self, field: str) -> bool:
        """Whether a flag is missing from what could be read, while what may bring it is out of sight.

        No mandatory rule may rest on such a flag: serving-can-be-checked says so instead. A value that is only known
        at run time is none of these.
        """
        missing = getattr(self.parsed.flags, field) is None and field not in self.parsed.unreadable
        return bool(self.unseen) and missing

    def key(self, key: str) -> str:
        """Return the stack's config key of one setting of this server's role."""
        role = dig(self.resource.props, "metadata", "labels", ROLE_LABEL) or self.resource.object_name
        return f"platform.models[role={role}].{key}"

    def change(self, field: str, key: str) -> str:
        """Return the words that say where to change a flag: the stack's key and the argument behind it."""
        return f"{self.key(key)} (the argument {option_of(field)})"


def servers(graph: Graph) -> Iterator[Server]:
    """Return the vLLM servers of a graph that serve language models."""
    return iter(_servers(graph))


def servers_for_agents(graph: Graph) -> Iterator[Server]:
    """Return the servers that agents may talk to."""
    return (server for server in servers(graph) if server.for_agents)


def unread(graph: Graph) -> Iterator[Unread]:
    """Return what declares a model server but cannot be read at all."""
    for found in _declared(graph):
        if isinstance(found, Unread):
            yield found
        elif (reason := _undecided(found)) is not None:
            yield Unread(resource=found.resource, reason=reason)


@once
def _servers(graph: Graph) -> tuple[Server, ...]:
    found = (_server(graph, each) for each in _declared(graph) if isinstance(each, Declared))
    return tuple(server for server in found if server is not None and not server.pooling)


@once
def _declared(graph: Graph) -> tuple[Declared | Unread, ...]:
    return tuple(found for reader in READERS for found in reader(graph))


def _server(graph: Graph, declared: Declared) -> Server | None:
    """Return the server that a container runs, None for one that runs another program."""
    container, argv = declared.container, with_config_file(graph, declared, _argv(declared))
    face = _huggingface(declared, argv)
    if face is not None and not face.generates:
        return None
    if face is not None:
        parsed = parse_options(face.words, release=declared.release)
    else:
        parsed = parse_argv(argv, release=declared.release, env=declared.env)
    at_run_time = UNKNOWN in (container.get("command"), container.get("args"))
    if at_run_time or (container.get("command") and not parsed.command):
        parsed = dataclasses.replace(parsed, opaque=True)
    if face is None and not _is_vllm(declared, parsed):
        return None
    names = tuple(model_names(declared, parsed))
    unseen = declared.unseen if not parsed.opaque else ""
    if unseen:
        parsed = dataclasses.replace(parsed, opaque=True)
    labels = dig(declared.resource.props, "metadata", "labels")
    return Server(
        resource=declared.resource,
        parsed=parsed,
        release=declared.release,
        gpus=gpus_of(container),
        shared_gib=shared_gpu_gib(container),
        accelerators=accelerators(declared.resource, declared.pod),
        model_names=names,
        timeout_seconds=declared.timeout_seconds,
        multi_node=declared.multi_node or is_spread(parsed, argv),
        start=start_of(declared.pod, container),
        hosts=declared.hosts,
        unseen=unseen,
        for_agents=declared.takes_requests and text_of(dig(labels, AGENTS_LABEL)) != "false",
        takes_requests=declared.takes_requests,
        container=container,
        pod=declared.pod,
    )


def _argv(declared: Declared) -> list[str]:
    words = (*items(declared.container.get("command")), *items(declared.container.get("args")))
    return [text_of(word) for word in words]


def _huggingface(declared: Declared, argv: list[str]) -> HuggingFaceServer | None:
    """Return KServe's Hugging Face server that a container starts; it generates where the catalogue knows its model."""
    image = serving_image(declared.container.get("image"))
    starts = image is not None and image.starts == "huggingfaceserver"
    by_entrypoint = starts and not declared.container.get("command")
    face = huggingface_server(argv, declared.env, by_entrypoint=by_entrypoint)
    if face is None or face.generates is not None:
        return face
    names = tuple(model_names(declared, parse_options(face.words, release=declared.release)))
    return face if first_known(names) is None else dataclasses.replace(face, generates=True)


def _is_vllm(declared: Declared, parsed: ParsedServe) -> bool:
    if declared.named:
        return True
    starts_it = parsed.command and (not parsed.opaque or bool(parsed.flags.given()))
    return starts_it or (declared.may_be_vllm and bool(parsed.flags.given()))


def _undecided(declared: Declared) -> str | None:
    """Return why nothing tells whether a container serves a language model by vLLM, None where it is told."""
    face = _huggingface(declared, _argv(declared))
    if face is None or face.generates is not None:
        return None
    return (
        f"nothing tells whether KServe's Hugging Face server runs {face.model or 'its model'} by vLLM"
        " (write --backend=vllm for a language model, --task for anything else)"
    )
