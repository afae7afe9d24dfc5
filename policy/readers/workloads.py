"""Deployments and their like, whose pods run vLLM in one of their containers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..containers import Container, asks_for_accelerator, environment_in, known_containers, owners, text_of
from ..graph import UNKNOWN, Graph, Resource, Value, dig
from ..image_release import release_in
from ..services import leads_to, services
from ..templates import TEMPLATES
from .commands import (
    argv_of,
    hints_at_vllm,
    names_vllm,
    out_of_sight,
    runs_another_program,
    serves,
    starts_vllm,
)
from .declared import Declared, Unread, server_known_later

_CHARTS = (
    ("helm.sh", "Release", ("chart",)),
    ("helm.toolkit.fluxcd.io", "HelmRelease", ("spec", "chart", "spec", "chart")),
    ("argoproj.io", "Application", ("spec", "source", "chart")),
)


@dataclass(frozen=True, kw_only=True)
class _Pod:
    """The pods of one template of a workload."""

    workload: Resource
    template: Value
    leads: bool
    spread: bool


def workloads(graph: Graph) -> Iterator[Declared | Unread]:
    """Yield the containers that serve in the workloads of a graph."""
    for pod in _pods(graph):
        if UNKNOWN in (pod.template, dig(pod.template, "spec"), dig(pod.template, "spec", "containers")):
            later = server_known_later(pod.workload, dig(pod.template, "spec"), tuple(_hosts(graph, pod)))
            if later is not None:
                yield later
        for container in known_containers(dig(pod.template, "spec", "containers")):
            found = _read(graph, pod, container)
            if found is not None:
                yield found
    yield from _charts(graph)


def _pods(graph: Graph) -> Iterator[_Pod]:
    for (group, kind), paths in TEMPLATES.items():
        for workload in graph.of_kind(group, kind):
            if _owner_is_read(graph, workload):
                continue
            templates = [dig(workload.props, *path) for path in paths]
            given = [template for template in templates if template is not None]
            size = dig(workload.props, "spec", "leaderWorkerTemplate", "size")
            for place, template in enumerate(given):
                yield _Pod(
                    workload=workload,
                    template=template,
                    leads=place == 0,
                    spread=kind == "LeaderWorkerSet" and size not in (None, 1, "1"),
                )


def _owner_is_read(graph: Graph, workload: Resource) -> bool:
    """Whether a workload was made for another object of the graph, as in an export of a cluster."""
    read = list(owners(workload))  # a name may be of any shape, so nothing is hashed
    return bool(read) and any(
        (resource.kind, resource.object_name) in read and resource.namespace == workload.namespace
        for resource in graph.resources
    )


def _read(graph: Graph, pod: _Pod, container: Container) -> Declared | Unread | None:
    """Return what a container serves; None for one that serves nothing, Unread where that cannot be told."""
    argv = argv_of(container)
    if not hints_at_vllm(container, argv):
        return None
    env = {**_given_by_controller(pod), **environment_in(graph, pod.workload, container)}
    image = container.get("image")
    runs_to_its_end = pod.workload.kind == "Job"
    if not (starts_vllm(argv, env) if runs_to_its_end else serves(container, argv, env)):
        # A worker that starts no server of its own joins its leader's, which is read.
        joins = runs_to_its_end or not pod.leads
        told = joins or not asks_for_accelerator(container) or runs_another_program(argv, env)
        if told or not names_vllm(image):
            return None
        reason = out_of_sight(container, argv, env)
        return None if reason is None else Unread(resource=pod.workload, reason=reason)
    return Declared(
        resource=pod.workload,
        pod=dig(pod.template, "spec"),
        container=container,
        env=env,
        release=release_in(image),
        named=True,
        hosts=tuple(_hosts(graph, pod)),
        multi_node=pod.spread,
        takes_requests=pod.leads,
    )


def _given_by_controller(pod: _Pod) -> dict[str, str]:
    """Return the variables that LeaderWorkerSet v0.10 puts into every container."""
    if pod.workload.kind != "LeaderWorkerSet":
        return {}
    size = dig(pod.workload.props, "spec", "leaderWorkerTemplate", "size")
    leader = f"{pod.workload.object_name}-0.{pod.workload.object_name}"
    return {"LWS_GROUP_SIZE": text_of(1 if size is None else size), "LWS_LEADER_ADDRESS": leader}


def _hosts(graph: Graph, pod: _Pod) -> Iterator[Value]:
    """Yield the Services that lead to a pod, by its labels."""
    labels = dig(pod.template, "metadata", "labels")
    yield pod.workload.object_name
    for service in services(graph):
        if leads_to(service, labels, pod.workload.namespace):
            yield service.object_name


def _charts(graph: Graph) -> Iterator[Unread]:
    """Yield the Helm releases of charts of vLLM: what a chart renders is out of sight."""
    for group, kind, path in _CHARTS:
        for release in graph.of_kind(group, kind):
            chart = dig(release.props, *path)
            if isinstance(chart, str) and "vllm" in chart.casefold():
                yield Unread(
                    resource=release,
                    reason=f"the chart {chart!r} renders its objects out of sight (check what `helm template` prints)",
                )
