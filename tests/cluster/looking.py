"""What the tests of the bare cluster look at: objects, answers, processes, listeners."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from embedded.cluster import Cluster
from embedded.kube import KubeWriter
from onprem_agents.cluster import Object
from tests.cluster import manifests

SERVING = "serving.kserve.io/v1beta1"
# Everything that a whole cluster runs, each once.
PROCESSES = {
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "kserve-manager",
    "envoy-gateway",
    "envoy",
}


def eventually(check: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


def condition(found: Object | None, name: str) -> bool:
    conditions = (found or {}).get("status", {}).get("conditions", [])
    return any(each["type"] == name and each["status"] == "True" for each in conditions)


def wait_ready(client: KubeWriter, name: str) -> None:
    client.wait_until(
        SERVING,
        "InferenceService",
        name,
        manifests.NAMESPACE,
        lambda found: condition(found, "Ready"),
        timeout_seconds=30,
        what="READY",
    )


def pods(client: KubeWriter, service: str) -> list[Object]:
    labels = f"serving.kserve.io/inferenceservice={service}"
    return client.list("v1", "Pod", manifests.NAMESPACE, labels=labels)


def status_of(url: str, **headers: str) -> int:
    try:
        return httpx.get(f"{url}/v1/models", headers=headers, trust_env=False).status_code
    except httpx.TransportError:
        return 0


def pids(cluster: Cluster) -> dict[str, int]:
    return {part.name: part.pid for part in cluster.parts()}


def listening(pid: int) -> set[str]:
    """Return the local addresses on which a process listens, from /proc (proc(5): state 0A is LISTEN)."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes |= set(re.findall(r"socket:\[(\d+)\]", str(descriptor.readlink())))
        except OSError:
            continue
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                raw, port = fields[1].split(":")
                words = [bytes.fromhex(raw[at : at + 8])[::-1] for at in range(0, len(raw), 8)]
                found.add(f"{socket.inet_ntop(family, b''.join(words))}:{int(port, 16)}")
    return found


def gone(client: KubeWriter, *namespaces: str) -> bool:
    return all(client.find("v1", "Namespace", each) is None for each in namespaces)
