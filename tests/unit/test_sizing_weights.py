"""What lies on each GPU: padding, what ranks hold whole, and which parts of a checkpoint are quantised.

Expected figures are vLLM's own ("Model loading took") where a log is named; the engine is made to count them, without
the sizes that the catalogue took from logs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import FitRequest
from onprem_agents.sizing.weights import computed_gib, weights_of

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


def counted(hf_id: str, *, gpu: str = "H100", tensor_parallel: int = 1, **changes: Any) -> float:
    """Return the GiB of one rank, counted from the architecture."""
    return weights_of(request_for(hf_id, gpu, tensor_parallel, **changes)).gib


def request_for(hf_id: str, gpu: str, tensor_parallel: int, **changes: Any) -> FitRequest:
    model, variant = CATALOG.model_and_variant(hf_id)
    named = variant or model.variants[0]
    request = FitRequest(
        model=model,
        variant=named.model_copy(update={"measured": False, "loaded_gib_per_gpu": {}}),
        accelerator=CATALOG.accelerator(gpu),
        tensor_parallel=tensor_parallel,
        context_tokens=8192,
        max_num_seqs=16,
        kv_cache_dtype="auto",
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.9,
        vllm="0.33.0",
    )
    return replace(request, **changes)


@pytest.mark.parametrize(
    ("hf_id", "gpu", "tensor_parallel", "printed"),
    [
        # experts of width 2880: 3072 wide after padding, a rank's share 2944 or 768
        ("openai/gpt-oss-120b", "H100", 1, 65.97),
        ("openai/gpt-oss-120b", "A100-80", 4, 17.22),
        ("openai/gpt-oss-20b", "A100-80", 1, 13.72),
        # norms, rotary tables and the allocator's rounding
        ("Qwen/Qwen2-7B-Instruct", "A100-80", 2, 7.12),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "L40S", 8, 27.72),
        # NF4 whose scales are quantised once more
        ("unsloth/phi-4-bnb-4bit", "A100-80", 1, 8.63),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "T4", 1, 5.35),
        # attention stays BF16
        ("nvidia/Gemma-4-31B-IT-NVFP4", "Jetson-AGX-Thor", 1, 31.04),
        # attention FP8, the head in four bits too
        ("nvidia/Qwen3.8-27B-NVFP4", "RTX-5090", 1, 19.75),
        # up-projections of latent attention are copied to BF16
        ("zai-org/GLM-5.1-FP8", "H200", 8, 89.34),
    ],
)
def test_counted_weights_are_those_that_vllm_printed(
    hf_id: str, gpu: str, tensor_parallel: int, printed: float
) -> None:
    assert counted(hf_id, gpu=gpu, tensor_parallel=tensor_parallel) == pytest.approx(printed, rel=0.02)


def test_data_centre_blackwell_pads_experts_wider() -> None:
    # 3072 x 3072 instead of 3072 x 2944 for 56.7 GiB of experts of 2880 x 2880
    assert counted("openai/gpt-oss-120b", gpu="B200") - counted("openai/gpt-oss-120b") == pytest.approx(
        2.69, abs=0.05
    )


def test_experts_that_do_not_divide_leave_one_more_to_some_ranks() -> None:
    # 128 experts on 3 ranks are 43, 43 and 42; sliced, each rank has a third of all
    sliced = counted("Qwen/Qwen3-30B-A3B", data_parallel=3)
    whole = counted("Qwen/Qwen3-30B-A3B", data_parallel=3, expert_parallel=True)
    assert whole - sliced == pytest.approx(54.0 * (43 / 128 - 1 / 3), abs=0.01)


def test_a_tower_of_transformers_lies_on_every_rank() -> None:
    # 0.577 billion parameters of vision tower, whole on both ranks: 1.07 GiB once more
    one = counted("google/gemma-4-31B-it")
    two = counted("google/gemma-4-31B-it", tensor_parallel=2)
    assert 2 * two - one == pytest.approx(1.07 + 0.05, abs=0.02)


def test_a_split_that_no_log_showed_is_scaled_by_the_nearest_that_one_did() -> None:
    model, variant = CATALOG.model_and_variant("Qwen/Qwen3.8-27B-FP8")
    assert variant is not None
    request = replace(request_for("Qwen/Qwen3.8-27B-FP8", "H100", 4), model=model, variant=variant)
    # 14.28 at TP 2, 0.6 % more than counted
    assert weights_of(request).gib == pytest.approx(7.16, abs=0.03)


def test_groups_of_32_cost_more_than_groups_of_128() -> None:
    model = CATALOG.model("Kimi-K2-Thinking")
    # 1 trillion parameters, half a byte and a BF16 scale for 32; attention, shared experts and the rest BF16
    assert computed_gib(model, model.variants[0]) == pytest.approx(553.4, abs=1.0)


def test_the_band_of_experts_is_narrower_than_that_of_a_dense_model() -> None:
    # all makers quantise experts; on attention, linear attention and the head they differ
    experts = weights_of(request_for("RedHatAI/Qwen3.6-35B-A3B-NVFP4", "RTX-5090", 1))
    dense = weights_of(request_for("unsloth/Qwen3.6-27B-NVFP4", "RTX-5090", 1))
    assert experts.uncertainty_gib / experts.gib < 0.08
    assert dense.uncertainty_gib / dense.gib == pytest.approx(0.096, abs=0.001), "0.8 of 12 %"
