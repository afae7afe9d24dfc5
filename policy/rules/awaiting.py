"""servers-are-awaited: a deployment that does not wait for its server says nothing about it."""

from __future__ import annotations

from collections.abc import Iterator

from ..graph import Graph, Violation
from ..operation import Told, about_each
from ..serving import Server, servers

_SKIP = "pulumi.com/skipAwait"


def servers_are_awaited(graph: Graph) -> list[Violation]:
    """Pulumi waits for a model server. Advisory; what is only known at run time proves nothing.

    Source: Pulumi's Kubernetes provider 4.25, annotations of resources; read 2026-11.
    """
    return about_each(servers(graph), _unawaited)


def _unawaited(server: Server) -> Iterator[Told]:
    if str(server.resource.annotation(_SKIP)).lower() == "true":
        yield Told(
            f"has {_SKIP}: true: the deployment succeeds before its model is loaded, and also where it never is",
            "Remove it; for a KServe object set pulumi.com/waitFor: condition=Ready, and pulumi.com/timeoutSeconds to"
            " what the model takes to load.",
        )
