"""Drivers, image volumes and claims against what the stack's pods need."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.cluster.preflight.pods import tolerates
from onprem_agents.manifests import render
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.preflight_samples import PretendedCluster, driver_labels, missing, node

_MAJOR, _MINOR = "nvidia.com/cuda.runtime-version.major", "nvidia.com/cuda.runtime-version.minor"


def _cluster(*drivers: tuple[int, str]) -> PretendedCluster:
    cluster = PretendedCluster()
    cluster.nodes = [node(f"gpu-{index}", gpus=2) for index in range(len(drivers))]
    for each, (branch, cuda) in zip(cluster.nodes, drivers, strict=True):
        each["metadata"]["labels"] |= driver_labels(branch, cuda)
    return cluster


def _driver(cluster: PretendedCluster, **serving: Any) -> tuple[str, str]:
    """Return the verdict on the drivers, and what is said of it."""
    model = {"model": "Qwen/Qwen3-Coder-30B-A3B-Instruct", "context": 32768}  # vLLM has served it since 0.10
    found = missing(cluster, planned(model=model, serving=serving))
    checks = [check for name, check in found.items() if name.startswith("NVIDIA driver")]
    return (checks[0].verdict, f"{checks[0].found} {checks[0].fix}") if checks else ("ok", "")


@pytest.mark.parametrize("vllm", ["0.19.1", "0.33.0"])
def test_a_driver_that_is_newer_than_the_image_is_fine(vllm: str) -> None:
    assert _driver(_cluster((590, "13.1"), (580, "13.0")), vllm=vllm) == ("ok", "")


@pytest.mark.parametrize("vllm", ["0.15.1", "0.16.0"])
def test_an_image_that_prefers_its_own_driver_libraries_bears_no_newer_driver(vllm: str) -> None:
    verdict, told = _driver(_cluster((580, "13.0"), (575, "12.9")), vllm=vllm)

    assert verdict == "doubtful"
    assert "gpu-0: driver 580" in told
    assert "gpu-1" not in told, "a driver of the image's own CUDA is fine"
    assert "platform.serving.vllm to 0.17.1 or later" in told
    assert _driver(_cluster((575, "12.9"), (575, "12.9")), vllm=vllm) == ("ok", "")


def test_a_build_for_an_older_cuda_is_told_by_its_tag() -> None:
    image = "docker.io/vllm/vllm-openai:v0.33.0-cu129"

    assert _driver(_cluster((575, "12.9"), (575, "12.9")), image=image) == ("ok", "")
    assert _driver(_cluster((515, "11.7"), (575, "12.9")), image=image)[0] == "missing"


def test_no_release_is_offered_to_a_driver_that_runs_none() -> None:
    _, told = _driver(_cluster((470, "11.4"), (470, "11.4")))

    assert "upgrade the driver to 580 or later" in told
    assert "platform.serving.vllm" not in told


def test_the_affinity_is_advised_where_enough_other_nodes_are_good() -> None:
    both = _cluster((535, "12.2"), (580, "13.0"))
    three = _cluster((535, "12.2"), (580, "13.0"), (580, "13.0"))

    assert "cudaAffinity" not in _driver(both)[1], "two nodes are needed and one is good"
    assert "cudaAffinity" in _driver(three)[1]
    assert _driver(three, cudaAffinity=True) == ("ok", "")


def test_the_affinity_asks_for_a_newer_major_or_the_same_with_a_minor_that_is_new_enough() -> None:
    def terms(vllm: str) -> Any:
        documents = render(planned(serving={"cudaAffinity": True, "vllm": vllm}))
        pod = of_kind(documents, "InferenceService")["coder"]["spec"]["predictor"]
        required = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        return [each["matchExpressions"] for each in required["nodeSelectorTerms"]]

    assert terms("0.19.1") == [
        [{"key": _MAJOR, "operator": "Gt", "values": ["12"]}],
        [
            {"key": _MAJOR, "operator": "In", "values": ["12"]},
            {"key": _MINOR, "operator": "Gt", "values": ["8"]},
        ],
    ]
    assert terms("0.33.0") == [[{"key": _MAJOR, "operator": "Gt", "values": ["12"]}]]
    without = of_kind(render(planned()), "InferenceService")["coder"]["spec"]["predictor"]
    assert "affinity" not in without


@pytest.mark.parametrize(
    ("runtime", "verdict"),
    [
        ("containerd://2.1.0", None),
        ("containerd://2.2.1-k3s1", None),
        ("containerd://1.7.28", "missing"),
        ("cri-o://1.33.0", None),
        ("cri-o://1.32.4", "missing"),
        ("docker://29.6.2", "missing"),
        ("kwok", "doubtful"),
        ("", "doubtful"),
    ],
)
def test_image_volumes_need_a_runtime_that_mounts_folders_of_them(runtime: str, verdict: str | None) -> None:
    cluster = PretendedCluster()
    for each in cluster.nodes:
        each["status"]["nodeInfo"]["containerRuntimeVersion"] = runtime

    found = missing(cluster, planned(model={"source": "oci://registry.example.internal/coder:1"}))

    check = found.get("image volumes: container runtime")
    assert (check and check.verdict) == verdict
    assert not any(name.startswith("image volumes") for name in missing(cluster, planned())), "nobody asks"


@pytest.mark.parametrize(
    ("kubelet", "verdict"),
    [
        ("v1.36.3", None),
        ("v1.35.0+rke2r1", None),
        ("v1.34.1", "doubtful"),
        ("v1.32.9-eks-1", "missing"),
        ("", "doubtful"),
    ],
)
def test_image_volumes_need_a_kubelet_that_has_them_switched_on(kubelet: str, verdict: str | None) -> None:
    cluster = PretendedCluster()
    cluster.nodes[1]["status"]["nodeInfo"]["kubeletVersion"] = kubelet

    found = missing(cluster, planned(model={"source": "oci://registry.example.internal/coder:1"}))

    check = found.get("image volumes: kubelet")
    assert (check and check.verdict) == verdict
    assert check is None or "gpu-0" not in check.found


@pytest.mark.parametrize(
    ("modes", "replicas", "nodes", "verdict"),
    [
        (["ReadWriteOnce"], 2, 2, "missing"),
        (["ReadWriteOnce"], 2, 1, None),
        (["ReadWriteOnce"], 1, 2, None),
        (["ReadWriteOncePod"], 2, 1, "missing"),
        (["ReadOnlyMany"], 2, 2, None),
        (["ReadWriteOnce", "ReadWriteMany"], 2, 2, None),
    ],
)
def test_a_claim_must_go_to_as_many_nodes_as_have_pods(
    modes: list[str], replicas: int, nodes: int, verdict: str | None
) -> None:
    cluster = PretendedCluster()
    cluster.objects["PersistentVolumeClaim", "models"] = {
        "metadata": {"name": "models"},
        "spec": {"accessModes": modes},
        "status": {"phase": "Bound"},
    }
    model = {"source": "pvc://models/coder", "replicas": replicas, "tensorParallel": 1}
    plan = planned(model=model, hardware={"nodes": nodes})

    check = missing(cluster, plan).get("PersistentVolumeClaim coding-agents/models")

    assert (check and check.verdict) == verdict


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "team", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "team", "value": "ml"}, True),
        ({"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}, True),
        ({"key": "team", "operator": "Equal", "value": "web"}, False),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "team"}, False),
    ],
)
def test_a_taint_is_tolerated_as_kubernetes_says(toleration: dict[str, str], tolerated: bool) -> None:
    taint = {"key": "team", "value": "ml", "effect": "NoSchedule"}

    assert tolerates({"tolerations": [toleration]}, taint) is tolerated
    assert not tolerates({}, taint)
