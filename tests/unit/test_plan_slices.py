"""MIG slices by the two strategies of NVIDIA's device plugin: as GPUs, or by the name of their profile."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.needs import cluster_needs
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.costs import cost_of
from policy.checks import check_manifests
from tests.unit.manifest_samples import containers, of_kind, planned, pod_specs

pytestmark = pytest.mark.unit

SLICE = {"accelerator": "H100-MIG-3g.40gb", "gpusPerNode": 2, "nodes": 1}
SMALL = {"model": "google/gemma-4-12B-it-qat-w4a16-ct", "context": 65536}
PRODUCT = "NVIDIA-H100-80GB-HBM3-MIG-3g.40gb"


def stack(strategy: str, **sections: Any) -> PlatformPlan:
    return planned(hardware={**SLICE, "migStrategy": strategy}, model=SMALL, **sections)


@pytest.mark.parametrize(
    ("strategy", "resource", "label"),
    [
        ("single", "nvidia.com/gpu", "nvidia.com/gpu.product"),
        ("mixed", "nvidia.com/mig-3g.40gb", "nvidia.com/mig-3g.40gb.product"),
    ],
)
def test_pods_ask_for_a_slice_by_the_name_that_the_strategy_gives_it(
    strategy: str, resource: str, label: str
) -> None:
    objects = render(stack(strategy, queue={}))
    pod = pod_specs(objects)["coder"]
    limits = next(each for each in containers(pod) if each["name"] == "kserve-container")["resources"][
        "limits"
    ]

    assert {name for name in limits if name.startswith("nvidia.com/")} == {resource}
    assert pod["nodeSelector"] == {label: PRODUCT}
    # The taint is that of the GPU operator in either strategy.
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"
    (queue,) = of_kind(objects, "ClusterQueue").values()
    assert resource in queue["spec"]["resourceGroups"][0]["coveredResources"]
    assert check_manifests(objects) == []


def test_simulated_nodes_offer_slices_by_their_profile() -> None:
    plan = stack("mixed")
    (node,) = (spec.manifest() for spec in cluster_needs(plan, render(plan)).nodes)

    assert node["status"]["allocatable"]["nvidia.com/mig-3g.40gb"] == "2"
    assert "nvidia.com/gpu" not in node["status"]["allocatable"]
    assert node["metadata"]["labels"]["nvidia.com/mig-3g.40gb.product"] == PRODUCT


def test_a_strategy_for_slices_is_refused_beside_a_whole_gpu() -> None:
    with pytest.raises(InvalidInput) as refused:
        planned(hardware={"migStrategy": "mixed"})

    (problem,) = refused.value.problems
    assert problem.where == "platform.hardware.migStrategy"
    assert "leave out" in problem.fix


@pytest.mark.parametrize("strategy", ["single", "mixed"])
def test_slices_of_a_gpu_are_not_priced_as_gpus(strategy: str) -> None:
    assert cost_of(stack(strategy, cost={"perGpuHour": 2.0, "currency": "EUR"})) is None
