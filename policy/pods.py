"""The pods that belong to model serving: those of vLLM servers, of the proxies before them and of this product.

Everything else in the program is nobody's business here, and gets no word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onprem_agents.stack.labels import ROLE_LABEL, STACK_LABEL

from .containers import KSERVE
from .graph import UNKNOWN, Graph, Resource, Value, dig, items, once
from .images import product_of, read_image
from .serving import servers
from .templates import TEMPLATES

# Where the spec of a pod stands in what is no workload; KServe v0.20.0, read 2026-11.
_OF_KSERVE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "InferenceService": (("spec", "predictor"), ("spec", "predictor", "workerSpec")),
    "LLMInferenceService": (
        ("spec", "template"),
        ("spec", "worker"),
        ("spec", "prefill", "template"),
        ("spec", "prefill", "worker"),
    ),
    "ServingRuntime": (("spec",),),
    "ClusterServingRuntime": (("spec",),),
}
_SPECS: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    **{key: tuple((*path, "spec") for path in paths) for key, paths in TEMPLATES.items()},
    **{(KSERVE, kind): paths for kind, paths in _OF_KSERVE.items()},
}
_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
_PROXIES = frozenset({"litellm", "claude-code-router"})


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a pod; `field` is where it stands in its object."""

    props: Mapping[str, Value]
    field: str


@dataclass(frozen=True, kw_only=True)
class Pod:
    """The pods of one object; `serves` tells whether a vLLM server runs in them, `spec` may be UNKNOWN."""

    resource: Resource
    spec: Value
    field: str
    serves: bool

    @property
    def is_one_of_several(self) -> bool:
        """Whether several pods serve one model together, over a network of their own."""
        spread = any(
            dig(self.resource.props, *path) is not None
            for path in (
                ("spec", "predictor", "workerSpec"),
                ("spec", "worker"),
                ("spec", "leaderWorkerTemplate"),
            )
        )
        return self.serves and spread

    @property
    def containers(self) -> tuple[Container, ...]:
        """What runs in the pod, init containers included, as far as it is written out."""
        model = dig(self.spec, "model")
        found = [Container(props=model, field=f"{self.field}.model")] if isinstance(model, Mapping) else []
        for key in ("containers", "initContainers"):
            found += [
                Container(props=props, field=f"{self.field}.{key}[{dig(props, 'name') or place}]")
                for place, props in enumerate(items(dig(self.spec, key)))
                if isinstance(props, Mapping)
            ]
        return tuple(found)

    @property
    def has_a_runtime(self) -> bool:
        """Whether a runtime or a preset of KServe completes it, or it is one: the rest may be said elsewhere."""
        completed = self.resource.kind in ("LLMInferenceService", *_RUNTIMES)
        return completed or isinstance(dig(self.spec, "model"), Mapping)


@once
def pods(graph: Graph) -> tuple[Pod, ...]:
    """Return the pods that belong to model serving."""
    return tuple(_pods(graph))


def _pods(graph: Graph) -> Iterator[Pod]:
    serving = {server.resource.urn for server in servers(graph)}
    runtimes = [
        dig(server.resource.props, "spec", "predictor", "model", "runtime") for server in servers(graph)
    ]
    for resource in graph.resources:
        paths = _SPECS.get((resource.group or "", resource.kind), ())
        for at, path in enumerate(paths):
            spec = dig(resource.props, *path)
            if at > 0 and dig(resource.props, *path[:-1]) is UNKNOWN:
                continue  # the first of its pods stands for all that is not known
            completes = resource.kind in _RUNTIMES and resource.object_name in runtimes
            serves = resource.urn in serving or completes
            pod = Pod(resource=resource, spec=spec, field=".".join(path), serves=serves)
            if spec is not None and (pod.serves or _is_of_the_product(resource) or is_proxy(pod)):
                yield pod


def is_proxy(pod: Pod) -> bool:
    """Whether it runs one of the proxies that stand before model servers."""
    images = (read_image(container.props.get("image")) for container in pod.containers)
    return any(image is not None and product_of(image) in _PROXIES for image in images)


def _is_of_the_product(resource: Resource) -> bool:
    labels = dig(resource.props, "metadata", "labels")
    return isinstance(labels, Mapping) and not {STACK_LABEL, ROLE_LABEL}.isdisjoint(labels)
