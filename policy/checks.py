"""The verdict of the policies on plain manifests, before there is an engine or a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .configuration import Configuration
from .graph import Graph, Resource
from .openshift_template import KIND, objects_of
from .table import POLICIES, Level, Pack


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One violation: which policy at which level, which object (kind and name), what fails and what to change."""

    policy: str
    pack: Pack
    level: Level
    resource: str
    message: str
    change: str = ""

    @property
    def told(self) -> str:
        """What fails and what to change, in one text."""
        return f"{self.message} {self.change}".rstrip()


def check_manifests(manifests: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return what every policy finds in a set of Kubernetes manifests, in the order of the table.

    A value of UNKNOWN in a manifest stands for one that is only known at run time.
    """
    return check_graph(graph_of(manifests))


def check_graph(graph: Graph) -> list[Finding]:
    """Return what every policy finds in a graph."""
    return [finding for finding, _ in found_in(graph)]


def found_in(graph: Graph, configuration: Configuration | None = None) -> Iterator[tuple[Finding, Resource]]:
    """Yield what every policy finds in a graph, with the resource that it is about."""
    said = configuration or Configuration()
    for policy in POLICIES:
        level = said.level_of(policy)
        if level is None:
            continue
        for violation in policy.find(graph, said.settings_of(policy)):
            finding = Finding(
                policy=policy.name,
                pack=policy.pack,
                level=level,
                resource=str(violation.resource),
                message=violation.message,
                change=violation.change,
            )
            yield finding, violation.resource


def graph_of(manifests: Iterable[Mapping[str, Any]]) -> Graph:
    """Return manifests as the resources that Pulumi would make of them. Lists and Templates are unfolded."""
    return Graph(resources=tuple(_resource(manifest) for manifest in _flat(manifests)))


def _flat(manifests: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for manifest in manifests:
        if str(manifest.get("kind", "")).endswith("List") and isinstance(manifest.get("items"), list):
            yield from _flat(manifest["items"])
        elif manifest.get("kind") == KIND and isinstance(manifest.get("objects"), list):
            yield from _flat(objects_of(manifest))
        else:
            yield manifest


def _resource(manifest: Mapping[str, Any]) -> Resource:
    version, kind = str(manifest.get("apiVersion", "")), str(manifest.get("kind", ""))
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
    return Resource(
        urn=f"manifest:{version}:{kind}:{namespace}/{name}",
        type=f"kubernetes:{version if '/' in version else f'core/{version}'}:{kind}",
        name=str(name),
        props=manifest,
    )
