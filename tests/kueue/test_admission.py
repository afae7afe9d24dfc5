"""Kueue's own controller admits what the product declares, and holds back what is beyond the quota."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, cast

import pytest

from embedded.kube import KubeWriter
from onprem_agents.cluster import Object
from onprem_agents.cluster.preflight.queue import check_queue
from onprem_agents.manifests import Manifest, render, server_bundles
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.plan_parts import plan_server
from tests.cluster.looking import eventually
from tests.unit.manifest_samples import of_kind, planned

KUEUE = "kueue.x-k8s.io/v1beta1"
# Nothing in front of the servers is installed here.
ELSEWHERE = ("gateway.networking.k8s.io", "gateway.envoyproxy.io", "cert-manager.io")
SECONDS = 60.0


def declare(client: KubeWriter, objects: Sequence[Manifest]) -> None:
    for each in objects:
        if each["apiVersion"].partition("/")[0] not in ELSEWHERE:
            client.apply(each, force=True)


def pods(client: KubeWriter, namespace: str, service: str) -> list[Object]:
    return client.list("v1", "Pod", namespace, labels=f"serving.kserve.io/inferenceservice={service}")


def gated(pod: Object) -> bool:
    gates = {each["name"] for each in pod["spec"].get("schedulingGates") or []}
    reasons = {each.get("reason") for each in pod["status"].get("conditions") or []}
    return (
        "kueue.x-k8s.io/admission" in gates and "SchedulingGated" in reasons and "nodeName" not in pod["spec"]
    )


def running(pod: Object) -> bool:
    return pod["status"].get("phase") == "Running" and not pod["spec"].get("schedulingGates")


def wait_running(client: KubeWriter, namespace: str, service: str, count: int = 1) -> list[Object]:
    eventually(
        lambda: len([pod for pod in pods(client, namespace, service) if running(pod)]) == count,
        f"{count} pods of {namespace}/{service} run",
        seconds=SECONDS,
    )
    return [pod for pod in pods(client, namespace, service) if running(pod)]


def told(client: KubeWriter, namespace: str, service: str) -> str:
    """Return why Kueue does not reserve quota for the pods of a server, in its own words."""
    names = {pod["metadata"]["name"] for pod in pods(client, namespace, service)}
    return " ".join(
        each["message"]
        for workload in client.list(KUEUE, "Workload", namespace)
        if {owner["name"] for owner in workload["metadata"].get("ownerReferences") or []} & names
        for each in workload.get("status", {}).get("conditions") or []
        if each["type"] == "QuotaReserved" and each["status"] == "False"
    )


def admitted(client: KubeWriter, cluster_queue: str) -> int:
    return int(client.get(KUEUE, "ClusterQueue", cluster_queue)["status"]["admittedWorkloads"])


def another_server(namespace: str) -> list[Manifest]:
    """Render a server beside a stack's, in its queue."""
    part = plan_server(
        {
            "role": "writer",
            "model": "google/gemma-4-E4B-it",
            "context": 65536,
            "namespace": namespace,
            "accelerator": "L40S",
            "gpusPerNode": 2,
            "localQueue": "coding-agents",
        },
        stack="test",
        source="test",
    )
    return [each.manifest for bundle in server_bundles(part) for each in bundle.objects]


def preflight_of(client: KubeWriter, plan: PlatformPlan) -> dict[str, str]:
    checks = check_queue(plan, render(plan), client)
    return {check.name: check.found for check in checks if check.verdict != "ok"}


@pytest.mark.parametrize("source", [None, "oci://registry.example/models/coder:1"])
def test_a_model_server_is_admitted_and_runs(client: KubeWriter, source: str | None) -> None:
    namespace = "admitted-image" if source else "admitted-download"
    plan = planned(
        queue={}, namespace=namespace, model={"replicas": 2} | ({"source": source} if source else {})
    )

    declare(client, render(plan))

    found = wait_running(client, namespace, "coder", 2)
    assert {pod["metadata"]["labels"]["kueue.x-k8s.io/managed"] for pod in found} == {"true"}, (
        "Kueue let it in"
    )
    assert {pod["spec"]["nodeName"] for pod in found} <= {"gpu-0", "gpu-1"}
    eventually(lambda: admitted(client, f"{namespace}-gpu") == 2, "Kueue counts them", seconds=SECONDS)
    assert preflight_of(client, plan) == {}


def test_a_new_version_is_admitted_beside_the_old_one(client: KubeWriter) -> None:
    old = planned(queue={}, namespace="update", second_role=True, hardware={"gpusPerNode": 4})
    new = planned(
        queue={},
        namespace="update",
        second_role=True,
        hardware={"gpusPerNode": 4},
        timeouts={"loadBudgetSeconds": 3000},
    )
    declare(client, render(old))
    before = {
        pod["metadata"]["name"] for role in ("coder", "fast") for pod in wait_running(client, "update", role)
    }

    assert {server.serving.rollout.max_surge for server in new.server_parts} == {1}, (
        "it starts before the old one ends"
    )
    declare(client, render(new))

    def replaced() -> bool:
        now = [pod for role in ("coder", "fast") for pod in pods(client, "update", role)]
        names = {pod["metadata"]["name"] for pod in now}
        return len(now) == 2 and not names & before and all(map(running, now))

    eventually(replaced, "both servers are replaced", seconds=SECONDS)


def test_kueue_lets_no_running_server_into_a_queue_so_it_is_made_anew(client: KubeWriter) -> None:
    before, after = planned(namespace="late"), planned(queue={}, namespace="late")
    declare(client, render(before))
    (outside,) = wait_running(client, "late", "coder")
    assert "kueue.x-k8s.io/managed" not in outside["metadata"]["labels"]
    eventually(
        lambda: (
            client.get("apps/v1", "Deployment", "coder-predictor", "late")["status"].get("readyReplicas") == 1
        ),
        "the Deployment says so too: before that Kueue takes the change",
    )

    declare(client, render(after))

    def refused() -> bool:
        events = client.list("v1", "Event", "late")
        return any("queue-name" in each["message"] and "immutable" in each["message"] for each in events)

    eventually(refused, "KServe tells that Kueue refuses the change", seconds=SECONDS)
    assert [pod["metadata"]["name"] for pod in pods(client, "late", "coder")] == [outside["metadata"]["name"]]

    client.delete("serving.kserve.io/v1beta1", "InferenceService", "coder", "late")
    eventually(lambda: pods(client, "late", "coder") == [], "it is gone", seconds=SECONDS)
    declare(client, render(after))
    (inside,) = wait_running(client, "late", "coder")
    assert inside["metadata"]["labels"]["kueue.x-k8s.io/managed"] == "true"


def test_a_server_beyond_the_quota_waits_until_another_one_goes(client: KubeWriter) -> None:
    plan = planned(queue={}, namespace="full", model={"replicas": 4})
    declare(client, render(plan))
    wait_running(client, "full", "coder", 4)

    declare(client, another_server("full"))

    eventually(lambda: "nvidia.com/gpu" in told(client, "full", "writer"), "Kueue says why", seconds=SECONDS)
    assert [gated(pod) for pod in pods(client, "full", "writer")] == [True], "though nodes have GPUs left"

    client.delete("serving.kserve.io/v1beta1", "InferenceService", "coder", "full")
    wait_running(client, "full", "writer")


def test_a_resource_that_the_queue_does_not_cover_keeps_the_pods_out_for_ever(client: KubeWriter) -> None:
    plan = planned(queue={}, namespace="uncovered")
    objects = render(plan)
    faulty = deepcopy(objects)
    (group,) = of_kind(faulty, "ClusterQueue")["uncovered-gpu"]["spec"]["resourceGroups"]
    group["coveredResources"].remove("ephemeral-storage")
    group["flavors"][0]["resources"] = [
        each for each in group["flavors"][0]["resources"] if each["name"] != "ephemeral-storage"
    ]

    declare(client, faulty)

    eventually(
        lambda: "ephemeral-storage" in told(client, "uncovered", "coder"), "Kueue says why", seconds=SECONDS
    )
    assert [gated(pod) for pod in pods(client, "uncovered", "coder")] == [True]

    declare(client, objects)
    wait_running(client, "uncovered", "coder")


def test_an_existing_queue_is_used_once_preflight_finds_nothing_to_say(client: KubeWriter) -> None:
    plan = planned(queue={"existingClusterQueue": "shared"}, namespace="guest")
    made = deepcopy(of_kind(render(planned(queue={})), "ClusterQueue")["coding-agents-gpu"])
    spec = made["spec"] | {"namespaceSelector": {"matchLabels": {"team": "agents"}}}
    shared = {"apiVersion": KUEUE, "kind": "ClusterQueue", "metadata": {"name": "shared"}, "spec": spec}
    flavor = {
        "apiVersion": KUEUE,
        "kind": "ResourceFlavor",
        "metadata": {"name": spec["resourceGroups"][0]["flavors"][0]["name"]},
        "spec": {},
    }
    assert preflight_of(client, plan) == {"ClusterQueue shared": "not there"}
    declare(client, [shared])
    eventually(lambda: bool(client.get(KUEUE, "ClusterQueue", "shared").get("status")), "Kueue has seen it")
    found = preflight_of(client, plan)
    assert "not active" in found["ClusterQueue shared"], "its flavor is not there"
    assert "namespaceSelector" in found["ClusterQueue shared for namespace guest"]

    client.apply(flavor, force=True)
    client.apply(cast("dict[str, Any]", shared | {"spec": spec | {"namespaceSelector": {}}}), force=True)
    eventually(lambda: preflight_of(client, plan) == {}, "preflight has nothing to say")
    declare(client, render(plan))

    wait_running(client, "guest", "coder")
    eventually(lambda: admitted(client, "shared") == 1, "Kueue counts it", seconds=SECONDS)
