"""The bare embedded cluster: what it simulates and listens on, how it starts, recovers and stops."""

from __future__ import annotations

import base64
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from embedded.cluster import Cluster, ClusterNeeds, NodeSpec
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.ports import LOOPBACK
from embedded.toolchain import Binary
from onprem_agents.cluster import ApiError, Object
from tests.cluster import manifests
from tests.cluster.looking import (
    PROCESSES,
    SERVING,
    condition,
    eventually,
    listening,
    pids,
    pods,
    status_of,
    wait_ready,
)

if TYPE_CHECKING:
    from tests.cluster.conftest import Notes

pytestmark = pytest.mark.cluster


class _Backend(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers.get("x-developer", "nobody").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test output clean."""


@pytest.fixture(scope="module", autouse=True)
def _demo(client: KubeWriter) -> None:
    client.apply(manifests.namespace(), force=True)


@pytest.fixture(scope="module")
def service(client: KubeWriter) -> str:
    client.apply(manifests.inference_service("coder", gpus=2))
    return "coder"


@pytest.fixture(scope="module")
def edge(bare_cluster: Cluster, client: KubeWriter) -> Iterator[str]:
    """Yield the URL of a gateway with keys, with a backend on the loopback behind it."""
    backend = ThreadingHTTPServer((LOOPBACK, 0), _Backend)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    port = bare_cluster.ports["test-gateway"]
    for manifest in manifests.data_plane(port, backend.server_address[1]):
        client.apply(manifest)
    yield f"http://{LOOPBACK}:{port}"
    backend.shutdown()
    backend.server_close()


def test_kserve_makes_an_inference_service_ready_and_its_pod_runs_on_a_gpu_node(
    client: KubeWriter, service: str
) -> None:
    wait_ready(client, service)

    [pod] = pods(client, service)
    assert pod["status"]["phase"] == "Running"
    assert pod["spec"]["nodeName"] in {"gpu-0", "gpu-1"}, "only these have the GPUs it asks for"


def test_more_gpus_than_a_node_has_stay_pending_with_the_schedulers_own_reason(client: KubeWriter) -> None:
    client.apply(manifests.inference_service("too-big", gpus=8))

    def reason() -> str:
        found = [c for pod in pods(client, "too-big") for c in pod["status"].get("conditions", [])]
        return next((c["message"] for c in found if c["type"] == "PodScheduled"), "")

    eventually(lambda: "3 Insufficient nvidia.com/gpu" in reason(), "the scheduler names the GPUs")
    client.delete(SERVING, "InferenceService", "too-big", manifests.NAMESPACE)
    eventually(lambda: not pods(client, "too-big"), "deletion takes the pod along")


def test_kserves_webhook_refuses_what_the_schema_lets_through(client: KubeWriter) -> None:
    body = manifests.inference_service("bad", gpus=1)
    body["spec"]["predictor"] |= {"minReplicas": 3, "maxReplicas": 1}

    with pytest.raises(ApiError) as caught:
        client.apply(body, dry_run=True)

    assert "admission webhook" in caught.value.message
    assert caught.value.name == "InferenceService demo/bad"


@pytest.mark.usefixtures("edge")
def test_envoy_gateway_accepts_gateway_route_and_policies(client: KubeWriter) -> None:
    gateway = client.wait_until(
        manifests.GATEWAY_API,
        "Gateway",
        "edge",
        manifests.NAMESPACE,
        lambda found: condition(found, "Programmed"),
        timeout_seconds=20,
        what="Programmed",
    )
    assert gateway is not None
    assert condition(gateway, "Accepted")
    assert gateway["status"]["addresses"] == [{"type": "IPAddress", "value": "127.0.0.1"}]
    for kind in ("SecurityPolicy", "ClientTrafficPolicy", "BackendTrafficPolicy"):
        client.wait_until(
            manifests.GROUP,
            kind,
            "edge",
            manifests.NAMESPACE,
            lambda found: any(condition({"status": one}, "Accepted") for one in _parents(found, "ancestors")),
            timeout_seconds=20,
            what="Accepted",
        )
    route = client.get(manifests.GATEWAY_API, "HTTPRoute", "edge", manifests.NAMESPACE)
    [parent] = _parents(route, "parents")
    assert condition({"status": parent}, "Accepted")
    assert condition({"status": parent}, "ResolvedRefs")


def _parents(found: Object | None, key: str) -> list[Object]:
    parents: list[Object] = (found or {}).get("status", {}).get(key, [])
    return parents


def test_the_real_envoy_asks_for_a_key_and_names_the_developer_to_the_backend(edge: str) -> None:
    eventually(lambda: status_of(edge) == 401, "a request without a key is refused")

    assert status_of(edge, authorization="Bearer wrong") == 401
    for headers in ({"authorization": f"Bearer {manifests.KEY}"}, {"x-api-key": manifests.KEY}):
        answer = httpx.get(f"{edge}/v1/models", headers=headers, trust_env=False)
        assert (answer.status_code, answer.text) == (200, "alice")


def test_a_namespace_that_enforces_restricted_refuses_a_privileged_pod(client: KubeWriter) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    client.apply(manifests.namespace("restricted", **labels), force=True)

    with pytest.raises(ApiError, match=r'violates PodSecurity "restricted') as caught:
        client.create(manifests.privileged_pod("restricted"), dry_run=True)

    assert caught.value.status == 403


def test_a_claim_without_a_class_gets_a_volume(client: KubeWriter) -> None:
    client.create(manifests.claim("models"))

    client.wait_until(
        "v1",
        "PersistentVolumeClaim",
        "models",
        manifests.NAMESPACE,
        lambda found: (found or {}).get("status", {}).get("phase") == "Bound",
        timeout_seconds=20,
        what="Bound",
    )


def test_only_kserves_webhook_listens_beyond_the_loopback(bare_cluster: Cluster) -> None:
    beyond = {
        (part.name, int(address.rpartition(":")[2]))
        for part in bare_cluster.parts()
        for address in listening(part.pid)
        if not address.startswith(f"{LOOPBACK}:")
    }

    assert beyond == {("kserve-manager", bare_cluster.ports["kserve-webhook"])}


@pytest.mark.usefixtures("bare_cluster")
def test_keys_and_kubeconfigs_are_closed_to_other_users(layout: Layout) -> None:
    private = [layout.kubeconfig, *layout.cluster.rglob("*.key"), *layout.cluster.glob("kubeconfigs/*")]

    assert len(private) > 5
    open_ones = [file for file in private if file.stat().st_mode & 0o077 and not _in_closed(file, layout)]
    assert open_ones == []


def _in_closed(file: Path, layout: Layout) -> bool:
    folders = [folder for folder in file.parents if folder.is_relative_to(layout.cluster)]
    return any(folder.stat().st_mode & 0o077 == 0 for folder in folders)


@pytest.mark.usefixtures("edge")
def test_a_secret_stands_in_clear_nowhere_below_the_state_folder(layout: Layout) -> None:
    encoded = base64.b64encode(manifests.KEY.encode())
    files = [file for file in layout.state.rglob("*") if file.is_file() and not file.is_symlink()]
    holders = [
        file for file in files if manifests.KEY.encode() in (text := file.read_bytes()) or encoded in text
    ]

    assert any(file.suffix == ".wal" for file in files), "etcd's own files are among them"
    assert holders == []


def test_parts_tell_version_origin_pid_and_memory(
    bare_cluster: Cluster, binaries: Mapping[str, Binary]
) -> None:
    parts = bare_cluster.parts()

    assert {part.name for part in parts} == PROCESSES
    for part in parts:
        assert (part.version, part.origin) == (binaries[part.name].version, binaries[part.name].origin)
        assert part.resident_mib > 10
    assert sum(part.resident_mib for part in parts) < 1.7 * 1024, "the promise is 1.7 GiB in all"


def test_a_second_start_changes_nothing(bare_cluster: Cluster, needs: ClusterNeeds, notes: Notes) -> None:
    before = pids(bare_cluster)

    bare_cluster.start(needs, notes)
    time.sleep(1)  # Envoy Gateway would reload, and Envoy with it, soon after its files were touched

    assert pids(bare_cluster) == before
    assert notes.notes == []


def test_other_nodes_are_made_and_those_no_longer_wanted_go(
    bare_cluster: Cluster, needs: ClusterNeeds, client: KubeWriter, notes: Notes
) -> None:
    other = NodeSpec(name="h100-0", accelerator_label="NVIDIA-H100-80GB-HBM3", memory_mib=81559, gpus=8)
    bare_cluster.start(ClusterNeeds(crds=needs.crds, nodes=(*needs.nodes, other)), notes)

    node = client.get("v1", "Node", "h100-0")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "8"
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert condition(node, "Ready")

    bare_cluster.start(needs, notes)

    assert {node["metadata"]["name"] for node in client.list("v1", "Node")} == {"control", "gpu-0", "gpu-1"}


@pytest.mark.parametrize("victim", sorted(PROCESSES))
def test_the_next_start_repairs_a_killed_process_and_says_so(
    victim: str,
    bare_cluster: Cluster,
    needs: ClusterNeeds,
    client: KubeWriter,
    service: str,
    edge: str,
    notes: Notes,
) -> None:
    before = pids(bare_cluster)
    os.kill(before[victim], signal.SIGKILL)
    eventually(lambda: victim not in pids(bare_cluster), f"{victim} is dead")

    bare_cluster.start(needs, notes)

    after = pids(bare_cluster)
    assert set(after) == PROCESSES
    assert after[victim] != before[victim]
    said = "Envoy had died" if victim == "envoy" else f"{victim} had died"
    assert [note for note in notes.notes if said in note], notes.notes
    wait_ready(client, service)
    eventually(lambda: status_of(edge) == 401, "the gateway is back")
    assert len(pods(client, service)) == 1, "nothing twice"
    part_names = [part.name for part in bare_cluster.parts()]
    assert len(part_names) == len(set(part_names)), "no orphan beside its successor"


def test_a_restart_on_the_same_data_is_quick_and_brings_everything_back(
    bare_cluster: Cluster, needs: ClusterNeeds, client: KubeWriter, service: str, edge: str, notes: Notes
) -> None:
    bare_cluster.stop(notes)
    assert bare_cluster.parts() == []
    assert status_of(edge) == 0
    started = time.monotonic()

    bare_cluster.start(needs, notes)

    assert time.monotonic() - started < 60, "about 5 s on two idle cores; the limit is for busy ones"
    assert notes.notes == [], "a clean stop leaves nothing to repair"
    wait_ready(client, service)
    assert len(pods(client, service)) == 1
    assert status_of(edge) == 401


def test_ports_taken_while_the_cluster_was_down_are_replaced_and_named(
    bare_cluster: Cluster, needs: ClusterNeeds, layout: Layout, edge: str, notes: Notes
) -> None:
    bare_cluster.stop(notes)
    names = ("etcd", "kube-apiserver", "kserve-webhook", "envoy-gateway-xds")
    taken = {name: bare_cluster.ports[name] for name in names}
    others = [socket.create_server((LOOPBACK, port)) for port in taken.values()]
    try:
        bare_cluster.start(needs, notes)
    finally:
        for other in others:
            other.close()

    assert len(notes.notes) == len(names)
    for name, port in taken.items():
        assert bare_cluster.ports[name] != port
        assert [note for note in notes.notes if f"port {port} ({name}) is in use" in note]
    with bare_cluster.client() as client:
        client.apply(manifests.inference_service("coder", gpus=2), dry_run=True)  # through the moved webhook
    eventually(lambda: status_of(edge) == 401, "the gateway is back")
    assert f":{bare_cluster.ports['kube-apiserver']}" in layout.kubeconfig.read_text()
