"""What would stop a model server's pod is named before it is declared: nodes, quotas, claims, Knative."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.manifest_samples import planned
from tests.unit.preflight_samples import PretendedCluster, missing, node, stack_plan


@pytest.mark.parametrize(
    ("change", "found", "fix"),
    [
        ({"spec": {"unschedulable": True}}, "cordoned", "kubectl uncordon gpu-0"),
        (
            {"spec": {"taints": [{"key": "team", "value": "ml", "effect": "NoSchedule"}]}},
            "taint team=ml:NoSchedule",
            "kubectl taint node gpu-0 team:NoSchedule-",
        ),
    ],
)
def test_what_keeps_pods_off_a_node_is_named(change: dict[str, Any], found: str, fix: str) -> None:
    cluster = PretendedCluster()
    cluster.nodes[0] |= change

    check = missing(cluster, stack_plan())["Node gpu-0"]

    assert found in check.found
    assert fix in check.fix


def test_the_taint_of_gpu_nodes_is_tolerated() -> None:
    cluster = PretendedCluster()
    cluster.nodes[0]["spec"] = {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}

    assert missing(cluster, stack_plan()) == {}


def test_a_node_that_is_not_ready_is_named() -> None:
    cluster = PretendedCluster()
    cluster.nodes[1]["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]

    assert "Ready is Unknown" in missing(cluster, stack_plan())["Node gpu-1"].found


@pytest.mark.parametrize("resource", ["cpu", "memory", "ephemeral_storage"])
def test_a_pod_that_no_node_can_take_is_named_with_the_resource(resource: str) -> None:
    cluster = PretendedCluster()
    cluster.nodes = [node(f"gpu-{index}", gpus=2, **{resource: "1"}) for index in range(2)]

    (found,) = (
        check for name, check in missing(cluster, stack_plan()).items() if name.startswith("room for")
    )

    assert resource.replace("_", "-") in found.found
    assert "tensorParallel" in found.fix


def test_quota_and_limits_of_the_namespace_are_compared_with_what_the_stack_asks() -> None:
    cluster = PretendedCluster()
    cluster.objects["ResourceQuota", "team"] = {
        "spec": {"hard": {"requests.nvidia.com/gpu": "0", "pods": "50"}}
    }
    cluster.objects["LimitRange", "small"] = {
        "spec": {"limits": [{"type": "Container", "max": {"memory": "8Gi"}}]}
    }

    found = missing(cluster, stack_plan())

    assert "requests.nvidia.com/gpu" in found["ResourceQuota team"].found
    assert "pods" not in found["ResourceQuota team"].found
    assert "memory" in found["LimitRange small"].found


def test_a_quota_that_is_large_enough_is_fine() -> None:
    cluster = PretendedCluster()
    cluster.objects["ResourceQuota", "team"] = {
        "spec": {"hard": {"requests.nvidia.com/gpu": "8", "count/pods": "9"}}
    }

    assert missing(cluster, stack_plan()) == {}


def test_a_claim_that_is_not_bound_is_named() -> None:
    cluster = PretendedCluster()
    plan = planned(model={"source": "pvc://models/coder"})
    assert missing(cluster, plan)["PersistentVolumeClaim coding-agents/models"].found == "not there"

    cluster.objects["PersistentVolumeClaim", "models"] = {
        "metadata": {"name": "models"},
        "spec": {"storageClassName": ""},
        "status": {"phase": "Pending"},
    }
    assert missing(cluster, plan)["PersistentVolumeClaim coding-agents/models"].found == "Pending"

    cluster.objects["PersistentVolumeClaim", "models"] = {"status": {"phase": "Bound"}}
    assert "PersistentVolumeClaim coding-agents/models" not in missing(cluster, plan)


def test_secrets_and_accounts_that_a_stack_names_must_be_there() -> None:
    plan = planned(
        serving={"storageSecret": "hf-token", "imagePullSecrets": ["pull"], "serviceAccount": "own-account"}
    )

    assert {
        "Secret coding-agents/hf-token",
        "Secret coding-agents/pull",
        "ServiceAccount coding-agents/own-account",
    } <= set(missing(PretendedCluster(), plan))


def test_knative_must_allow_what_the_pods_ask_for() -> None:
    cluster = PretendedCluster()
    plan = planned(serving={"mode": "Knative"}, model={"source": "pvc://models/coder"})
    needed = {name for name in missing(cluster, plan) if name.startswith("Knative's")}
    assert {
        "Knative's kubernetes.podspec-nodeselector",
        "Knative's kubernetes.podspec-tolerations",
        "Knative's kubernetes.podspec-priorityclassname",
        "Knative's kubernetes.podspec-persistent-volume-claim",
        "Knative's max-revision-timeout-seconds",
    } <= needed

    flags = {name.removeprefix("Knative's "): "Enabled" for name in needed}
    cluster.objects["ConfigMap", "config-features"] = {"data": flags}
    cluster.objects["ConfigMap", "config-defaults"] = {"data": {"max-revision-timeout-seconds": "7200"}}
    assert not any(name.startswith("Knative's") for name in missing(cluster, plan))
