"""What an API server serves, read from its aggregated discovery documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onprem_agents.errors import ClusterError

# Aggregated discovery, Kubernetes documentation "Kubernetes API Concepts", v2 since 1.30; read 2026-11.
ACCEPT = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    for version in ("v2", "v2beta1")
)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One served kind, as discovery names it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None) -> str:
        """Return the URL path of the collection, of all namespaces when None."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"


def served(document: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the kinds of one aggregated discovery document."""
    if document.get("kind") != "APIGroupDiscoveryList":
        raise ClusterError("the API server has no aggregated discovery; Kubernetes 1.27 or newer is needed")
    for group in document["items"]:
        for version in group["versions"]:
            for entry in version.get("resources", ()):
                if kind := entry.get("responseKind", {}).get("kind"):
                    yield Resource(
                        group=group.get("metadata", {}).get("name", ""),
                        version=version["version"],
                        kind=kind,
                        plural=entry["resource"],
                        namespaced=entry.get("scope") == "Namespaced",
                    )
