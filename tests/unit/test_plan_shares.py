"""Shares of GPUs by HAMi: sized as what a pod gets, asked for by the platform's resource, and never together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from embedded.needs import cluster_needs
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import Bundle, pool_bundles, render, server_bundles
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.costs import cost_of
from onprem_agents.plan.report import report
from policy.checks import check_manifests
from tests.unit.manifest_samples import containers, planned, pod_specs
from tests.unit.part_samples import pool, server

pytestmark = pytest.mark.unit

SMALL = {"model": "google/gemma-4-12B-it-qat-w4a16-ct", "context": 65536}


def stack(share: dict[str, Any], *, accelerator: str = "L40S", **model: Any) -> PlatformPlan:
    hardware = {"accelerator": accelerator, "gpusPerNode": 2, "nodes": 1, "share": share}
    return planned(hardware=hardware, model=SMALL | model)


def problem_of(share: dict[str, Any], **changes: Any) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        stack(share, **changes)
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    ("platform", "resource"), [("upstream", "nvidia.com/gpu"), ("alauda", "nvidia.com/gpualloc")]
)
def test_a_pod_asks_for_its_share_by_the_resource_of_the_platform(platform: str, resource: str) -> None:
    share = {"memoryGib": 24, "corePercent": 50}
    plan = planned(hardware={"share": share}, model=SMALL, platform=platform)
    objects = render(plan)
    server = next(
        each for each in containers(pod_specs(objects)["coder"]) if each["name"] == "kserve-container"
    )
    limits = {name: text for name, text in server["resources"]["limits"].items() if "nvidia.com" in name}

    # 24 GiB in the MiB that HAMi counts in.
    assert limits == {resource: "1", "nvidia.com/gpumem": "24576", "nvidia.com/gpucores": "50"}
    assert plan.main.fit.gpu_total_gib == 24.0
    assert "each pod gets 24 GiB and 50 % of the cores of a L40S by HAMi" in " ".join(plan.notes)
    assert check_manifests(objects) == []


@pytest.mark.parametrize("mib", ["8192", "8k", "8Ki"])
def test_policies_size_a_server_for_its_share_and_not_for_the_whole_gpu(mib: str) -> None:
    objects = render(stack({"memoryGib": 24}))
    server = next(
        each for each in containers(pod_specs(objects)["coder"]) if each["name"] == "kserve-container"
    )
    server["resources"]["limits"]["nvidia.com/gpumem"] = mib

    assert [finding.policy for finding in check_manifests(objects)] == ["memory-headroom-is-left"]


def test_shares_of_gpus_are_not_priced_as_gpus() -> None:
    price = {"perGpuHour": 2.0, "currency": "EUR"}
    assert cost_of(planned(hardware={"share": {"memoryGib": 24}}, model=SMALL, cost=price)) is None


def test_a_model_that_a_share_does_not_hold_is_refused() -> None:
    problem = problem_of({"memoryGib": 8})

    assert problem.cause == "does-not-fit"
    assert "8.0 GiB a GPU" in problem.found
    # Another GPU would not enlarge the share.
    assert "platform.hardware.accelerator" not in problem.fix


@pytest.mark.parametrize(
    ("share", "changes", "where"),
    [
        ({"memoryGib": 24}, {"accelerator": "H100-MIG-3g.40gb"}, "platform.hardware.share"),
        ({"memoryGib": 64}, {}, "platform.hardware.share.memoryGib"),
        ({"memoryGib": 24}, {"tensorParallel": 2}, "platform.models[0].tensorParallel"),
    ],
)
def test_shares_that_are_not_known_are_refused_at_their_key(
    share: dict[str, Any], changes: dict[str, Any], where: str
) -> None:
    assert problem_of(share, **changes).where == where


def of_kind(bundles: Iterable[Bundle], kind: str) -> list[dict[str, Any]]:
    declared = [each.manifest for bundle in bundles for each in bundle.objects]
    return [manifest for manifest in declared if manifest["kind"] == kind]


GEMMA: dict[str, Any] = SMALL | {"gpusPerNode": 2, "share": {"memoryGib": 24, "corePercent": 50}}


@pytest.mark.parametrize(
    ("platform", "resource"), [("upstream", "nvidia.com/gpu"), ("alauda", "nvidia.com/gpualloc")]
)
def test_a_server_that_stands_alone_asks_for_its_share_as_a_platforms_does(
    platform: str, resource: str
) -> None:
    part = server(**GEMMA, platform=platform)
    (service,) = of_kind(server_bundles(part), "InferenceService")
    (container,) = service["spec"]["predictor"]["containers"]
    limits = {name: text for name, text in container["resources"]["limits"].items() if "nvidia.com" in name}

    assert limits == {resource: "1", "nvidia.com/gpumem": "24576", "nvidia.com/gpucores": "50"}
    assert part.serving.fit.gpu_total_gib == 24.0


def test_the_queue_of_a_pool_that_stands_alone_covers_all_that_a_share_asks_for() -> None:
    part = pool(
        gpusPerNode=4, nodes=2, share={"memoryGib": 12, "corePercent": 25}, queue={}, platform="alauda"
    )
    (queue,) = of_kind(pool_bundles(part), "ClusterQueue")
    (group,) = queue["spec"]["resourceGroups"]
    quotas = {each["name"]: each["nominalQuota"] for each in group["flavors"][0]["resources"]}

    # Eight shares: of 12 GiB in MiB, and of a quarter of the cores.
    assert {name: amount for name, amount in quotas.items() if "nvidia.com" in name} == {
        "nvidia.com/gpualloc": "8",
        "nvidia.com/gpumem": "98304",
        "nvidia.com/gpucores": "200",
    }
    assert set(quotas) == set(group["coveredResources"])


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"share": {"memoryGib": 64}}, "share.memoryGib"),
        ({"share": {"memoryGib": 20}, "accelerator": "H100-MIG-3g.40gb"}, "share"),
        ({"share": {"memoryGib": 24}, "tensorParallel": 2}, "tensorParallel"),
    ],
)
def test_shares_that_are_not_known_are_refused_at_the_argument(given: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        server(**(GEMMA | given))

    assert where in [problem.where for problem in refused.value.problems]
    assert "platform." not in str(refused.value)


def test_simulated_nodes_offer_the_shares() -> None:
    plan = stack({"memoryGib": 24, "corePercent": 50})
    (node,) = (spec.manifest() for spec in cluster_needs(plan, render(plan)).nodes)

    offered = {name: text for name, text in node["status"]["allocatable"].items() if "nvidia.com" in name}
    assert offered == {"nvidia.com/gpu": "2", "nvidia.com/gpumem": "49152", "nvidia.com/gpucores": "100"}


def test_a_share_of_the_cores_computes_at_that_part_of_the_speed_and_reads_memory_at_all_of_it() -> None:
    whole, half = stack({"memoryGib": 24}), stack({"memoryGib": 24, "corePercent": 50})
    gpu = half.pools[0].accelerator
    speed_of_whole, speed_of_half = (report(plan)["models"][0]["speed"] for plan in (whole, half))

    # Half of the 362 and 733 TFLOPS of an L40S, which has no FP4 units, and all of its 864 GB/s.
    assert (gpu.bf16_tflops, gpu.fp8_tflops, gpu.fp4_tflops) == (181.0, 366.5, None)
    assert gpu.bandwidth_gb_per_second == 864
    # Reading a prompt is bound by compute, writing an answer by the memory.
    cold = "firstTokenSecondsCold30k"
    assert 1.8 < speed_of_half[cold] / speed_of_whole[cold] <= 2.0
    each = "tokensPerSecondPerDeveloper"
    assert 0.9 < speed_of_half[each] / speed_of_whole[each] < 1.0
    assert "with that part of its compute" in " ".join(half.main.notes)
