"""Parameters counted from the architecture, part by part, agree with what the makers publish."""

from __future__ import annotations

import pytest

from onprem_agents.catalog import Model, load_catalog, parameters_of

pytestmark = pytest.mark.unit

MODELS = load_catalog().models
BY_NAME = {model.name: model for model in MODELS}


# Parameters that the makers' cards or counts of the released tensors name, without MTP layers.
@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("Qwen2.5-0.5B", 0.494),
        ("Qwen2.5-7B", 7.616),
        ("Qwen2.5-72B", 72.706),
        ("Qwen3-0.6B", 0.596),
        ("Qwen3-8B", 8.191),
        ("Qwen3-32B", 32.762),
        ("Qwen3-30B-A3B", 30.532),
        ("Qwen3-235B-A22B", 235.094),
        ("Qwen3-Next-80B-A3B", 79.674),
        ("Qwen3.5-397B-A17B", 396.802),
        ("Llama-3.2-1B", 1.236),
        ("Llama-3.1-8B", 8.030),
        ("Llama-3.1-405B", 405.853),
        ("gemma-2-2b", 2.614),
        ("gemma-3-27b", 27.432),
        ("Mistral-Small-24B-2501", 23.572),
        ("Mixtral-8x7B", 46.703),
        ("Phi-4", 14.660),
        ("DeepSeek-Coder-V2-Lite", 15.706),
        ("DeepSeek-V2.5", 235.741),
        ("DeepSeek-R1", 671.026),
        ("DeepSeek-V4-Flash", 284.3),
        ("GLM-4.7", 352.798),
        ("GLM-4.7-Flash", 29.943),
        ("GLM-5.1", 743.911),
        ("Kimi-K2-Instruct", 1026.408),
        ("Kimi-Linear-48B-A3B", 49.12),
        ("MiniMax-M2.7", 228.690),
        ("Nemotron-Nano-9B-v2", 8.888),
        ("Nemotron-3-Nano-30B-A3B", 31.578),
        ("Nemotron-3-Super-120B-A12B", 120.67),
        ("Seed-OSS-36B", 36.151),
        ("Granite-4.0-H-Small", 32.207),
        ("Hunyuan-A13B", 80.393),
        ("Command-A", 111.058),
        ("gpt-oss-120b", 116.829),
    ],
)
def test_the_count_of_a_model_is_the_published_one(name: str, billions: float) -> None:
    assert parameters_of(BY_NAME[name].architecture).total / 1e9 == pytest.approx(billions, rel=0.001)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_total_of_the_catalogue_is_the_sum_of_the_parts(model: Model) -> None:
    counted = parameters_of(model.architecture).total
    # Norms, biases and other vectors are not counted.
    assert counted == pytest.approx(model.total_params, rel=0.001)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_weights_in_bf16_that_nobody_measured_are_two_bytes_a_parameter(model: Model) -> None:
    for variant in model.variants:
        if variant.precision == "bf16" and not variant.measured:
            ratio = variant.weights_gib * 2**30 / (2 * model.total_params)
            assert 0.995 < ratio < 1.04, variant.hf_id


def test_experts_routers_and_shared_experts_are_told_apart() -> None:
    parts = parameters_of(BY_NAME["Qwen3.6-35B-A3B"].architecture)
    assert parts.experts == 40 * 256 * 3 * 2048 * 512
    assert parts.shared_experts == 40 * 3 * 2048 * 512
    assert parts.routers == 40 * 2048 * 256
    assert parts.feed_forward == 0


def test_tied_embeddings_count_once() -> None:
    parts = parameters_of(BY_NAME["Qwen3-0.6B"].architecture)
    assert (parts.embedding, parts.head) == (151936 * 1024, 0)


def test_latent_attention_holds_its_compressing_projections_on_every_rank() -> None:
    parts = parameters_of(BY_NAME["DeepSeek-R1"].architecture)
    # 7168 inputs to 512 + 64 key-value and 1536 query dimensions, in 61 layers.
    assert parts.latent_down == 61 * 7168 * (512 + 64 + 1536)


def test_experts_in_a_narrower_space_are_counted_there() -> None:
    parts = parameters_of(BY_NAME["Nemotron-3-Super-120B-A12B"].architecture)
    # Two matrices an expert (no gate), 1024 wide inputs.
    assert parts.experts == 40 * 512 * 2 * 1024 * 2688
