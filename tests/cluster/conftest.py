"""One embedded cluster for the whole session, in a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from embedded.cluster import BINARIES, Cluster, ClusterNeeds, NodeSpec
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import Binary, provision

NEEDS = ClusterNeeds(
    crds=frozenset({"kserve", "gateway-api", "envoy-gateway"}),
    nodes=tuple(
        NodeSpec(name=f"gpu-{index}", accelerator_label="NVIDIA-L40S", memory_mib=46068, gpus=4)
        for index in range(2)
    ),
)


class Notes(Progress):
    """Progress that remembers its notes."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
        super().note(text)


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    default = Layout.default()
    return Layout(checkout=default.checkout, state=tmp_path_factory.mktemp("state"), cache=default.cache)


@pytest.fixture(scope="session")
def binaries(layout: Layout) -> Mapping[str, Binary]:
    return provision(layout, BINARIES, Progress())


@pytest.fixture(scope="session")
def needs() -> ClusterNeeds:
    return NEEDS


@pytest.fixture(scope="session")
def bare_cluster(layout: Layout, binaries: Mapping[str, Binary]) -> Iterator[Cluster]:
    """The embedded cluster with nothing of the product in it."""
    cluster = Cluster(layout, binaries)
    cluster.start(NEEDS, Progress())
    yield cluster
    cluster.stop(Progress())
    assert cluster.parts() == [], "the session's cluster left processes behind"


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture(scope="session")
def client(bare_cluster: Cluster) -> Iterator[KubeWriter]:
    client = bare_cluster.client()
    yield client
    client.close()
