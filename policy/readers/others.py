"""Objects of kinds that no reader knows, whose pods run vLLM all the same: named, so that silence is no approval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..graph import Graph, Resource, Value, items
from .commands import argv_of, hints_at_vllm, names_vllm, starts_vllm
from .declared import Unread

# Kinds that hold containers or texts which run nothing by themselves, or that another reader takes up.
_PASSED = frozenset(
    {
        *("InferenceService", "LLMInferenceService", "LLMInferenceServiceConfig", "ServingRuntime"),
        *(
            "ClusterServingRuntime",
            "Deployment",
            "StatefulSet",
            "DaemonSet",
            "ReplicaSet",
            "Job",
            "CronJob",
            "Pod",
        ),
        *("Rollout", "LeaderWorkerSet", "PodTemplate", "ConfigMap", "Secret", "CustomResourceDefinition"),
        *("ClusterStorageContainer", "ControllerRevision", "Service", "Release", "HelmRelease"),
    }
)
_HELD = ("spec", "objects")
"""Where containers may stand; `objects` are what OpenShift makes of a Template (template.openshift.io/v1)."""
_DEEPEST = 12


def others(graph: Graph) -> Iterator[Unread]:
    """Yield the objects of other kinds whose pods start vLLM."""
    for resource in graph.resources:
        if resource.kind in _PASSED or not resource.type.startswith("kubernetes:"):
            continue
        if _says_engine(resource) or any(
            _runs_vllm(each) for part in _HELD for each in _containers(resource.props.get(part), 0)
        ):
            yield Unread(
                resource=resource,
                reason=f"it runs vLLM, but the kind {resource.kind} is not read (check what its controller makes)",
            )


def _containers(value: Value, depth: int) -> Iterator[Mapping[str, Value]]:
    """Yield what has the form of a container, anywhere in a spec."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        if isinstance(value.get("image"), str):
            yield value
        for each in value.values():
            yield from _containers(each, depth + 1)
    else:
        for each in items(value):
            yield from _containers(each, depth + 1)


def _runs_vllm(container: Mapping[str, Value]) -> bool:
    argv = argv_of(container)
    if not hints_at_vllm(container, argv):
        return False
    return names_vllm(container.get("image")) or starts_vllm(argv, {})


def _says_engine(resource: Resource) -> bool:
    """Whether an object names vLLM as its engine.

    KubeAI's Model does, vLLM production-stack's VLLMRuntime, and a RayService in its application's text.
    """
    spec = resource.props.get("spec")
    if resource.kind == "RayService":
        return any(sign in str(spec).casefold() for sign in ("vllm", "ray.serve.llm"))
    engine = spec.get("engine") if isinstance(spec, Mapping) else None
    return resource.kind == "VLLMRuntime" or (isinstance(engine, str) and engine.casefold() == "vllm")
