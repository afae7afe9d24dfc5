"""The runtime that serves an InferenceService with `model`: the one it names, or the one that KServe chooses.

Source: kserve v0.20.0, pkg/apis/serving/v1beta1/predictor_model.go and its neighbour
v1alpha1/servingruntime_types.go, read 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onprem_agents.catalog import load_catalog

from ..containers import KSERVE
from ..graph import UNKNOWN, Graph, Resource, Value, dig, items, may_equal


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A runtime: its name and spec; `of_the_program` tells that the program declares it."""

    name: str
    spec: Value
    of_the_program: bool


def runtime_of(graph: Graph, service: Resource, predictor: Value) -> Runtime | None:
    """Return the runtime of a predictor with `model`, None where it is out of sight or there is none."""
    model = dig(predictor, "model")
    name = dig(model, "runtime")
    if name is not None:
        return None if name is UNKNOWN else _named(graph, service, str(name))
    spread = dig(predictor, "workerSpec") is not None
    for group in _groups(graph, service):
        fitting = [runtime for runtime in group if _supports(runtime.spec, model, spread=spread)]
        if fitting:
            return min(fitting, key=lambda runtime: _order(runtime, model))
    return None


def _named(graph: Graph, service: Resource, name: str) -> Runtime | None:
    for group in (*_groups(graph, service), _templates()):
        for runtime in group:
            if runtime.name == name:
                return runtime
    return None


def _groups(graph: Graph, service: Resource) -> Iterator[list[Runtime]]:
    """Yield the runtimes of the service's namespace, then those of the cluster: KServe looks in that order."""
    near = [
        _declared(runtime)
        for runtime in graph.of_kind(KSERVE, "ServingRuntime")
        if may_equal(runtime.namespace, service.namespace)
    ]
    far = [_declared(runtime) for runtime in graph.of_kind(KSERVE, "ClusterServingRuntime")]
    told = {runtime.name for runtime in far}
    yield near
    yield [*far, *(runtime for runtime in _built_in("cluster") if runtime.name not in told)]


def _declared(runtime: Resource) -> Runtime:
    return Runtime(name=str(runtime.object_name), spec=dig(runtime.props, "spec"), of_the_program=True)


def _built_in(of: str) -> Iterator[Runtime]:
    for runtime in load_catalog().serving_runtimes:
        if runtime.of == of:
            yield Runtime(name=runtime.name, spec=runtime.spec, of_the_program=False)


def _templates() -> list[Runtime]:
    return list(_built_in("template"))


def _supports(spec: Value, model: Value, *, spread: bool) -> bool:
    """Whether a runtime that is not named takes a model by itself."""
    protocols = items(dig(spec, "protocolVersions"))
    protocol = dig(model, "protocolVersion") or "v1"
    if dig(spec, "disabled") is True or dig(spec, "multiModel") is True:
        return False
    if (dig(spec, "workerSpec") is not None) != spread:
        return False
    # A runtime that names no protocol takes all of them.
    if protocols and not any(may_equal(each, protocol) for each in protocols):
        return False
    return any(
        dig(each, "autoSelect") is True
        and dig(each, "name") == dig(model, "modelFormat", "name")
        and dig(model, "modelFormat", "version") in (None, dig(each, "version"))
        for each in items(dig(spec, "supportedModelFormats"))
    )


def _order(runtime: Runtime, model: Value) -> tuple[bool, float, int, str]:
    """Return what sorts fitting runtimes as KServe does: by priority for the format, then protocol, then name."""
    name = dig(model, "modelFormat", "name")
    priorities = [
        dig(each, "priority")
        for each in items(dig(runtime.spec, "supportedModelFormats"))
        if isinstance(each, Mapping) and dig(each, "name") == name
    ]
    priority = next((each for each in priorities if isinstance(each, int | float)), None)
    protocols = [
        int(text[1:])
        for each in items(dig(runtime.spec, "protocolVersions"))
        if (text := str(each))[1:].isdigit()
    ]
    return (priority is None, -(priority or 0), min(protocols, default=0), runtime.name)
