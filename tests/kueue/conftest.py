"""One embedded cluster with KServe's and Kueue's controllers, in a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded.cluster import BINARIES, Cluster, ClusterNeeds, NodeSpec
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import present
from tests.kueue.controller import NAME, Kueue

# More GPUs than the queues of the tests let in: what waits, waits for Kueue.
NEEDS = ClusterNeeds(
    crds=frozenset({"kserve", "kueue"}),
    nodes=tuple(
        NodeSpec(name=f"gpu-{index}", accelerator_label="NVIDIA-L40S", memory_mib=46068, gpus=8)
        for index in range(2)
    ),
)


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeWriter]:
    """An administrator's client of the cluster."""
    default = Layout.default()
    wanted = (*BINARIES, NAME)
    binaries = present(default, wanted)
    if missing := sorted(set(wanted) - set(binaries)):
        pytest.skip(f"not built: {', '.join(missing)}; './dev test kueue' builds them first")
    layout = Layout(checkout=default.checkout, state=tmp_path_factory.mktemp("state"), cache=default.cache)
    cluster = Cluster(layout, binaries)
    cluster.start(NEEDS, Progress())
    try:
        with cluster.client() as client:
            kueue = Kueue(layout, cluster.ports, binaries[NAME], client)
            try:
                kueue.start()
                yield client
            finally:
                kueue.stop()
    finally:
        cluster.stop(Progress())
