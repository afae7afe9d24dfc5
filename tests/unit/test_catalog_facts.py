"""Facts of the catalogue that would hurt if they were wrong, and rules every entry keeps."""

from __future__ import annotations

import pytest

from onprem_agents.catalog import Model, load_catalog

pytestmark = pytest.mark.unit

MODELS = load_catalog().models
BY_NAME = {model.name: model for model in MODELS}


# vLLM 0.33.0 documentation and recipes, November 2026.
@pytest.mark.parametrize(
    ("name", "tool_parser", "reasoning_parser", "template"),
    [
        ("Qwen3.6-27B", "qwen3_coder", "qwen3", None),
        ("Qwen3.6-35B-A3B", "qwen3_coder", "qwen3", None),
        ("Qwen3-Coder-30B-A3B", "qwen3_coder", None, None),
        ("Qwen3-Coder-480B-A35B", "qwen3_coder", None, None),
        ("gemma-4-31B", "gemma4", "gemma4", "/vllm-workspace/examples/tool_chat_template_gemma4.jinja"),
        ("gemma-4-12B", "gemma4", "gemma4", "/vllm-workspace/examples/tool_chat_template_gemma4.jinja"),
        ("gpt-oss-120b", "openai", None, None),
    ],
)
def test_each_model_has_the_parsers_and_the_template_that_vllm_documents(
    name: str, tool_parser: str, reasoning_parser: str | None, template: str | None
) -> None:
    model = BY_NAME[name]
    assert (model.tool_call_parser, model.reasoning_parser, model.chat_template) == (
        tool_parser,
        reasoning_parser,
        template,
    )


def test_codex_is_said_not_to_work_with_harmony_models() -> None:
    for name in ("gpt-oss-120b", "gpt-oss-20b"):
        codex = BY_NAME[name].agents["codex"]
        assert codex.works == "no"
        assert "49493" in codex.source.where


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_layers_with_a_cache_of_their_own_are_no_more_than_all_layers(model: Model) -> None:
    own = sum(group.layers for group in model.architecture.attention)
    assert own <= model.architecture.layers
    # The two small Gemma models share caches between layers (num_kv_shared_layers 20 and 18); in Nemotron models a
    # layer is attention, Mamba or feed-forward, or lost its attention by pruning.
    without = {
        "gemma-4-E2B": 20,
        "gemma-4-E4B": 18,
        "Nemotron-Nano-9B-v2": 25,
        "Nemotron-Nano-12B-v2": 28,
        "Nemotron-3-Nano-30B-A3B": 23,
        "Nemotron-3.5-Lightning-30B-A3B": 23,
        "Nemotron-3-Super-120B-A12B": 40,
        "Nemotron-3-Ultra-550B-A55B": 48,
        "Llama-3.3-Nemotron-Super-49B-v1": 31,
        "Llama-3.3-Nemotron-Super-49B-v1.5": 31,
    }
    assert model.architecture.layers - own == without.get(model.name, 0)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_weights_lie_between_half_a_byte_and_the_bf16_size(model: Model) -> None:
    for variant in model.variants:
        left_out = model.architecture.vision_params if variant.measured_tower is False else 0
        params_gib = (model.total_params - left_out) / 2**30
        # Towers that the text parameter count leaves out, and padded kernels, explain up to 15 % above BF16.
        assert 0.5 * params_gib < variant.weights_gib < 2.3 * params_gib, variant.hf_id
        if variant.precision == "bf16":
            assert variant.weights_gib >= 1.98 * params_gib, variant.hf_id


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_mixtures_count_all_experts_and_not_only_the_active_ones(model: Model) -> None:
    if model.architecture.experts:
        assert model.total_params / 1e9 > 3 * model.active_params_b


def test_a_thinking_model_has_a_reasoning_parser_except_where_the_protocol_carries_it() -> None:
    without = {model.name for model in MODELS if model.reasoning and model.reasoning_parser is None}
    assert without == {"gpt-oss-120b", "gpt-oss-20b"}


def test_gpus_report_less_memory_than_their_name_promises() -> None:
    for gpu in load_catalog().accelerators:
        assert gpu.total_gib < gpu.nominal_gb, gpu.name
        assert gpu.total_gib <= gpu.memory_label_mib / 1024, gpu.name


def test_native_precision_follows_the_hardware_generation() -> None:
    catalog = load_catalog()
    qwen = BY_NAME["Qwen3.6-27B"]
    fp8, nvfp4, int4 = qwen.variant("fp8"), qwen.variant("nvfp4"), qwen.variant("int4")
    assert catalog.accelerator("L40S").computes_in(fp8)
    assert not catalog.accelerator("A100-80").computes_in(fp8)
    assert catalog.accelerator("RTX-5090").computes_in(nvfp4)
    assert not catalog.accelerator("H100").computes_in(nvfp4)
    assert not catalog.accelerator("H100").computes_in(int4)
    assert catalog.accelerator("L4").native_fp8
    assert not catalog.accelerator("A10").native_fp8
    assert catalog.accelerator("B200").native_fp4
    assert catalog.accelerator("GB10").computes_in(nvfp4)
    assert not catalog.accelerator("H200").native_fp4


def test_the_qwen_4_bit_checkpoint_that_does_not_exist_is_not_offered() -> None:
    assert not BY_NAME["Qwen3.6-27B"].has_variant("Qwen/Qwen3.6-27B-GPTQ-Int4")
