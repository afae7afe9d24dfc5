"""A bare cluster and the real Pulumi engine for the whole session; a stack and a namespace for each test."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded import plugins
from embedded.cluster import BINARIES, Cluster, ClusterNeeds
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import Binary, provision
from tests.provider.stack import Stack

# A custom resource whose status the tests write themselves.
WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.test.example"},
    "spec": {
        "group": "test.example",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    default = Layout.default()
    return Layout(checkout=default.checkout, state=tmp_path_factory.mktemp("state"), cache=default.cache)


@pytest.fixture(scope="session")
def cluster(layout: Layout) -> Iterator[Cluster]:
    """A control plane with one simulated node and nothing of the product in it."""
    cluster = Cluster(layout, provision(layout, BINARIES, Progress()))
    cluster.start(ClusterNeeds(crds=frozenset()), Progress())
    yield cluster
    cluster.stop(Progress())


@pytest.fixture(scope="session")
def client(cluster: Cluster) -> Iterator[KubeWriter]:
    client = cluster.client()
    client.create(WIDGETS)
    yield client
    client.close()


@pytest.fixture(scope="session")
def binaries(layout: Layout) -> dict[str, Binary]:
    """The engine and its provider, with the plugins where the engine looks."""
    binaries = provision(layout, plugins.PROGRAMS, Progress())
    plugins.install(layout, binaries)
    return binaries


@pytest.fixture
def stack(
    cluster: Cluster,
    client: KubeWriter,
    binaries: dict[str, Binary],
    layout: Layout,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """A new stack whose namespace is gone after the test, with everything in it."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    name = f"{words[:40].strip('-')}-{next(_NUMBERS)}"
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    stack = Stack(
        folder=tmp_path / "project",
        name=name,
        namespace=name,
        pulumi=binaries["pulumi"].path,
        environment={
            "KUBECONFIG": str(cluster.kubeconfig),
            "PULUMI_HOME": str(layout.pulumi_home),
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
        plugin_version=binaries["pulumi-kubernetes"].version,
        client=client,
    )
    stack.create()
    yield stack
    client.delete("v1", "Namespace", name)


@pytest.fixture
def foreign(client: KubeWriter, stack: Stack) -> Callable[..., None]:
    """Return a function that creates an object in the stack's namespace behind the stack's back."""

    def create(
        kind: str, name: str, api_version: str = "v1", *, manager: str = "somebody", **body: object
    ) -> None:
        metadata = {"name": name, "namespace": stack.namespace}
        whole = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
        client.create(whole, field_manager=manager)

    return create
