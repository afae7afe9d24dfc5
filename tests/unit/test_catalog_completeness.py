"""No figure of the catalogue is missing silently: each is there, or its entry says that and why it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.catalog import Accelerator, Model, load_catalog, loader

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
FOLDER = Path(loader.__file__).parent
RAW = {
    entry["name"]: entry
    for file in sorted((FOLDER / "models").glob("*.yaml"))
    for entry in yaml.safe_load(file.read_text())
}
# How the source of a weight that was not printed says where the figure is from.
ESTIMATED = ("computed", "on disk", "as cyankiwi", "recipes/", "index", "part of the tower", "project notes")


def test_the_catalogue_holds_enough_models_and_accelerators() -> None:
    assert len(CATALOG.models) >= 55
    assert len(CATALOG.accelerators) >= 30
    assert sum(gpu.mig is not None for gpu in CATALOG.accelerators) >= 10


@pytest.mark.parametrize(
    "hf_id",
    [
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Qwen/Qwen2.5-72B-Instruct",
        "Qwen/Qwen3-0.6B",
        "Qwen/Qwen3-235B-A22B-Instruct-2507",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct",
        "Qwen/Qwen3-Next-80B-A3B-Instruct",
        "Qwen/Qwen3-VL-8B-Instruct",
        "Qwen/Qwen3-Omni-30B-A3B-Instruct",
        "Qwen/Qwen3.5-122B-A10B",
        "Qwen/Qwen3.6-35B-A3B",
        "Qwen/Qwen3.8-Flash-Next",
        "Qwen/QwQ-32B",
        "meta-llama/Llama-3.2-1B-Instruct",
        "meta-llama/Llama-3.3-70B-Instruct",
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B",
        "google/gemma-2-9b-it",
        "google/gemma-3-4b-it",
        "google/gemma-4-E2B-it",
        "openai/gpt-oss-20b",
        "mistralai/Devstral-Small-2-24B-Instruct-2512",
        "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
        "zai-org/GLM-5.3",
        "moonshotai/Kimi-K2.5",
        "moonshotai/Kimi-Linear-48B-A3B-Instruct",
        "MiniMaxAI/MiniMax-M2.1",
        "deepseek-ai/DeepSeek-V2.5",
        "deepseek-ai/DeepSeek-R1",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B",
        "deepseek-ai/DeepSeek-V4-Flash",
        "ByteDance-Seed/Seed-OSS-36B-Instruct",
        "ibm-granite/granite-4.0-h-small",
        "tencent/Hunyuan-A13B-Instruct",
        "CohereLabs/command-a-reasoning-08-2025",
        "poolside/Laguna-XS.2",
        "microsoft/phi-4",
        "OpenGVLab/InternVL3-78B",
    ],
)
def test_every_family_that_people_serve_has_its_members(hf_id: str) -> None:
    assert CATALOG.model(hf_id)


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_nothing_of_an_architecture_is_left_to_a_default(model: Model) -> None:
    raw: dict[str, Any] = RAW[model.name]["architecture"]
    assert "tie_word_embeddings" in raw
    assert ("intermediate_size" in raw) or ("experts" in raw)
    for group in raw["attention"]:
        if group["kind"] == "latent":
            assert {"nope_head_dim", "value_head_dim"} <= set(group)
            told = {group.get(key, 0) > 0 for key in ("index_layers", "index_heads", "index_head_dim")}
            assert len(told) == 1, "an indexer needs layers, heads and a dimension"
    if "experts" in raw and "intermediate_size" in raw:
        assert "layers" in raw["experts"] or "dense_layers" in raw, "which layers have experts must be said"


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_a_model_with_towers_counts_them_or_says_that_it_cannot(model: Model) -> None:
    if model.multimodal:
        told = any("tower" in note or "vision" in note for note in model.notes)
        assert model.architecture.vision_params or told


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_weights_say_whether_a_log_showed_them_or_they_were_estimated(model: Model) -> None:
    for variant in model.variants:
        where = variant.source.where
        if variant.measured:
            assert not where.startswith("computed"), variant.hf_id
            assert any(word in where for word in ("log", "loaded", "#", "a rank")), variant.hf_id
        else:
            assert any(word in where for word in ESTIMATED), variant.hf_id
        for parallel, gib in variant.loaded_gib_per_gpu.items():
            # Replicated parts and padding make the ranks together heavier than the whole, by up to a fifth.
            assert 0.95 < parallel * gib / variant.weights_gib < 1.25, variant.hf_id


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_low_confidence_is_said_where_a_shape_was_inferred(model: Model) -> None:
    where = model.architecture.source.where
    if "by the family's scheme" in where or where.startswith("shape of"):
        assert "low confidence" in where or "to the token" in where


@pytest.mark.parametrize("gpu", CATALOG.accelerators, ids=lambda gpu: gpu.name)
def test_memory_says_whether_it_was_seen_or_estimated(gpu: Accelerator) -> None:
    assert gpu.total_source.where.startswith("estimate:") != gpu.total_seen
    assert gpu.total_gib <= gpu.memory_label_mib / 1024


@pytest.mark.parametrize("gpu", CATALOG.accelerators, ids=lambda gpu: gpu.name)
def test_arithmetic_rates_fit_the_generation(gpu: Accelerator) -> None:
    assert (gpu.fp8_tflops is not None) == gpu.native_fp8
    if gpu.fp8_tflops:
        assert 1.9 < gpu.fp8_tflops / gpu.bf16_tflops < 2.1


def test_slices_are_cut_from_a_gpu_that_is_there_and_share_what_it_has() -> None:
    for gpu in CATALOG.accelerators:
        if gpu.mig is None:
            continue
        parent = CATALOG.accelerator(gpu.mig.parent)
        assert gpu.product_label == f"{parent.product_label}-MIG-{gpu.mig.profile}"
        assert gpu.total_gib < parent.total_gib / 1.9
        assert gpu.bandwidth_gb_per_second <= parent.bandwidth_gb_per_second / 2
        assert gpu.bf16_tflops == pytest.approx(parent.bf16_tflops * gpu.mig.compute_slices / 7, rel=0.01)
        assert not gpu.nvlink, "slices cannot talk over NVLink"
