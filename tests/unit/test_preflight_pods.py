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


def test_knative_must_allow_what_nodes_and_image_volumes_add() -> None:
    source = {"source": "oci://registry.example.internal/coder:1"}
    plan = planned(serving={"mode": "Knative", "cudaAffinity": True}, model=source)

    needed = set(missing(PretendedCluster(), plan))

    assert {"Knative's kubernetes.podspec-affinity", "Knative's kubernetes.podspec-volumes-image"} <= needed


def test_a_cap_that_is_no_number_is_read_as_knative_does() -> None:
    cluster = PretendedCluster()
    cluster.objects["ConfigMap", "config-defaults"] = {"data": {"max-revision-timeout-seconds": "soon"}}

    found = missing(cluster, planned(serving={"mode": "Knative"}, timeouts={"longestTurnSeconds": 900}))

    assert found["Knative's max-revision-timeout-seconds"].found == "600"


def test_nodes_that_make_up_for_a_bad_one_make_it_doubtful() -> None:
    cluster = PretendedCluster()
    cluster.nodes.append(node("gpu-2", gpus=2) | {"spec": {"unschedulable": True}})

    check = missing(cluster, planned())["Node gpu-2"]

    assert (check.verdict, "others of the pool are enough" in check.found) == ("doubtful", True)
    cluster.nodes[0]["spec"] = {"unschedulable": True}
    assert missing(cluster, planned())["Node gpu-2"].verdict == "missing", "two are needed"


@pytest.mark.parametrize("key", ["not-ready", "unschedulable", "memory-pressure"])
def test_a_taint_of_a_state_is_told_by_the_state_alone(key: str) -> None:
    cluster = PretendedCluster()
    cluster.nodes[0]["spec"] = {"taints": [{"key": f"node.kubernetes.io/{key}", "effect": "NoSchedule"}]}

    assert missing(cluster, stack_plan()) == {}


def test_a_gpu_taint_that_evicts_is_not_tolerated() -> None:
    cluster = PretendedCluster()
    cluster.nodes[0]["spec"] = {"taints": [{"key": "nvidia.com/gpu", "effect": "NoExecute"}]}

    assert "NoExecute" in missing(cluster, stack_plan())["Node gpu-0"].found


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        ({"type": "Container", "max": {"memory": "8Gi"}}, "memory: a container needs"),
        ({"type": "Pod", "max": {"nvidia.com/gpu": "0"}}, "nvidia.com/gpu: a pod needs 1"),
        ({"type": "Container", "min": {"cpu": "100"}}, "cpu: a container asks for"),
        ({"type": "Container", "max": {"cpu": "500"}, "min": {"cpu": "1"}}, None),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, None),
    ],
)
def test_each_kind_of_limit_is_held_against_what_it_is_about(
    limit: dict[str, Any], found: str | None
) -> None:
    cluster = PretendedCluster()
    cluster.objects["LimitRange", "team"] = {"spec": {"limits": [limit]}}

    check = missing(cluster, stack_plan()).get("LimitRange team")

    assert (check is None) if found is None else (check is not None and found in check.found)


def test_a_quota_of_objects_is_compared_with_how_many_there_are() -> None:
    cluster = PretendedCluster()
    hard = {"count/inferenceservices.serving.kserve.io": "0", "configmaps": "100"}
    cluster.objects["ResourceQuota", "team"] = {"spec": {"hard": hard}}

    found = missing(cluster, stack_plan())["ResourceQuota team"]

    assert found.found == "count/inferenceservices.serving.kserve.io: the stack needs 1, the quota is 0"


def test_a_quota_with_a_scope_may_be_about_others() -> None:
    cluster = PretendedCluster()
    cluster.objects["ResourceQuota", "team"] = {"spec": {"hard": {"pods": "0"}, "scopes": ["BestEffort"]}}

    assert missing(cluster, stack_plan())["ResourceQuota team"].verdict == "doubtful"


@pytest.mark.parametrize(
    ("spec", "classes", "verdict", "found"),
    [
        ({"storageClassName": "fast"}, {}, "missing", "its StorageClass fast is not there"),
        ({}, {"fast": {}}, "missing", "none is the default; there are: fast"),
        ({}, {}, "missing", "none at all"),
        ({"storageClassName": ""}, {}, "missing", "Pending"),
        ({"storageClassName": "fast"}, {"fast": {}}, "missing", "Pending"),
        (
            {"storageClassName": "fast"},
            {"fast": {"volumeBindingMode": "WaitForFirstConsumer"}},
            "doubtful",
            "nothing was written there yet",
        ),
    ],
)
def test_a_claim_without_a_volume_is_told_why(
    spec: dict[str, Any], classes: dict[str, Any], verdict: str, found: str
) -> None:
    cluster = PretendedCluster()
    cluster.objects |= {("StorageClass", name): one for name, one in classes.items()}
    cluster.objects["PersistentVolumeClaim", "models"] = {
        "metadata": {"name": "models"},
        "spec": spec,
        "status": {"phase": "Pending"},
    }

    check = missing(cluster, planned(model={"source": "pvc://models/coder"}))[
        "PersistentVolumeClaim coding-agents/models"
    ]

    assert check.verdict == verdict
    assert found in check.found


def _pod(name: str, gpus: int, **spec: Any) -> dict[str, Any]:
    container = {"resources": {"requests": {"nvidia.com/gpu": str(gpus)}}}
    return {
        "metadata": {"name": name, "namespace": "others"},
        "spec": {"nodeName": "gpu-0", "containers": [container], **spec},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "doubtful"),
        ({"spec": {"priority": 200_000}}, "missing"),
        ({"spec": {"nodeName": "elsewhere"}}, None),
        ({"spec": {"nodeName": None}}, None),
        ({"status": {"phase": "Succeeded"}}, None),
        (
            {
                "metadata": {
                    "namespace": "coding-agents",
                    "labels": {"onprem-coding-agents/stack": "test"},
                }
            },
            None,
        ),
    ],
)
def test_pods_of_others_are_in_the_way_where_they_stay(changed: dict[str, Any], verdict: str | None) -> None:
    cluster = PretendedCluster()
    pod = _pod("training", 2)
    for part, values in changed.items():
        pod[part] |= values
    cluster.pods = [pod]
    plan = planned(model={"replicas": 2, "tensorParallel": 2})

    check = missing(cluster, plan).get("room beside other pods")

    assert (check and check.verdict) == verdict
    if verdict is not None:
        assert "training on gpu-0 (2 × nvidia.com/gpu)" in str(check)


def test_the_type_of_the_gateways_service_decides_whether_it_waits_for_an_address() -> None:
    cluster = PretendedCluster()
    cluster.objects["Service", "ingress"] = {"spec": {"type": "LoadBalancer"}, "status": {}}
    reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "shared"}
    cluster.objects["GatewayClass", "envoy-gateway"]["spec"] = {"parametersRef": reference}
    assert "addresses for LoadBalancer Services" in missing(cluster, stack_plan())

    service = {"provider": {"type": "Kubernetes", "kubernetes": {"envoyService": {"type": "NodePort"}}}}
    cluster.objects["EnvoyProxy", "shared"] = {"spec": service}
    assert missing(cluster, stack_plan()) == {}
