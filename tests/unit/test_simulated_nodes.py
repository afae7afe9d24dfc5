"""The local cluster's nodes become those that a stack needs, whatever nodes are there."""

from __future__ import annotations

from typing import Any, cast

from embedded.cluster.nodes import CONTROL_NODE, NodeSpec, ensure
from embedded.kube import KubeWriter

SPEC = NodeSpec(name="gpu-0", accelerator_label="NVIDIA-L40S", memory_mib=46068, gpus=2)


class _Cluster:
    """Nodes by name, as an API server keeps them: one that is there cannot be created."""

    def __init__(self, *nodes: dict[str, Any]) -> None:
        self.nodes = {node["metadata"]["name"]: node for node in nodes}

    def list(
        self, _api: str, kind: str, _namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        assert (labels, fields.partition("=")[0]) in (("", ""), ("", "spec.nodeName"))
        return list(self.nodes.values()) if kind == "Node" else []

    def create(self, body: dict[str, Any]) -> None:
        assert body["metadata"]["name"] not in self.nodes, "409 AlreadyExists"
        self.nodes[body["metadata"]["name"]] = body

    def delete(self, _api: str, _kind: str, name: str) -> None:
        del self.nodes[name]


def _ensured(cluster: _Cluster) -> list[str]:
    return ensure(cast("KubeWriter", cluster), [SPEC])


def test_nodes_are_made_once() -> None:
    cluster = _Cluster()

    assert _ensured(cluster) == sorted([CONTROL_NODE, "gpu-0"])
    assert _ensured(cluster) == []


def test_an_empty_node_that_a_stack_left_makes_room_for_the_one_that_is_needed() -> None:
    left = {"metadata": {"name": "gpu-0", "annotations": {"node.alpha.kubernetes.io/ttl": "0"}}, "spec": {}}
    cluster = _Cluster(left, {"metadata": {"name": "gpu-7"}, "spec": {}})

    assert "gpu-0" in _ensured(cluster)
    assert cluster.nodes["gpu-0"]["status"]["allocatable"]["nvidia.com/gpu"] == "2"
    assert "gpu-7" not in cluster.nodes
