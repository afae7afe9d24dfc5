"""Settings become a plan: what is derived, what is refused, and that refusals come together."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput
from onprem_agents.plan import Pool, place, plan_stack, plan_stack_file
from onprem_agents.stack.stack_file import stack_names

STACKS = Path(__file__).parents[2] / "stacks"
RAW: dict[str, Any] = {
    "hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 2},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
    "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
}


def _raw(**models: object) -> dict[str, Any]:
    raw = copy.deepcopy(RAW)
    raw["models"][0].update(models)
    return raw


def _problems(raw: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        plan_stack(raw, stack="test")
    told: dict[str, str] = {}
    for problem in caught.value.problems:
        told[problem.where] = (
            f"{told.get(problem.where, '')}{problem.found} | {problem.why} | {problem.fix}\n"
        )
    return told


@pytest.mark.parametrize("stack", ["local", "8-16gb", "24gb", "48gb", "80gb", "multi-gpu", "team"])
def test_every_shipped_stack_plans_and_fits(stack: str) -> None:
    plan = plan_stack_file(STACKS, stack)

    assert all(serving.fit.fits for serving in plan.serving)
    assert all(serving.sessions >= 1 for serving in plan.serving)
    assert all(serving.context_tokens >= 65536 for serving in plan.serving), (
        "less is too little for Claude Code"
    )


def test_all_stack_files_are_covered_by_the_test_above() -> None:
    assert set(stack_names(STACKS)) == {"local", "8-16gb", "24gb", "48gb", "80gb", "multi-gpu", "team"}


def test_parsers_and_batching_are_derived_from_model_and_gpu() -> None:
    serving = plan_stack(RAW, stack="test").main

    assert serving.flags.tool_call_parser == "qwen3_coder"
    assert serving.flags.reasoning_parser == "qwen3"
    assert serving.flags.enable_auto_tool_choice is True
    assert serving.flags.max_model_len == 65536
    assert serving.flags.max_num_batched_tokens == 2048, "vLLM's own choice below 70 GiB"
    assert serving.flags.served_model_name == ("coder",), "the role is the stable name"
    assert serving.max_output_tokens == 8192


def test_a_bare_model_name_takes_the_precision_that_fits_the_gpu() -> None:
    raw = _raw(model="Qwen3.6-27B")

    assert plan_stack(raw, stack="test").main.variant.precision == "fp8", "an L40S computes in FP8"


def test_sessions_beyond_one_replica_become_replicas() -> None:
    plan = plan_stack(_raw(sessions=6), stack="test")

    assert plan.main.replicas == 2
    assert plan.main.sessions >= 6


def test_more_gpus_than_the_nodes_have_are_refused_before_anything_is_pending() -> None:
    problems = _problems(_raw(replicas=5))

    assert "would stay Pending" in problems["platform.hardware"]
    assert "4 GPUs" in problems["platform.hardware"]


def test_a_model_that_cannot_fit_is_refused_with_the_account_and_a_way_out() -> None:
    raw = _raw(precision="bf16")
    raw["hardware"]["gpusPerNode"] = 1

    told = _problems(raw)["platform.models[0].model"]

    assert "weights 50.1" in told, "27.4 billion parameters of two bytes, less 0.46 of the image encoder"
    assert "precision" in told
    assert " × " in told, "the least hardware that holds it is named"


def test_a_model_for_several_nodes_is_refused_with_the_account_of_a_whole_node_and_what_would_hold_it() -> (
    None
):
    raw = _raw(model="zai-org/GLM-5.2-FP8")
    raw["hardware"] = {"accelerator": "H100", "gpusPerNode": 8, "nodes": 2}

    told = _problems(raw)["platform.models[0].model"]

    # 696 GiB of weights and what each rank repeats: 88.7 on each of 8 GPUs with 72.8 for vLLM, half on each of 16.
    assert "on 8 × H100: weights 88.7" in told
    assert "2 nodes would hold it as a pipeline, but a stack gives each replica one node" in told
    raw["hardware"]["nodes"] = 1
    assert "as a pipeline" not in _problems(raw)["platform.models[0].model"]


def test_a_context_beyond_the_models_own_is_refused_with_the_limit() -> None:
    assert "262144" in _problems(_raw(context=1_000_000))["platform.models[0].context"]


def test_unknown_names_are_told_together_with_errors_of_form() -> None:
    raw = _raw(model="Qwen/Qwen3.6-27B-FP9", sessions=-1)
    raw["hardware"] = {"accelerator": "L40X"}

    problems = _problems(raw)

    assert "did you mean" in problems["platform.hardware.accelerator"]
    assert "did you mean" in problems["platform.models[0].model"]
    assert "platform.models[0].sessions" in problems


def test_a_parser_that_vllm_does_not_have_is_refused_with_the_nearest() -> None:
    assert "qwen3_coder" in _problems(_raw(toolCallParser="qwen3coder"))["platform.models[0].toolCallParser"]


def test_a_vllm_older_than_the_model_is_refused() -> None:
    raw = _raw(model="google/gemma-4-12B-it-qat-w4a16-ct")
    raw["serving"] = {"vllm": "0.9.2"}

    assert "0.23" in _problems(raw)["platform.serving.vllm"]


def test_placement_counts_whole_nodes_not_just_gpus() -> None:
    pool = Pool(
        name="p",
        namespace="coding-agents",
        accelerator=load_catalog().accelerator("H100"),
        gpus_per_node=4,
        nodes=2,
        node_names=(),
        taint=True,
    )

    placement = place(pool, [("big", 3, 3)])

    assert placement.unplaced == ("big",), (
        "8 GPUs hold 9 nowhere, and two nodes hold one replica of three each"
    )
    assert placement.largest_free == 1
