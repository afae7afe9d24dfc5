"""Checkpoints that the catalogue does not list: whose shape and which precision their names tell."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from onprem_agents.advice.past_runs import predict
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.errors import UnknownFact
from onprem_agents.sizing import checkpoint_named

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("name", "model", "precision"),
    [
        ("unsloth/Llama-3.3-70B-Instruct-bnb-4bit", "Llama-3.3-70B", "bnb4"),
        ("RedHatAI/Qwen3-32B-quantized.w4a16", "Qwen3-32B", "int4"),
        ("neuralmagic/Meta-Llama-3.1-70B-Instruct-FP8", "Llama-3.1-70B", "fp8"),
        ("QuantTrio/Qwen3-235B-A22B-Instruct-2507-AWQ", "Qwen3-235B-A22B-Instruct-2507", "int4"),
        ("Qwen/Qwen2.5-14B-Instruct-GPTQ-Int8", "Qwen2.5-14B", "int8"),
        ("nvidia/Llama-3.1-405B-Instruct-FP4", "Llama-3.1-405B", "nvfp4"),
        ("unsloth/gpt-oss-20b-BF16", "gpt-oss-20b", "bf16"),
        # a fine-tune that names two models is of the shape that it names in full
        ("NousResearch/Hermes-3-Llama-3.1-8B", "Llama-3.1-8B", None),
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", "Qwen3-8B", None),
        # a thinking sibling of a dated model
        ("Qwen/Qwen3-30B-A3B-Thinking-2507", "Qwen3-30B-A3B-Instruct-2507", None),
        # of the same shape by its config.json, not by its name
        ("zai-org/GLM-4.5-FP8", "GLM-4.6", "fp8"),
        ("mistralai/Magistral-Small-2509", "Mistral-Small-3.2-24B", None),
    ],
)
def test_the_name_of_a_copy_tells_model_and_precision(name: str, model: str, precision: str | None) -> None:
    alike = CATALOG.resembling(name)
    assert alike is not None
    assert (alike.model.name, alike.precision) == (model, precision)


@pytest.mark.parametrize(
    "name",
    [
        "cerebras/GLM-4.7-REAP-218B-A32B-FP8",  # experts were taken out
        "nvidia/Llama-3_1-Nemotron-Ultra-253B-v1",  # another size
        "Qwen/Qwen3.5-2B",
        "nvidia/NVIDIA-Nemotron-3-Nano-4B-BF16",
        "zai-org/GLM-5.3-Flash",  # a smaller sibling of a name without a size
        "Qwen/Qwen2.5-VL-32B-Instruct",  # a tower that the model of text alone lacks
        "RedHatAI/Qwen3-8B-speculator.eagle3",  # a draft model
        "Qwen/Qwen3-8B-GGUF",  # layouts of other engines
        "mlx-community/Qwen3-8B-4bit",
    ],
)
def test_a_name_that_hints_at_another_shape_is_no_copy(name: str) -> None:
    assert CATALOG.resembling(name) is None
    with pytest.raises(UnknownFact):
        checkpoint_named(name, "", CATALOG)


def test_every_model_is_a_copy_of_itself() -> None:
    for model in CATALOG.models:
        alike = CATALOG.resembling(f"someone/{model.hf_id.partition('/')[2]}-AWQ-INT4")
        assert alike is not None, model.name
        assert alike.model.architecture.layers == model.architecture.layers, model.name
        assert alike.model.total_params == pytest.approx(model.total_params, rel=0.01), model.name


def test_a_copy_is_counted_in_its_own_precision() -> None:
    # 68.5 of 70.6 billion parameters at 0.525 bytes, the rest at 2
    copy = checkpoint_named("unsloth/Llama-3.3-70B-Instruct-bnb-4bit", "", CATALOG)
    assert copy.variant.weights_gib == pytest.approx(37.4, abs=0.1)
    # a maker whose groups of 32 elements share a scale: 0.0425 bytes more for 24.4 billion parameters
    small = checkpoint_named("cyankiwi/Qwen3.5-27B-AWQ-4bit", "", CATALOG).variant
    usual = checkpoint_named("someone/Qwen3.5-27B-AWQ-4bit", "", CATALOG).variant
    assert small.weights_gib - usual.weights_gib == pytest.approx(0.97, abs=0.05)


def test_a_copy_is_less_sure_than_the_checkpoint_that_it_is_like() -> None:
    listed = checkpoint_named("RedHatAI/Qwen2.5-3B-Instruct-FP8-dynamic", "", CATALOG)
    copy = checkpoint_named("someone/Qwen2.5-3B-Instruct-FP8", "", CATALOG)
    # the same figure of a log, of which a copy may be 4 % off on top: what makers in FP8 differ by
    assert copy.variant.weights_gib == listed.variant.weights_gib == 3.23
    assert (listed.uncertainty, copy.uncertainty) == (0.0, 0.04)


def test_a_checkpoint_of_any_maker_holds_the_encoder_once() -> None:
    # 19.55 GiB in a log for text alone, 0.831 of encoder; two others by makers who leave more in BF16
    alike = checkpoint_named("Qwen/Qwen3.6-35B-A3B", "nvfp4", CATALOG)
    assert alike.variant.measured_tower is True
    assert alike.variant.weights_gib == pytest.approx(19.55 + 0.831, abs=0.001)


def test_a_copy_by_somebody_else_asks_for_no_cache_in_fp8() -> None:
    listed = checkpoint_named("nvidia/Gemma-4-31B-IT-NVFP4", "", CATALOG)
    assert listed.variant.kv_cache_dtype == "fp8"
    assert checkpoint_named("someone/gemma-4-31B-it-NVFP4", "", CATALOG).variant.kv_cache_dtype is None


def test_the_band_of_a_copy_is_wider_on_the_command_line_too() -> None:
    def width(name: str) -> float:
        asked = ["fit", name, "--gpu", "L40S", "--context", "8192", "--json"]
        told = json.loads(CliRunner().invoke(main, asked).stdout)["prediction"]
        return float(told["available_kv_gib_high"] - told["available_kv_gib_low"])

    assert width("someone/Qwen2.5-3B-Instruct-FP8") > width("RedHatAI/Qwen2.5-3B-Instruct-FP8-dynamic")


def test_a_row_of_a_copy_is_answered_and_says_what_it_was_taken_for() -> None:
    row = {
        "id": "a",
        "hf_id": "kosbu/Llama-3.3-70B-Instruct-AWQ",
        "gpu": "NVIDIA H100 80GB",
        "max_model_len": "8192",
    }
    answer = predict(row, CATALOG)
    assert answer["verdict"] == "fits"
    assert answer["reason"].startswith(
        "kosbu/Llama-3.3-70B-Instruct-AWQ is not in the catalogue; by its name it has the shape of Llama-3.3-70B; "
    )


def test_fit_names_the_model_that_a_copy_was_taken_for() -> None:
    done = CliRunner().invoke(
        main, ["fit", "NousResearch/Hermes-3-Llama-3.1-8B", "--gpu", "L40S", "--context", "8192"]
    )
    assert done.exit_code == 0, done.output
    assert (
        "by its name it has the shape of Llama-3.1-8B, sized in bf16; its own files may differ" in done.stderr
    )


def test_makers_agree_on_dense_models_in_int4_and_their_groups_are_128_where_a_maker_is_named() -> None:
    named = checkpoint_named(
        "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
        "int4",
        CATALOG,
        repository="someone/A-W4A16",
    )
    unnamed = checkpoint_named(
        "Qwen/Qwen3-Coder-30B-A3B-Instruct", "int4", CATALOG, repository="someone/A-W4A16"
    )
    assert (named.variant.weight_block, unnamed.variant.weight_block) == (128, None)


def test_a_mixture_with_linear_attention_in_int4_is_half_way_between_all_and_none_of_it_quantised() -> None:
    alike = checkpoint_named("Qwen/Qwen3-Next-80B-A3B-Instruct", "int4", CATALOG)
    # experts in INT4 and all the rest but the table and the head too: 39.5 GiB; a byte for that rest, 0.76 more
    assert alike.variant.weights_gib == pytest.approx(40.3, abs=0.1)
