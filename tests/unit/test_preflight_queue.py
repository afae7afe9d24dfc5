"""What would keep Kueue from ever admitting the model servers is told with the line to change."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack
from tests.unit.manifest_samples import FAST, STACK, of_kind, planned
from tests.unit.preflight_samples import PretendedCluster, missing, node

QUEUE = "ClusterQueue shared"
KUEUE = [("kueue.x-k8s.io", "v1beta1", kind) for kind in ("ClusterQueue", "LocalQueue", "ResourceFlavor")]
PLAN = planned(queue={"existingClusterQueue": "shared"}, model={"replicas": 2})
OWN = planned(queue={})


def cluster_with(queue: dict[str, Any] | None) -> PretendedCluster:
    cluster = PretendedCluster()
    cluster.served += KUEUE
    cluster.nodes = [node("gpu-0", gpus=2), node("gpu-1", gpus=2)]
    cluster.objects["ResourceFlavor", "l40s"] = {
        "spec": {"nodeLabels": {"nvidia.com/gpu.product": "NVIDIA-L40S"}}
    }
    if queue is not None:
        cluster.objects["ClusterQueue", "shared"] = queue
    return cluster


def shared(**spec: Any) -> dict[str, Any]:
    """A ClusterQueue as the product itself would make it for these pods, of somebody else."""
    made = deepcopy(of_kind(render(planned(queue={}, model={"replicas": 2})), "ClusterQueue"))
    queue = made["coding-agents-gpu"]
    queue["spec"]["resourceGroups"][0]["flavors"][0]["name"] = "l40s"
    queue["spec"] |= spec
    return {
        "metadata": {"name": "shared", "labels": {}},
        "spec": queue["spec"],
        "status": {"conditions": [{"type": "Active", "status": "True"}]},
    }


def without(queue: dict[str, Any], resource: str) -> dict[str, Any]:
    (group,) = queue["spec"]["resourceGroups"]
    group["coveredResources"].remove(resource)
    (flavor,) = group["flavors"]
    flavor["resources"] = [each for each in flavor["resources"] if each["name"] != resource]
    return queue


def with_quota(queue: dict[str, Any], resource: str, quota: str) -> dict[str, Any]:
    for each in queue["spec"]["resourceGroups"][0]["flavors"][0]["resources"]:
        if each["name"] == resource:
            each["nominalQuota"] = quota
    return queue


def test_a_queue_that_admits_the_pods_lacks_nothing() -> None:
    assert missing(cluster_with(shared()), PLAN) == {}


def test_without_kueue_each_kind_is_named_and_nothing_more_is_asked() -> None:
    found = missing(PretendedCluster(), PLAN)

    assert set(found) == {"LocalQueue (kueue.x-k8s.io/v1beta1)"}
    assert "install Kueue 0.19, or drop platform.queue" in found["LocalQueue (kueue.x-k8s.io/v1beta1)"].fix


def test_a_queue_that_is_not_there_is_named() -> None:
    check = missing(cluster_with(None), PLAN)[QUEUE]

    assert (check.verdict, check.found) == ("missing", "not there")
    assert "platform.queue.existingClusterQueue" in check.fix


def test_a_queue_that_admits_nothing_is_named_with_kueues_own_words() -> None:
    queue = shared()
    queue["status"]["conditions"] = [
        {"type": "Active", "status": "False", "message": "Can't admit new workloads: FlavorNotFound."}
    ]

    assert "FlavorNotFound" in missing(cluster_with(queue), PLAN)[QUEUE].found


def test_a_queue_that_no_controller_has_seen_is_named() -> None:
    queue = shared()
    del queue["status"]

    assert "no controller" in missing(cluster_with(queue), PLAN)[QUEUE].found


@pytest.mark.parametrize("resource", ["ephemeral-storage", "memory", "nvidia.com/gpu"])
def test_a_resource_that_the_queue_does_not_cover_is_named_with_its_line(resource: str) -> None:
    quotas = of_kind(render(planned(queue={}, model={"replicas": 2})), "ClusterQueue")["coding-agents-gpu"]
    needed = {
        each["name"]: each["nominalQuota"]
        for each in quotas["spec"]["resourceGroups"][0]["flavors"][0]["resources"]
    }
    check = missing(cluster_with(without(shared(), resource)), PLAN)[f"{QUEUE}'s resources"]

    assert (check.verdict, check.found) == ("missing", f"it does not cover {resource}")
    if resource != "nvidia.com/gpu":
        assert f"- {{name: {resource}, nominalQuota: {needed[resource]}}}" in check.fix


def test_pods_need_not_be_covered() -> None:
    assert missing(cluster_with(without(shared(), "pods")), PLAN) == {}


def test_too_small_a_quota_for_all_is_doubtful_with_both_numbers() -> None:
    check = missing(cluster_with(with_quota(shared(), "nvidia.com/gpu", "2")), PLAN)[f"{QUEUE}'s quota"]

    assert check.verdict == "doubtful", "one pod is admitted, and others may end"
    assert check.found == "nvidia.com/gpu: 3 for all replicas and an update, the quota is 2"
    assert "- {name: nvidia.com/gpu, nominalQuota: 3}" in check.fix
    assert "SchedulingGated" in check.fix


def test_a_quota_below_one_pod_never_admits() -> None:
    queue = with_quota(shared(), "memory", "1Gi")

    assert missing(cluster_with(queue), PLAN)[f"{QUEUE}'s quota"].verdict == "missing"
    queue["spec"]["cohortName"] = "all"
    borrowing = missing(cluster_with(queue), PLAN)[f"{QUEUE}'s quota"]
    assert borrowing.verdict == "doubtful"
    assert "cohort" in borrowing.fix


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"kubernetes.io/metadata.name": "coding-agents"}}, True),
        ({"matchLabels": {"kubernetes.io/metadata.name": "team-b"}}, False),
        ({"matchLabels": {"team": "agents"}}, True),
        (
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["coding-agents"]}
                ]
            },
            True,
        ),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["batch"]}]}, True),
        ({"matchExpressions": [{"key": "kueue", "operator": "Exists"}]}, False),
    ],
)
def test_a_queue_for_other_namespaces_is_named(selector: dict[str, Any] | None, selects: bool) -> None:
    cluster = cluster_with(shared(namespaceSelector=selector))
    cluster.objects["Namespace", "coding-agents"] = {"metadata": {"labels": {"team": "agents"}}}
    found = missing(cluster, PLAN)

    assert (found == {}) == selects
    if not selects:
        fix = found[f"{QUEUE} for namespace coding-agents"].fix
        assert "{matchLabels: {kubernetes.io/metadata.name: coding-agents}}" in fix


def test_flavors_of_other_nodes_do_not_count() -> None:
    cluster = cluster_with(shared())
    cluster.objects["ResourceFlavor", "l40s"] = {
        "spec": {"nodeLabels": {"nvidia.com/gpu.product": "NVIDIA-A100"}}
    }
    check = missing(cluster, PLAN)[f"{QUEUE}'s flavors"]

    assert check.found == "none of l40s is for the nodes of the pool"
    assert "NVIDIA-L40S" in check.fix


def test_a_flavor_whose_taint_the_pods_do_not_tolerate_does_not_count() -> None:
    cluster = cluster_with(shared())
    cluster.objects["ResourceFlavor", "l40s"] = {
        "spec": {"nodeTaints": [{"key": "spot", "value": "true", "effect": "NoSchedule"}]}
    }

    assert f"{QUEUE}'s flavors" in missing(cluster, PLAN)


def test_a_queue_of_the_name_that_is_to_be_made_is_not_taken_over_unseen() -> None:
    cluster = cluster_with(None)
    cluster.objects["ClusterQueue", "coding-agents-gpu"] = shared() | {
        "metadata": {"name": "coding-agents-gpu", "labels": {"onprem-coding-agents/stack": "test"}}
    }
    assert missing(cluster, OWN) == {}, "its own of an earlier update"
    cluster.objects["ClusterQueue", "coding-agents-gpu"]["metadata"]["labels"] = None

    check = missing(cluster, OWN)["ClusterQueue coding-agents-gpu"]
    assert check.found == "there, of somebody else"
    assert "{existingClusterQueue: coding-agents-gpu}" in check.fix


CONFIGURATION = "apiVersion: config.kueue.x-k8s.io/v1beta1\nintegrations:\n  frameworks: [{}]\n"


def test_a_kueue_that_does_not_look_at_pods_is_doubtful() -> None:
    cluster = cluster_with(None)
    file = "controller_manager_config.yaml"
    cluster.objects["ConfigMap", "kueue-manager-config"] = {
        "data": {file: CONFIGURATION.format("batch/job, pod, deployment")}
    }
    assert missing(cluster, OWN) == {}
    cluster.objects["ConfigMap", "kueue-manager-config"] = {"data": {file: CONFIGURATION.format("batch/job")}}

    check = missing(cluster, OWN)["Kueue's integration of pods"]
    assert (check.verdict, check.found) == ("doubtful", "off; on are batch/job")


@pytest.mark.parametrize("text", ["", "- a list", "integrations: {}", "a: [", "integrations: null"])
def test_a_configuration_that_tells_nothing_is_no_fault(text: str) -> None:
    cluster = cluster_with(None)
    cluster.objects["ConfigMap", "kueue-manager-config"] = {"data": {"controller_manager_config.yaml": text}}

    assert missing(cluster, OWN) == {}


SELECTOR = "managedJobsNamespaceSelector: {matchLabels: {kueue: on}}\n"


@pytest.mark.parametrize(("plan", "verdict"), [(OWN, "doubtful"), (planned(), "missing")])
def test_a_kueue_that_holds_back_what_names_no_queue_is_told(plan: PlatformPlan, verdict: str) -> None:
    cluster = cluster_with(None)
    text = CONFIGURATION.format("pod") + "manageJobsWithoutQueueName: true\n"
    data = {"controller_manager_config.yaml": text}
    cluster.objects["ConfigMap", "kueue-manager-config"] = {"data": data}

    check = missing(cluster, plan)["Kueue's manageJobsWithoutQueueName"]
    assert check.verdict == verdict, "without a queue that is every pod of the stack"
    assert "NotIn, values: [kube-system, kueue-system, coding-agents]" in check.fix

    data["controller_manager_config.yaml"] = text + SELECTOR
    assert missing(cluster, plan) == {}, "it minds other namespaces"


def test_a_stack_without_a_queue_asks_nothing_of_kueue() -> None:
    cluster = cluster_with(None)
    cluster.objects["ConfigMap", "kueue-manager-config"] = {
        "data": {"controller_manager_config.yaml": CONFIGURATION.format("batch/job")}
    }

    assert missing(cluster, planned()) == {}


def test_each_of_two_pools_wants_a_flavor_of_its_own_nodes() -> None:
    pools = [{"accelerator": "L40S", "gpusPerNode": 2}, {"accelerator": "H100", "roles": ["coder"]}]
    raw = {**STACK, "hardware": {"pools": pools}, "models": [*STACK["models"], FAST]}
    plan = plan_stack({**raw, "queue": {"existingClusterQueue": "shared"}}, stack="test")
    made = plan_stack({**raw, "queue": {}}, stack="test")
    queue = shared(**of_kind(render(made), "ClusterQueue")["coding-agents-gpu"]["spec"])
    cluster = cluster_with(queue)
    cluster.nodes.append(node("h100-0", gpus=1, product="NVIDIA-H100-80GB-HBM3"))
    cluster.objects["ResourceFlavor", "coding-agents-l40s"] = cluster.objects["ResourceFlavor", "l40s"]

    told = missing(cluster, plan)
    assert list(told) == ["ClusterQueue shared for the pool h100's flavors"]
    assert "NVIDIA-H100-80GB-HBM3" in told["ClusterQueue shared for the pool h100's flavors"].fix

    cluster.objects["ResourceFlavor", "coding-agents-h100"] = {
        "spec": {"nodeLabels": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}}
    }
    assert missing(cluster, plan) == {}
