"""Several pools in one stack: each role goes to the one that names it, or to the first that holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from embedded.needs import cluster_needs
from onprem_agents.agents import AGENTS
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack
from onprem_agents.plan.agent_changes import dearer_changes
from onprem_agents.plan.costs import cost_of
from onprem_agents.plan.report import report
from policy.checks import check_manifests
from tests.unit.kueue_rules import amount
from tests.unit.manifest_samples import FAST, STACK, of_kind, planned, pod_specs
from tests.unit.preflight_samples import PretendedCluster, missing, node

pytestmark = pytest.mark.unit

SMALL = {"accelerator": "L40S", "gpusPerNode": 2, "name": "small"}
LARGE = {"accelerator": "H100", "gpusPerNode": 4, "name": "large"}
CODER = {"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}
# 27.47 GiB, a second table of 2.37 at a cold start and one session of 2.4 are within 40 GB.
SHORT = CODER | {"context": 32768}


def raw(pools: list[dict[str, Any]], models: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"hardware": {"pools": pools}, "models": models, "access": STACK["access"], **more}


def stack(
    pools: list[dict[str, Any]], models: list[dict[str, Any]] | None = None, **more: Any
) -> PlatformPlan:
    return plan_stack(raw(pools, models or [CODER, FAST], **more), stack="test")


def problems_of(
    pools: list[dict[str, Any]], models: list[dict[str, Any]] | None = None, **more: Any
) -> list[Problem]:
    with pytest.raises(InvalidInput) as refused:
        stack(pools, models, **more)
    return list(refused.value.problems)


def places(plan: PlatformPlan) -> dict[str, str]:
    return {serving.role: serving.pool.name for serving in plan.serving}


def test_one_pool_is_planned_as_the_short_form_is() -> None:
    hardware = {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 2}
    short = plan_stack(STACK, stack="test")
    long = plan_stack(STACK | {"hardware": {"pools": [hardware]}}, stack="test")

    assert render(long) == render(short)
    assert report(long) == report(short)


def test_a_role_goes_to_the_first_pool_that_holds_it_and_the_plan_says_so() -> None:
    plan = stack([SMALL, LARGE])

    assert places(plan) == {"coder": "small", "fast": "small"}
    assert "served in the pool small, the first that holds it" in plan.main.notes


def test_a_role_that_finds_no_gpu_left_goes_to_the_next_pool() -> None:
    plan = stack([SMALL, LARGE], [CODER | {"replicas": 2}, FAST])

    assert places(plan) == {"coder": "small", "fast": "large"}
    assert [placement.free for placement in plan.placements] == [0, 3]


def test_a_role_whose_model_only_fits_a_later_pool_goes_there() -> None:
    bf16 = {
        "role": "coder",
        "model": "Qwen/Qwen3.6-27B",
        "precision": "bf16",
        "context": 65536,
        "tensorParallel": 1,
    }

    assert places(stack([SMALL, LARGE], [bf16, FAST])) == {"coder": "large", "fast": "small"}


def test_a_role_goes_to_the_pool_that_names_it_and_no_other() -> None:
    plan = stack([SMALL, LARGE | {"roles": ["coder"]}])

    assert places(plan) == {"coder": "large", "fast": "small"}
    assert not any("the first that holds it" in note for note in plan.main.notes)


def test_a_role_that_a_pool_names_has_its_gpus_whatever_stands_before_it() -> None:
    one_each = [SMALL | {"gpusPerNode": 1, "roles": ["fast"]}, LARGE | {"gpusPerNode": 1}]

    plan = stack(one_each, [CODER | {"context": 32768, "tensorParallel": 1}, FAST])

    # The small pool's only GPU is spoken for, though the coder would fit on it and stands first.
    assert list(places(plan).items()) == [("coder", "large"), ("fast", "small")]


def test_a_role_that_no_pool_holds_is_refused_at_the_first() -> None:
    (problem,) = problems_of([SMALL, LARGE], [CODER | {"replicas": 7}])

    assert (problem.where, problem.cause) == ("platform.hardware.pools[0]", "no-room")


def test_a_way_out_names_the_pool_that_is_at_fault() -> None:
    bf16 = CODER | {"model": "Qwen/Qwen3.6-27B", "precision": "bf16", "tensorParallel": 1}

    (problem,) = problems_of([SMALL | {"roles": ["coder"]}], [bf16])

    assert "platform.hardware.pools[0].accelerator" in problem.fix


def test_other_gpus_in_place_of_a_tier_are_named_with_leaving_out_the_tier_and_do() -> None:
    tiered = {"name": "small", "tier": "24gb"}

    (problem,) = problems_of([tiered], [SHORT])

    assert problem.fix.endswith(
        "set platform.hardware.pools[0].accelerator to A100-40 and set platform.hardware.pools[0].gpusPerNode to 1 "
        "and leave out platform.hardware.pools[0].tier"
    )
    assert places(stack([{"name": "small", "accelerator": "A100-40", "gpusPerNode": 1}], [SHORT]))


def test_other_gpus_in_place_of_mixed_slices_are_named_with_leaving_out_the_strategy_and_do() -> None:
    (problem,) = problems_of([{"accelerator": "H100-MIG-1g.10gb", "migStrategy": "mixed"}], [SHORT])

    assert problem.fix.endswith(
        "set platform.hardware.pools[0].accelerator to A100-40 and set platform.hardware.pools[0].gpusPerNode to 1 "
        "and leave out platform.hardware.pools[0].migStrategy"
    )
    assert places(stack([{"accelerator": "A100-40", "gpusPerNode": 1}], [SHORT]))


def test_other_gpus_are_not_those_of_a_pool_whose_nodes_could_not_be_told_from_them() -> None:
    small, other = {"accelerator": "L4", "roles": ["coder"]}, {"accelerator": "A100-40"}

    (problem,) = problems_of([small, other], [SHORT, FAST])
    (of_named_nodes,) = problems_of(
        [small | {"nodeNames": ["a"]}, other | {"nodeNames": ["b"]}], [SHORT, FAST]
    )

    assert "pools[0].accelerator to A100-40" in of_named_nodes.fix
    # Two L4 have more memory than the one A100-40, which the other pool has.
    assert "pools[0].accelerator to L4 and set platform.hardware.pools[0].gpusPerNode to 2" in problem.fix
    assert places(stack([small | {"gpusPerNode": 2}, other], [SHORT])) == {"coder": "l4"}


def test_other_gpus_for_the_agents_are_whole_ones_beside_mixed_slices_too() -> None:
    plan = planned(
        hardware={"accelerator": "H100-MIG-3g.40gb", "gpusPerNode": 1, "migStrategy": "mixed"},
        model={"context": 32768},
    )
    change = next(
        change
        for change in dearer_changes(plan.settings, plan.serving, AGENTS, catalog=load_catalog())
        if "hardware.accelerator" in change.text
    )

    assert "leave out platform.hardware.migStrategy" in change.text
    assert change.settings.hardware.mig_strategy == "single"


@pytest.mark.parametrize(
    ("pools", "more", "where", "cause"),
    [
        ([SMALL, SMALL], {}, "platform.hardware.pools[1].name", "repeated"),
        ([SMALL | {"roles": ["codre"]}], {}, "platform.hardware.pools[0].roles", "unknown-name"),
        (
            [SMALL | {"nodeNames": ["a"]}, LARGE | {"nodeNames": ["a"]}],
            {},
            "platform.hardware.pools[1].nodeNames",
            "repeated",
        ),
        ([SMALL | {"accelerator": "L40X"}], {}, "platform.hardware.pools[0].accelerator", "unknown-name"),
        (
            [SMALL, {"accelerator": "MI300X"}],
            {"serving": {"image": "registry.example.internal/vllm:1"}},
            "platform.serving.image",
            "contradiction",
        ),
    ],
)
def test_pools_that_cannot_be_meant_are_refused_at_their_key(
    pools: list[dict[str, Any]], more: dict[str, Any], where: str, cause: str
) -> None:
    assert (where, cause) in {(problem.where, problem.cause) for problem in problems_of(pools, **more)}


def test_a_node_that_two_pools_name_is_told_once() -> None:
    shared = [SMALL | {"nodeNames": ["a", "b"]}, LARGE | {"nodeNames": ["b", "c"]}]

    assert [(problem.where, problem.found) for problem in problems_of(shared)] == [
        ("platform.hardware.pools[1].nodeNames", "b")
    ]


@pytest.mark.parametrize(
    ("names_of_first", "names_of_second", "refused_at"),
    [
        ([], [], "platform.hardware.pools[0].nodeNames"),
        # The pods of the second pool find any L40S, those of the first pool's nodes too.
        (["a"], [], "platform.hardware.pools[1].nodeNames"),
    ],
)
def test_pools_of_one_product_are_refused_unless_each_names_its_nodes(
    names_of_first: list[str], names_of_second: list[str], refused_at: str
) -> None:
    big = {"name": "big", "accelerator": "L40S", "gpusPerNode": 4, "roles": ["coder"]}

    (problem,) = problems_of([SMALL | {"nodeNames": names_of_first}, big | {"nodeNames": names_of_second}])

    assert (problem.where, problem.cause) == (refused_at, "contradiction")
    assert "nvidia.com/gpu.product=NVIDIA-L40S" in problem.why
    assert "name the nodes of each" in problem.fix


def test_pools_of_one_product_that_name_their_nodes_are_told_apart_by_the_labels_of_the_stack() -> None:
    big = {"name": "big", "accelerator": "L40S", "gpusPerNode": 4, "roles": ["coder"], "nodeNames": ["b"]}
    pods = pod_specs(render(stack([SMALL | {"nodeNames": ["a"]}, big])))

    assert {
        name: pods[name]["nodeSelector"]["onprem-coding-agents/gpu-pool"] for name in ("coder", "fast")
    } == {
        "coder": "big",
        "fast": "small",
    }


@pytest.mark.parametrize(
    "hardware",
    [
        {"pools": [SMALL], "accelerator": "L40S"},
        {"pools": [SMALL | {"roles": ["coder"]}, LARGE | {"roles": ["coder"]}]},
        {"pools": [{"name": "empty"}]},
    ],
)
def test_pools_beside_other_nodes_or_each_other_are_refused(hardware: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan_stack(raw([], [CODER]) | {"hardware": hardware}, stack="test")

    assert [problem.cause for problem in refused.value.problems] == ["contradiction"]


def test_pods_and_nodes_of_each_pool_have_its_labels_and_policies_know_its_gpus() -> None:
    named = [SMALL, LARGE | {"roles": ["coder"], "nodeNames": ["h100-1"]}]
    objects = render(stack(named))
    pods = pod_specs(objects)

    assert pods["coder"]["nodeSelector"]["onprem-coding-agents/gpu-pool"] == "large"
    assert pods["fast"]["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-L40S"}
    assert list(of_kind(objects, "Node")) == ["h100-1"]
    assert check_manifests(objects) == []


def test_pools_of_two_makers_have_each_its_build_and_one_queue_with_a_flavor_each() -> None:
    objects = render(stack([SMALL, {"accelerator": "MI300X", "roles": ["coder"]}], queue={}))
    (queue,) = of_kind(objects, "ClusterQueue").values()
    (group,) = queue["spec"]["resourceGroups"]
    quotas = {
        flavor["name"]: {each["name"]: amount(each["nominalQuota"]) for each in flavor["resources"]}
        for flavor in group["flavors"]
    }
    images = {
        name: pod["containers"][0]["image"]
        for name, pod in pod_specs(objects).items()
        if name in ("coder", "fast")
    }

    assert images == {
        "coder": "docker.io/vllm/vllm-openai-rocm:v0.33.0",
        "fast": "docker.io/vllm/vllm-openai:v0.33.0",
    }
    assert {
        name: (int(each["nvidia.com/gpu"]), int(each["amd.com/gpu"])) for name, each in quotas.items()
    } == {
        "coding-agents-small": (2, 0),
        "coding-agents-mi300x": (0, 1),
    }
    assert set(of_kind(objects, "ResourceFlavor")) == set(quotas)


def test_the_report_tells_each_pool_and_the_pool_of_each_role() -> None:
    told = report(stack([SMALL, LARGE | {"roles": ["coder"]}]))

    assert [(pool["name"], pool["accelerator"], pool["freeGpus"]) for pool in told["pools"]] == [
        ("small", "L40S", 1),
        ("large", "H100", 3),
    ]
    assert [role["pool"] for role in told["models"]] == ["large", "small"]


def test_the_part_tells_the_nodes_of_all_pools_and_the_most_that_a_surge_pod_finds_on_one() -> None:
    part = stack([SMALL | {"nodes": 2}, LARGE | {"roles": ["coder"]}]).pool_part

    assert (part.names, part.accelerators) == ("small, large", "L40S, H100")
    assert (part.nodes, part.gpus, part.gpus_per_node) == (3, 8, 4)
    # The small pool, which stands first, has 2 on its other node; the large one 3 of 4 beside the coder.
    assert part.free_gpus == 3


def test_preflight_looks_at_the_nodes_of_each_pool() -> None:
    plan = stack([SMALL, LARGE | {"roles": ["coder"]}])
    cluster = PretendedCluster()
    assert list(missing(cluster, plan)) == ["1 node with 4 × H100"]

    cluster.nodes = [node("l40s-0", gpus=2), node("h100-0", gpus=4, product="NVIDIA-H100-80GB-HBM3")]
    assert missing(cluster, plan) == {}


def test_every_pool_has_its_simulated_nodes() -> None:
    plan = stack([SMALL | {"nodes": 2}, LARGE | {"nodeNames": ["h100-1"]}])
    nodes = [spec.manifest() for spec in cluster_needs(plan, render(plan)).nodes]

    assert [
        (each["metadata"]["name"], each["metadata"]["labels"]["nvidia.com/gpu.product"]) for each in nodes
    ] == [
        ("gpu-0", "NVIDIA-L40S"),
        ("gpu-1", "NVIDIA-L40S"),
        ("h100-1", "NVIDIA-H100-80GB-HBM3"),
    ]


def test_plan_and_explain_show_each_pool() -> None:
    folder = str(Path(__file__).parents[1] / "golden" / "features")
    planned_text = CliRunner().invoke(main, ["plan", "two-pools", "--all", "--stacks", folder]).output
    explained = CliRunner().invoke(main, ["explain", "two-pools", "--stacks", folder]).output

    assert "1 node with 2 × L40S, 1 of 2 GPUs free; 1 node with 4 × H100, 2 of 4 GPUs free" in planned_text
    assert "Stack two-pools: 1 × 2 L40S, 1 × 4 H100" in explained


def test_what_gpus_cost_counts_those_of_every_pool() -> None:
    cost = cost_of(stack([SMALL, LARGE], cost={"perGpuHour": 2.0, "currency": "EUR"}))

    assert cost is not None
    # Two GPUs of the one pool, four of the other, and one price for both kinds.
    assert cost.basis == "6 GPUs, 2 a GPU-hour on average"
    assert cost.per_month == 6 * 2.0 * 730


@pytest.mark.parametrize(
    ("hardware", "where", "found", "fix"),
    [
        (
            {"pools": []},
            "",
            "'pools' without any entry",
            "or 'pools' with such an entry for each kind of GPU",
        ),
        ({}, "", "neither 'tier' nor 'accelerator'", "or 'pools' with such an entry for each kind of GPU"),
        ({"tier": "48gb", "accelerator": "L40S"}, "", "both 'tier' and 'accelerator'", "name a tier, or"),
        (
            {"pools": [{"name": "a", "nodes": 2}]},
            ".pools[0]",
            "neither 'tier' nor 'accelerator'",
            "name a tier, or",
        ),
        (
            {"pools": [{**SMALL, "gpusPerNode": 0}]},
            ".pools[0].gpusPerNode",
            "0",
            "change platform.hardware.pools[0]",
        ),
        ({"pools": [{**SMALL, "name": "A b"}]}, ".pools[0].name", "'A b'", "write it like fast or team-2"),
        (
            {"pools": [SMALL, {**LARGE, "name": "small"}]},
            ".pools[1].name",
            "the name 'small'",
            "set platform.hardware.pools[1].name to another one",
        ),
        (
            {"pools": [{**SMALL, "roles": ["fasst"]}, LARGE]},
            ".pools[0].roles",
            "the role 'fasst'",
            "did you mean fast? (or take it out of platform.hardware.pools[0].roles)",
        ),
        (
            {"pools": [{**SMALL, "roles": ["coder"]}, {**LARGE, "roles": ["fast", "coder"]}]},
            "",
            "the role 'coder' in pools[0].roles and pools[1].roles",
            "name it once, in one of them",
        ),
        (
            {"pools": [{**SMALL, "roles": ["coder", "coder"]}, LARGE]},
            "",
            "the role 'coder' in pools[0].roles and pools[0].roles",
            "name it once, in one of them",
        ),
    ],
)
def test_hardware_that_leaves_something_open_is_told_with_what_to_write(
    hardware: dict[str, Any], where: str, found: str, fix: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan_stack({**raw([], [CODER, FAST]), "hardware": hardware}, stack="test")
    (problem,) = refused.value.problems
    assert (problem.where, problem.found) == (f"platform.hardware{where}", found)
    assert fix in problem.fix


def test_pools_that_take_the_name_of_the_same_accelerator_are_told_whose_name_it_is() -> None:
    told = problems_of([{"accelerator": "L40S"}, {"accelerator": "L40S"}])
    assert told[0].found == "the name 'l40s', which is that of its accelerator or tier"
    assert told[0].why.startswith("platform.hardware.pools[0] has that name too")


def test_a_role_that_asks_for_a_pool_is_told_where_that_is_said() -> None:
    (problem,) = problems_of([SMALL, LARGE], [{**CODER, "pool": "large"}, FAST])
    assert (problem.where, problem.cause) == ("platform.models[0].pool", "unknown-key")
    assert problem.fix == "name the role under 'roles' of a pool in platform.hardware.pools"
