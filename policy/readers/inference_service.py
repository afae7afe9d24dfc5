"""InferenceService: custom containers, or a model that a runtime serves, and the workers of several nodes.

Source: kserve v0.20.0, pkg/controller/v1beta1/inferenceservice/components/predictor.go, read 2026-11-29.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..containers import KSERVE, Container, environment_in, merged, named_container, release_of, text_of
from ..graph import UNKNOWN, Graph, Resource, Value, dig, items
from .commands import argv_of, has_its_options, hints_at_vllm, out_of_sight, serves
from .declared import Declared, Unread, server_known_later
from .runtimes import Runtime, runtime_of

_CONTAINER, _WORKER = "kserve-container", "worker-container"
# What the controller gives the containers of several nodes (kserve v0.20.0, predictor.go).
_TENSOR, _PIPELINE = "TENSOR_PARALLEL_SIZE", "PIPELINE_PARALLEL_SIZE"
_SPREAD = ("nodeSelector",)
_JOINED = ("volumes", "initContainers")
_PLACEHOLDER = re.compile(r"\{\{-?\s*\.(Name|Namespace)\s*-?\}\}")
_LLM_FORMATS = ("vllm", "huggingface")


def inference_services(graph: Graph) -> Iterator[Declared | Unread]:
    """Yield what the InferenceServices of a graph declare."""
    for service in graph.of_kind(KSERVE, "InferenceService"):
        predictor = _with_model(dig(service.props, "spec", "predictor"))
        if UNKNOWN in (predictor, dig(predictor, "model")) or _has_unknown_containers(predictor):
            later = server_known_later(service, predictor, _hosts(service), dig(predictor, "timeout"))
            yield later or Unread(resource=service, reason="its predictor is only known at run time")
        elif isinstance(dig(predictor, "model"), Mapping):
            yield from _of_a_model(graph, service, predictor)
        else:
            yield from _of_containers(graph, service, predictor)


def _with_model(predictor: Value) -> Value:
    """Return a predictor whose older field `huggingface` is written as KServe's defaulter writes it: as its model."""
    old = dig(predictor, "huggingface")
    if not isinstance(predictor, Mapping) or not isinstance(old, Mapping) or "model" in predictor:
        return predictor
    return {**predictor, "model": {**old, "modelFormat": {"name": "huggingface"}}}


def _of_containers(graph: Graph, service: Resource, predictor: Value) -> Iterator[Declared | Unread]:
    container = named_container(dig(predictor, "containers"), _CONTAINER)
    if container is None:
        return
    head = _declared(graph, service, predictor, container)
    argv, image = argv_of(container), container.get("image")
    named = _says_vllm(image) or (hints_at_vllm(container, argv) and serves(container, argv, head.env))
    yield _followed(replace(head, named=named, may_be_vllm=image is UNKNOWN))
    yield from _workers(graph, service, dig(predictor, "workerSpec"), head)


def _of_a_model(graph: Graph, service: Resource, predictor: Value) -> Iterator[Declared | Unread]:
    model = dig(predictor, "model")
    runtime = runtime_of(graph, service, predictor)
    told = (dig(model, "modelFormat", "name"), dig(model, "runtime"), dig(model, "image"))
    if runtime is None:
        head = _declared(graph, service, predictor, model)
        named = any(map(_says_vllm, told)) or has_its_options(argv_of(model))
        named = named or str(told[0]).casefold() in _LLM_FORMATS
        # What is only known at run time does not excuse what is missing; a runtime elsewhere may bring it.
        unseen = "" if told[1] is UNKNOWN else _why_unseen(model)
        yield replace(head, named=named, may_be_vllm=UNKNOWN in told, unseen=unseen)
        return
    base = named_container(dig(runtime.spec, "containers"), _CONTAINER) or {}
    container = _filled(merged(base, model), service)
    pod = _joined_pod(runtime, predictor)
    head = _declared(graph, service, pod, container)
    sizes = {
        name: text_of(dig(predictor, "workerSpec", key) or dig(runtime.spec, "workerSpec", key) or 1)
        for name, key in ((_TENSOR, "tensorParallelSize"), (_PIPELINE, "pipelineParallelSize"))
    }
    if head.multi_node:
        head = replace(head, env={**head.env, **sizes})
    named = any(map(_says_vllm, (*told, container.get("image"), runtime.name)))
    yield _followed(replace(head, named=named, may_be_vllm=UNKNOWN in told))
    yield from _workers(graph, service, _worker_of(runtime, predictor), head)


def _declared(graph: Graph, service: Resource, pod: Value, container: Container) -> Declared:
    model = dig(pod, "model")
    return Declared(
        resource=service,
        pod=pod,
        container=container,
        env=environment_in(graph, service, container),
        release=release_of(pod, container),
        named=False,
        sources=(dig(model, "storageUri"), _storage_path(model)),
        hosts=_hosts(service),
        timeout_seconds=dig(service.props, "spec", "predictor", "timeout"),
        multi_node=dig(service.props, "spec", "predictor", "workerSpec") is not None,
    )


def _hosts(service: Resource) -> tuple[Value, ...]:
    name = service.object_name
    return (name, f"{name}-predictor", f"{name}-predictor-default") if name is not UNKNOWN else (name,)


def _has_unknown_containers(predictor: Value) -> bool:
    containers = dig(predictor, "containers")
    return dig(predictor, "model") is None and (containers is UNKNOWN or UNKNOWN in items(containers))


def _followed(head: Declared) -> Declared | Unread:
    """Return what a container declares, Unread where a program out of sight starts its server."""
    reason = out_of_sight(head.container, argv_of(head.container), head.env) if head.named else None
    return head if reason is None else Unread(resource=head.resource, reason=reason)


def _workers(graph: Graph, service: Resource, worker: Value, head: Declared) -> Iterator[Declared]:
    """Yield the workers of a service whose one model is spread over nodes: they have arguments of their own."""
    container = named_container(dig(worker, "containers"), _WORKER)
    if container is not None:
        yield replace(
            head,
            pod=worker,
            container=_filled(container, service),
            env={
                **environment_in(graph, service, container),
                **{k: v for k, v in head.env.items() if k in (_TENSOR, _PIPELINE)},
            },
            named=False,
            hosts=(),
            takes_requests=False,
        )


def _worker_of(runtime: Runtime, predictor: Value) -> Value:
    own, theirs = dig(predictor, "workerSpec"), dig(runtime.spec, "workerSpec")
    if own is None:
        return None
    base = named_container(dig(theirs, "containers"), _WORKER) or {}
    mine = named_container(dig(own, "containers"), _WORKER) or {}
    return {**own, "containers": [merged(base, mine)]} if isinstance(own, Mapping) else own


def _joined_pod(runtime: Runtime, predictor: Value) -> Value:
    """Return the pod of runtime and predictor: the predictor's fields win, lists and selectors are joined."""
    spec = runtime.spec if isinstance(runtime.spec, Mapping) else {}
    pod: dict[str, Any] = {**spec, **predictor}
    for key in _JOINED:
        if UNKNOWN not in (spec.get(key), predictor.get(key)):
            pod[key] = [*items(spec.get(key)), *items(predictor.get(key))]
    for key in _SPREAD:
        if isinstance(spec.get(key), Mapping) and isinstance(predictor.get(key), Mapping):
            pod[key] = {**spec[key], **predictor[key]}
    return pod


def _filled(container: Container, service: Resource) -> Container:
    """Return a runtime's container with the service's name and namespace in its placeholders."""
    return {
        key: _placed(value, service) if key in ("command", "args", "env") else value
        for key, value in container.items()
    }


def _placed(value: Value, service: Resource) -> Value:
    if isinstance(value, str):
        told = {"Name": service.object_name, "Namespace": service.namespace}
        return _PLACEHOLDER.sub(lambda found: text_of(told[found[1]]), value)
    if isinstance(value, list | tuple):
        return [_placed(each, service) for each in value]
    if isinstance(value, Mapping):
        return {key: _placed(each, service) for key, each in value.items()}
    return value


def _storage_path(model: Value) -> Value:
    """Return the path in a bucket that a connection's secret names, as OpenShift AI writes it."""
    return dig(model, "storage", "path")


def _says_vllm(text: Value) -> bool:
    return isinstance(text, str) and "vllm" in text.casefold()


def _why_unseen(model: Value) -> str:
    name = dig(model, "runtime")
    if name is not None:
        return (
            f"its runtime {name!r} is neither in the program nor one that KServe or OpenShift AI brings, so what it"
            " adds to the arguments is out of sight (declare the ServingRuntime beside it)"
        )
    wanted = dig(model, "modelFormat", "name")
    return (
        f"no runtime in the program, nor one that KServe brings, takes modelFormat {wanted!r} by itself, so what serves"
        " it is out of sight (name a runtime)"
    )
