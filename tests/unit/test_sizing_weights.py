"""What lies on each GPU: padding, what ranks hold whole, and which parts of a checkpoint are quantised.

Expected figures are vLLM's own ("Model loading took") where a log is named; the engine is made to count them, without
the sizes that the catalogue took from logs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import Model, load_catalog
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
        variant=named.model_copy(
            update={"measured": False, "loaded_gib_per_gpu": {}, "measured_tower": None}
        ),
        accelerator=CATALOG.accelerator(gpu),
        tensor_parallel=tensor_parallel,
        context_tokens=8192,
        max_num_seqs=16,
        kv_cache_dtype="auto",
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.9,
        language_model_only=False,
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
        # attention stays BF16, and rotary tables of 262,144 positions are loaded
        ("nvidia/Gemma-4-31B-IT-NVFP4", "Jetson-AGX-Thor", 1, 31.04),
        # attention FP8, the head in four bits too; the log does not tell the maker
        ("nvidia/Qwen3.8-27B-NVFP4", "RTX-5090", 1, 19.75),
        # towers of vision and audio, tables as above
        ("google/gemma-4-E4B-it-qat-w4a16-ct", "L4", 1, 9.81),
        ("google/gemma-4-26B-A4B-it", "A100-80", 1, 48.5),
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
    # 0.577 billion parameters of vision tower, whole on both ranks: 1.07 GiB once more; so are 0.375 of rotary tables
    one = counted("google/gemma-4-31B-it")
    two = counted("google/gemma-4-31B-it", tensor_parallel=2)
    assert 2 * two - one == pytest.approx(1.07 + 0.375 + 0.05, abs=0.02)


@pytest.mark.parametrize(
    ("hf_id", "tower_gib"),
    [  # vLLM 0.32.0's modules on PyTorch's meta device, with and without --language-model-only
        ("Qwen/Qwen3.6-27B", 0.858),
        ("google/gemma-4-31B-it", 1.072),
        ("google/gemma-3-27b-it", 0.788),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", 0.818),
    ],
)
def test_a_server_for_text_alone_holds_no_image_encoder(hf_id: str, tower_gib: float) -> None:
    text = counted(hf_id, language_model_only=True)
    assert counted(hf_id) - text == pytest.approx(tower_gib, abs=0.004)


def test_what_a_log_showed_with_an_encoder_counts_without_it_for_text_alone() -> None:
    variant = CATALOG.model("Qwen3.6-27B").variant("Qwen/Qwen3.6-27B-FP8")
    request = replace(request_for(variant.hf_id, "H100", 4), variant=variant)
    text = weights_of(replace(request, language_model_only=True))
    # 7.39 GiB a rank in a log, 0.858 GiB of encoder split in four
    assert weights_of(request).gib == 7.39
    assert text.gib == pytest.approx(7.39 - 0.2145, abs=0.001)
    assert text.explanation.endswith("0.21 GiB of image encoder left out")


def test_what_a_log_showed_without_an_encoder_counts_with_it_for_images() -> None:
    variant = CATALOG.model("Qwen3.6-35B-A3B").variant("nvidia/Qwen3.6-35B-A3B-NVFP4")
    images = replace(request_for(variant.hf_id, "RTX-5090", 1), variant=variant)
    # 19.55 GiB in a log of a server for text alone, 0.831 GiB of encoder
    assert weights_of(replace(images, language_model_only=True)).gib == 19.55
    assert weights_of(images).gib == pytest.approx(19.55 + 0.831, abs=0.001)


def test_a_figure_of_a_log_says_whether_it_holds_the_encoder() -> None:
    values = CATALOG.model("Qwen3.6-27B").model_dump()
    for variant in values["variants"]:
        variant["measured_tower"] = None
    with pytest.raises(ValueError, match="measured_tower is missing"):
        Model.model_validate(values)


def test_old_releases_load_the_encoder_even_where_no_image_is_taken() -> None:
    old, new = (
        counted("Qwen/Qwen2.5-VL-7B-Instruct", language_model_only=True, vllm=release)
        for release in ("0.14.1", "0.16.0")
    )
    # 0.676 billion parameters in BF16
    assert old - new == pytest.approx(1.26, abs=0.01)


def test_pixtrals_encoder_is_split_since_0_20() -> None:
    # 0.818 GiB, on both ranks whole or in halves
    old, new = (
        counted("mistralai/Mistral-Small-3.2-24B-Instruct-2506", tensor_parallel=2, vllm=release)
        for release in ("0.19.1", "0.20.0")
    )
    assert old - new == pytest.approx(0.818 / 2, abs=0.001)


def test_each_stage_of_a_pipeline_may_hold_the_encoder_and_the_rotary_tables() -> None:
    # 1.07 and 0.375 GiB on a stage, which half of them would not be
    whole, stage = (counted("google/gemma-4-31B-it", pipeline_parallel=stages) for stages in (1, 2))
    text = counted("google/gemma-4-31B-it", pipeline_parallel=2, language_model_only=True)
    assert stage - text == pytest.approx(1.072, abs=0.004)
    assert stage > (whole - 1.072 - 0.375) / 2 + 1.072 + 0.375


def test_what_layers_take_of_images_is_kept_for_a_whole_batch() -> None:
    # three levels of 4096 elements for each of 16,384 and 2,048 tokens, in BF16
    large, small = (
        counted("Qwen/Qwen3-VL-8B-Instruct", max_num_batched_tokens=tokens) for tokens in (16_384, 2_048)
    )
    assert large - small == pytest.approx(0.375 - 0.047, abs=0.001)
    text = [
        counted("Qwen/Qwen3-VL-8B-Instruct", max_num_batched_tokens=tokens, language_model_only=True)
        for tokens in (16_384, 2_048)
    ]
    assert text[0] == text[1], "no image, no buffer"


def test_ten_million_positions_take_rotary_tables_of_gibibytes() -> None:
    # 10,485,760 positions of 128 BF16 elements, in no checkpoint and whole on each rank
    model = CATALOG.model("Llama-4-Scout")
    one, eight = (counted(model.hf_id, tensor_parallel=size, language_model_only=True) for size in (1, 8))
    assert 8 * eight - one == pytest.approx(7 * (2.5 + 0.05), abs=0.1)


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
    assert dense.uncertainty_gib / dense.gib == pytest.approx(0.128, abs=0.001), "0.8 of 16 %"


def test_int4_of_dense_models_is_known_better_than_that_of_models_with_linear_attention() -> None:
    # logs of seven checkpoints of the first kind, by five makers, are within 2 % of the count
    dense = weights_of(request_for("Qwen/Qwen3-32B-AWQ", "RTX-5090", 1))
    hybrid = weights_of(request_for("cyankiwi/Qwen3.6-27B-AWQ-INT4", "RTX-5090", 1))
    assert dense.uncertainty_gib / dense.gib == pytest.approx(0.02, abs=0.001)
    assert hybrid.uncertainty_gib / hybrid.gib > 0.05
