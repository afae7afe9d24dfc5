"""What a name stands for: one release of a model, in whatever wrapping; no other is served in its place unsaid."""

from __future__ import annotations

import re

import pytest

from onprem_agents.catalog import Model, load_catalog

pytestmark = pytest.mark.unit

CATALOG = load_catalog()

# Words of a name that tell how the weights are wrapped, not which weights they are.
WRAPPING = frozenset(
    [
        "fp8",
        "nvfp4",
        "fp4",
        "int4",
        "int8",
        "bf16",
        "awq",
        "gptq",
        "autoround",
        "bnb",
        "4bit",
        "8bit",
        "bit",
        "w4a16",
        "w8a8",
        "quantized",
        "dynamic",
        "block",
        "qat",
        "ct",
    ]
)
# Words that this catalogue's own names and the makers' old ids leave out: no model has a second release by them.
UNTOLD = frozenset(["instruct", "it", "meta", "nvidia", "c4ai", "hf"])

# Dates that the catalogue's own name of a model, or another name of it, leaves out. A line may be added only after
# looking that its maker released nothing else of that name and size.
UNDATED = {
    "Command-A": {"03", "2025"},
    "Command-A-Reasoning": {"08", "2025"},
    "Devstral-2-123B": {"2512"},
    "Devstral-Small-2-24B": {"2512"},
    "Ministral-3-8B": {"2512"},
    "Mistral-Nemo-12B": {"2407"},
    "Mistral-Small-3.2-24B": {"2506"},
}
# Sizes that an id leaves out and the catalogue's name tells, and the reverse.
SIZES = {
    "Llama-4-Maverick": {"17b", "128e"},
    "Llama-4-Scout": {"17b", "16e"},
    "Mistral-Nemo-12B": {"12b"},
    "Qwen3-Coder-30B-A3B": {"a3b"},
    "Qwen3-Coder-480B-A35B": {"a35b"},
    "Devstral-Small-2-24B": {"24b"},
    "Mixtral-8x7B": {"v0.1"},
}


def words(name: str) -> frozenset[str]:
    """Return the words of a name that tell which weights it stands for."""
    text = name.rpartition("/")[2].casefold().replace("_", ".")
    # 1.5.b is 1.5b, llama-3.3 and llama-3_3 are one.
    parts = [part for part in re.split(r"-|\.(?!\d)|(?<!\d)\.", text) if part]
    return frozenset(part for part in parts if part not in WRAPPING | UNTOLD)


def other_names(model: Model) -> list[str]:
    """Return all names that lead to a model, without its own id."""
    return [*model.aliases, *(variant.hf_id for variant in model.variants if variant.hf_id != model.hf_id)]


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_every_other_name_and_every_checkpoint_is_of_the_release_that_the_models_id_names(
    model: Model,
) -> None:
    release = words(model.hf_id)
    for name in other_names(model):
        told = words(name)
        assert told <= release, f"{name} says {sorted(told - release)}, which {model.hf_id} does not"
        assert release - told <= UNDATED.get(model.name, set()) | SIZES.get(model.name, set()), (
            f"{name} does not say {sorted(release - told)}: it may be another release than {model.hf_id}"
        )


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_a_models_own_name_tells_its_release(model: Model) -> None:
    differing = words(model.name) ^ words(model.hf_id)

    assert differing <= UNDATED.get(model.name, set()) | SIZES.get(model.name, set()), sorted(differing)


def test_each_line_of_the_tables_is_needed() -> None:
    named = {model.name: model for model in CATALOG.models}
    for name, left_out in (*UNDATED.items(), *SIZES.items()):
        model = named[name]
        differing = words(name) ^ words(model.hf_id)
        for alias in other_names(model):
            differing |= words(model.hf_id) ^ words(alias)
        assert left_out <= differing, name


def test_no_two_models_are_one_release() -> None:
    releases = [words(model.hf_id) for model in CATALOG.models]
    assert len(set(releases)) == len(releases)


@pytest.mark.parametrize(
    ("asked", "context_tokens", "thinking", "tool_call_parser"),
    [
        ("Qwen/Qwen3-4B-Instruct-2507", 262_144, "none", "hermes"),
        ("Qwen/Qwen3-4B", 40_960, "on", "hermes"),
        ("mistralai/Devstral-Small-2505", 131_072, "none", "mistral"),
        ("deepseek-ai/DeepSeek-V3", 163_840, "none", None),
        ("deepseek-ai/DeepSeek-V3.1-Terminus", 163_840, "off", "deepseek_v31"),
        ("deepseek-ai/DeepSeek-Coder-V2-Instruct", 163_840, "none", None),
        ("deepseek-ai/DeepSeek-V2.5-1210", 163_840, "none", None),
        ("deepseek-ai/DeepSeek-R1", 163_840, "on", None),
        ("deepseek-ai/DeepSeek-R1-0528", 163_840, "on", "deepseek_v3"),
        ("deepseek-ai/DeepSeek-V4-Flash-0731", 1_048_576, "on", "deepseek_v4"),
        ("moonshotai/Kimi-K2-Instruct", 131_072, "none", "kimi_k2"),
        ("moonshotai/Kimi-K2-Instruct-0905", 262_144, "none", "kimi_k2"),
        # its card: 256K, configured for 128K
        ("CohereLabs/c4ai-command-a-03-2025", 131_072, "none", "cohere_command3"),
        ("CohereLabs/command-a-reasoning-08-2025", 262_144, "on", "cohere_command3"),
    ],
)
def test_releases_that_went_by_one_name_have_their_own_facts(
    asked: str, context_tokens: int, thinking: str, tool_call_parser: str | None
) -> None:
    model = CATALOG.model(asked)

    assert model.hf_id == asked
    assert model.architecture.max_context_tokens == context_tokens
    assert model.thinking == thinking
    assert model.tool_call_parser == tool_call_parser
    assert (model.reasoning_parser is None) == (thinking == "none")


@pytest.mark.parametrize(
    ("name", "hf_id"),
    [
        ("Hunyuan-A13B-Instruct", "tencent/Hunyuan-A13B-Instruct"),
        ("gemma-4-12b-it", "google/gemma-4-12B-it"),
        ("Gemma 4 26B-A4B", "google/gemma-4-26B-A4B-it"),
    ],
)
def test_a_makers_id_may_leave_out_its_owner_and_names_may_have_spaces(name: str, hf_id: str) -> None:
    assert CATALOG.model(name).hf_id == hf_id


def test_ids_without_owner_that_several_makers_share_name_no_checkpoint() -> None:
    # nvidia, unsloth and others have one each
    assert CATALOG._found("Qwen3.6-27B-NVFP4") is None
    model, variant = CATALOG.model_and_variant("Qwen3.6-27B-FP8")
    assert variant is not None
    assert (model.name, variant.hf_id) == ("Qwen3.6-27B", "Qwen/Qwen3.6-27B-FP8")
