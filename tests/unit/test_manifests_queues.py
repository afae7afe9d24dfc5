"""Kueue admits every model server of every stack: its queue covers whatever any of its pods asks for."""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import Manifest, pool_bundles, render, server_bundles
from onprem_agents.plan import plan_stack
from onprem_agents.plan.plan_parts import plan_pool, plan_server
from onprem_agents.plan.pod_requests import pod_requests
from tests.unit.kueue_rules import GPU, never_admitted, quotas_of, requests_of
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.stack_generator import stack

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("stacks/Pulumi.*.yaml"), *ROOT.glob("tests/golden/features/Pulumi.*.yaml")])
STACKS_TRIED = 300


def queued(raw: dict[str, Any]) -> list[Manifest]:
    """Render a stack with a queue of its own."""
    given = raw.get("queue")
    queue = {key: value for key, value in (given or {}).items() if key != "existingClusterQueue"}
    return render(plan_stack(raw | {"queue": queue}, stack="test"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem.removeprefix("Pulumi.") for file in FILES])
def test_kueue_admits_all_replicas_and_the_pods_of_an_update_of_every_stack(file: Path) -> None:
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]["onprem-coding-agents:platform"]

    assert never_admitted(queued(raw)) == []


def test_kueue_admits_whatever_stack_is_made_up() -> None:
    rendered = 0
    for seed in range(STACKS_TRIED):
        raw = stack(seed)
        try:
            objects = queued(raw) if isinstance(raw.get("queue") or {}, dict) else []
        except InvalidInput:
            continue
        if objects:
            rendered += 1
            assert never_admitted(objects) == [], (seed, raw)

    assert rendered > STACKS_TRIED // 10, f"{rendered} rendered: that tries little"


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
@pytest.mark.parametrize(
    "source", ["hf://Qwen/Qwen3.6-27B-FP8", "pvc://models/coder", "oci://registry.example/m:1"]
)
def test_weights_and_mode_change_what_is_asked_for_and_never_what_is_admitted(mode: str, source: str) -> None:
    plan = planned(
        queue={}, serving={"mode": mode}, model={"source": source, "replicas": 2}, second_role=True
    )

    assert never_admitted(render(plan)) == []


@pytest.mark.parametrize("resource", ["cpu", "ephemeral-storage", "memory", GPU, "pods"])
def test_one_resource_that_the_queue_does_not_cover_would_be_noticed(resource: str) -> None:
    objects = deepcopy(render(planned(queue={})))
    (group,) = of_kind(objects, "ClusterQueue")["coding-agents-gpu"]["spec"]["resourceGroups"]
    group["coveredResources"].remove(resource)
    group["flavors"][0]["resources"] = [
        each for each in group["flavors"][0]["resources"] if each["name"] != resource
    ]

    assert never_admitted(objects) == [f"coding-agents-gpu does not cover {resource}"]


def test_a_server_outside_of_the_queue_would_be_noticed() -> None:
    objects = deepcopy(render(planned(queue={})))
    del of_kind(objects, "InferenceService")["coder"]["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]

    assert never_admitted(objects) == ["coder is in no queue"]


def test_a_surge_pod_of_each_role_finds_quota_and_the_pools_gpus_are_the_limit() -> None:
    plan = planned(queue={}, second_role=True, hardware={"accelerator": "H100", "gpusPerNode": 4})
    objects = render(plan)
    quotas = quotas_of(of_kind(objects, "ClusterQueue")["coding-agents-gpu"])
    coder, fast = (requests_of(each) for each in of_kind(objects, "InferenceService").values())

    assert [server.most_pods for server in plan.server_parts] == [2, 2]
    assert quotas == {name: 2 * (coder[name] + fast[name]) for name in coder} | {GPU: 8, "pods": 4}


def test_knative_starts_all_pods_of_an_update_beside_the_old_ones() -> None:
    plan = planned(queue={}, serving={"mode": "Knative"}, model={"replicas": 2})
    quotas = quotas_of(of_kind(render(plan), "ClusterQueue")["coding-agents-gpu"])

    assert quotas["pods"] == 4
    assert quotas["cpu"] == 4 * (plan.main.resources.cpus + Fraction(25, 1000)), (
        "each with Knative's queue-proxy"
    )


def test_a_pool_that_stands_alone_admits_whatever_finds_its_gpus() -> None:
    arguments = {"namespace": "team-a", "accelerator": "B300", "gpusPerNode": 8, "nodes": 1}
    part = plan_pool(arguments | {"queue": {}}, stack="test", source="test")
    objects = [each.manifest for bundle in pool_bundles(part) for each in bundle.objects]
    quotas = quotas_of(of_kind(objects, "ClusterQueue")["team-a-gpu"])
    planned_models = 0
    for model in load_catalog().models:
        try:
            server = plan_server(
                arguments | {"role": "coder", "model": model.name, "localQueue": "coding-agents"},
                stack="test",
                source="test",
            )
        except InvalidInput:
            continue
        planned_models += 1
        (service,) = (
            each.manifest
            for bundle in server_bundles(server)
            for each in bundle.objects
            if each.manifest["kind"] == "InferenceService"
        )
        pod = requests_of(service)
        share = pod[GPU] / quotas[GPU]
        assert {name for name, asked in pod.items() if asked > quotas[name] * share} == set(), model.name

    assert planned_models > 20


def test_an_existing_clusterqueue_is_named_and_nothing_of_it_is_made() -> None:
    objects = render(planned(queue={"existingClusterQueue": "gpu-shared", "localQueue": "agents"}))

    assert of_kind(objects, "LocalQueue")["agents"]["spec"] == {"clusterQueue": "gpu-shared"}
    assert of_kind(objects, "ClusterQueue") == {}
    assert of_kind(objects, "ResourceFlavor") == {}
    labels = of_kind(objects, "InferenceService")["coder"]["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "agents"


def test_two_names_of_a_clusterqueue_are_one_too_many() -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(queue={"clusterQueue": "mine", "existingClusterQueue": "theirs"})
    (problem,) = caught.value.problems

    assert (problem.where, problem.cause) == ("platform.queue", "contradiction")
    assert "mine" in problem.found
    assert "theirs" in problem.found
    assert "existingClusterQueue" in problem.fix


def test_the_flavor_carries_the_namespace_as_well() -> None:
    first, second = (render(planned(queue={}, namespace=each)) for each in ("team-a", "team-b"))

    assert list(of_kind(first, "ResourceFlavor")) == ["team-a-l40s"]
    assert list(of_kind(second, "ResourceFlavor")) == ["team-b-l40s"]


CONTAINER = {"resources": {"requests": {"cpu": "2", "memory": "1Gi"}}}
SIDECAR = {"restartPolicy": "Always", "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}}}
FIRST = {"resources": {"requests": {"cpu": "3", "ephemeral-storage": "1Gi"}}}


@pytest.mark.parametrize(
    ("pod", "cpu"),
    [
        ({"containers": [CONTAINER, CONTAINER]}, Fraction(4)),
        ({"containers": [CONTAINER], "initContainers": [FIRST]}, Fraction(3)),
        ({"containers": [CONTAINER], "initContainers": [SIDECAR]}, Fraction(5, 2)),
        ({"containers": [CONTAINER], "initContainers": [SIDECAR, FIRST]}, Fraction(7, 2)),
        ({"containers": [CONTAINER], "initContainers": [FIRST, SIDECAR]}, Fraction(3)),
        ({"containers": [CONTAINER], "overhead": {"cpu": "250m"}}, Fraction(9, 4)),
        ({"containers": [{"resources": {"limits": {"cpu": "4"}}}]}, Fraction(4)),
        ({"containers": [{}]}, None),
    ],
)
def test_a_pods_request_is_what_kubernetes_adds_up(pod: dict[str, Any], cpu: Fraction | None) -> None:
    assert pod_requests(pod).get("cpu") == cpu


def test_what_only_an_init_container_asks_for_is_asked_for() -> None:
    asked = pod_requests({"containers": [CONTAINER], "initContainers": [FIRST]})

    assert asked == {"cpu": 3, "memory": 2**30, "ephemeral-storage": 2**30}


def test_a_pods_limits_are_added_up_alike_and_requests_do_not_count_as_limits() -> None:
    pod = {"containers": [{"resources": {"limits": {"cpu": "4"}, "requests": {"cpu": "2", "memory": "1Gi"}}}]}

    assert pod_requests(pod) == {"cpu": 2, "memory": 2**30}
    assert pod_requests({**pod, "initContainers": [SIDECAR]}, "limits") == {"cpu": 4}
