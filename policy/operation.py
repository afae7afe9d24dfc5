"""How a server is run, beside what it runs: the mode of its KServe, its annotations, its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from onprem_agents.catalog import load_catalog
from onprem_agents.stack.labels import STACK_LABEL
from onprem_agents.units import BadUnit, parse_quantity

from .graph import UNKNOWN, Graph, Resource, Value, Violation, dig
from .memory import gpus_needed
from .readers.runtimes import Runtime, runtime_of
from .serving import Server

MODE = "serving.kserve.io/deploymentMode"
_MODEL_MESH = "ModelMesh"
_OPENSHIFT = ("opendatahub.io", "openshift.io")


def modes() -> Mapping[str, str]:
    """Return every word for a deployment mode with the one that KServe writes today."""
    found = {_MODEL_MESH: _MODEL_MESH}
    for release in load_catalog().kserve_releases:
        found |= {word: mode for mode, word in release.spelling.items()}
    return found


def mode_of(resource: Resource) -> Value:
    """Return how KServe runs an InferenceService, in today's word; None where only its cluster tells."""
    if resource.kind != "InferenceService":
        return None
    said = resource.annotation(MODE)
    return said if said is UNKNOWN else modes().get(str(said))


def is_ours(resource: Resource) -> bool:
    """Whether the product rendered it: its plan and preflight judge what depends on the cluster's releases."""
    return dig(resource.props, "metadata", "labels", STACK_LABEL) is not None


def is_of_openshift(resource: Resource) -> bool:
    """Whether it is written for OpenShift AI, whose KServe has words of its own."""
    marks = [
        str(key)
        for part in ("labels", "annotations")
        if isinstance(found := dig(resource.props, "metadata", part), Mapping)
        for key in found
    ]
    runtime = str(dig(resource.props, "spec", "predictor", "model", "runtime"))
    templates = {each.name for each in load_catalog().serving_runtimes if each.of == "template"}
    return runtime in templates or any(mark in key for key in marks for mark in _OPENSHIFT)


def annotations_of(server: Server) -> Iterator[tuple[str, Value]]:
    """Yield the annotations of a server's object and of its pods."""
    props = server.resource.props
    for path in (
        ("metadata", "annotations"),
        ("spec", "predictor", "annotations"),
        ("spec", "template", "metadata", "annotations"),
    ):
        found = dig(props, *path)
        if isinstance(found, Mapping):
            yield from ((str(key), value) for key, value in found.items())


def runtime_beside(graph: Graph, server: Server) -> Runtime | None:
    """Return the runtime of KServe that completes a server, None without one and where it is out of sight."""
    predictor = dig(server.resource.props, "spec", "predictor")
    if server.resource.kind != "InferenceService" or not isinstance(dig(predictor, "model"), Mapping):
        return None
    return runtime_of(graph, server.resource, predictor)


def is_completed_elsewhere(graph: Graph, server: Server) -> bool:
    """Whether fields of the pod that are not here may come from a runtime or a preset that is not in the program."""
    if server.unseen or server.resource.kind == "LLMInferenceService":
        return True
    predictor = dig(server.resource.props, "spec", "predictor")
    if server.resource.kind != "InferenceService":
        return False
    by_model = any(dig(predictor, key) is not None for key in ("model", "huggingface"))
    runtime = runtime_beside(graph, server)
    return by_model and not (runtime is not None and runtime.of_the_program)


def workers_of(server: Server) -> int:
    """Return the GPUs that vLLM takes in one pod, each with a process of its own."""
    needed = gpus_needed(server)
    return min(needed, server.gpus) if isinstance(server.gpus, int) else needed


def number(value: Value) -> float | None:
    """Return a count or a Kubernetes quantity as a number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(parse_quantity(str(value)))
    except BadUnit:
        return None


def gib(value: Value) -> float | None:
    """Return a quantity of memory in GiB, None for anything else."""
    amount = number(value)
    return None if amount is None else amount / 2**30


class Told(NamedTuple):
    """A finding about one server: `message` without its resource and the full stop, `change` as a sentence."""

    message: str
    change: str


def about_each(servers: Iterable[Server], judge: Callable[[Server], Iterator[Told]]) -> list[Violation]:
    """Return what is found about servers, once for each object: its parts may have the same fault."""
    found = {
        (server.resource.urn, message): Violation(
            resource=server.resource, message=f"{server.resource} {message}.", change=change
        )
        for server in servers
        for message, change in judge(server)
    }
    return list(found.values())
