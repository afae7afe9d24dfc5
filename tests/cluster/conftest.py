"""One embedded cluster for the whole session, in a state folder of its own, and what programs in it need."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Iterator, Mapping

import pytest

from embedded import plugins
from embedded.cluster import BINARIES, Cluster, ClusterNeeds, NodeSpec
from embedded.cluster.tls import give_certificate
from embedded.engine import Engine
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.ports import Ports
from embedded.progress import Progress
from embedded.toolchain import Binary, provision
from tests.cluster.looking import eventually, gone
from tests.toolchain.installed import Environment, build_wheel, copy_sources

NEEDS = ClusterNeeds(
    crds=frozenset({"kserve", "gateway-api", "envoy-gateway"}),
    nodes=tuple(
        NodeSpec(name=f"gpu-{index}", accelerator_label="NVIDIA-L40S", memory_mib=46068, gpus=4)
        for index in range(2)
    ),
)


CERTIFICATES = "certificates"
Certificate = Callable[[str], ssl.SSLContext]


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


@pytest.fixture(scope="module")
def client(bare_cluster: Cluster) -> Iterator[KubeWriter]:
    """A client for one module: a test may move the API server to another port."""
    client = bare_cluster.client()
    yield client
    client.close()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and what it depends on, and nothing of the checkout."""
    wheel = build_wheel(copy_sources(tmp_path_factory.mktemp("source")))
    environment = Environment.make(tmp_path_factory.mktemp("installed") / "venv")
    environment.install(wheel)
    return environment


@pytest.fixture(scope="session")
def variables(
    bare_cluster: Cluster, installed: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """The environment variables with which `pulumi` runs programs there."""
    default = Layout.default()
    engine = Layout(checkout=default.checkout, state=tmp_path_factory.mktemp("engine"), cache=default.cache)
    binaries = provision(engine, plugins.PROGRAMS, Progress())
    plugins.install(engine, binaries)
    for launcher in engine.pulumi_home.glob(f"plugins/*/{plugins.LANGUAGE_HOST}"):
        # The official host starts the Python that Pulumi.yaml names; the stand-in runs programs on its own.
        text = launcher.read_text(encoding="utf-8")
        launcher.write_text(text.replace(sys.executable, str(installed.folder / "bin" / "python")))
    return Engine(engine, binaries).environment | {
        "KUBECONFIG": str(bare_cluster.kubeconfig),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_SKIP_CONFIRMATIONS": "true",
    }


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> int:
    return Ports(tmp_path_factory.mktemp("ports") / "ports.json")["gateway"]


@pytest.fixture(scope="module")
def certificate(client: KubeWriter, layout: Layout) -> Iterator[Certificate]:
    """Return how a host gets the Secret that the examples expect."""

    def give(host: str) -> ssl.SSLContext:
        authority = give_certificate(
            client, layout.cluster, host=host, name="agents-tls", namespace=CERTIFICATES
        )
        return ssl.create_default_context(cafile=str(authority))

    yield give
    client.delete("v1", "Namespace", CERTIFICATES)
    eventually(lambda: gone(client, CERTIFICATES), "the certificate's namespace is gone")
