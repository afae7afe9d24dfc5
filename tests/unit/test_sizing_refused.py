"""Settings that vLLM refuses at its start: named before, with what would do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import fit, release_rules
from onprem_agents.sizing.request import default_batch_tokens
from tests.unit.sizing_samples import named_request as request

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"context_tokens": 0}, "context_tokens is 0"),
        ({"max_num_seqs": -1}, "max_num_seqs is -1"),
        ({"max_num_batched_tokens": 0}, "max_num_batched_tokens is 0"),
        ({"kv_cache_dtype": "int8"}, "kv_cache_dtype is 'int8'"),
        ({"gpu_memory_utilization": 1.5}, "gpu_memory_utilization is 1.5"),
        ({"gpu_memory_utilization": 0.995}, "leaves 0.40 GiB of H100 outside vLLM's budget"),
        ({"context_tokens": 300_000}, "beyond the 262144 of Qwen3.6-27B"),
        ({"max_num_seqs": 4096}, "is below max_num_seqs 4096"),
        ({"max_num_batched_tokens": 1024, "vllm": "0.26.0"}, "is below the 1568 tokens of one KV block"),
        ({"tensor_parallel": 0}, "tensor parallel 0"),
        ({"tensor_parallel": 3}, "4 KV heads of the full layers"),
        ({"tensor_parallel": 5}, "24 attention heads cannot be split over 5 GPUs"),
    ],
)
def test_settings_that_vllm_refuses_are_named(changes: dict[str, object], words: str) -> None:
    verdict = fit(request("Qwen3.6-27B", "fp8", "H100", **changes))
    assert not verdict.fits
    assert any(words in problem for problem in verdict.problems), verdict.problems


@pytest.mark.parametrize(
    "changes",
    [{"vllm": "0.27.1"}, {"vllm": "0.26.0", "prefix_caching": False}, {"vllm": "0.25.1"}],
    ids=str,
)
def test_a_batch_below_a_block_is_refused_with_prefix_caching_up_to_0_26_alone(
    changes: dict[str, Any],
) -> None:
    # vllm 0.26.0 and 0.27.0, config/vllm.py, validate_block_size; 0.25 caches no prefixes of hybrid models by default
    assert fit(request("Qwen3.6-27B", "fp8", "H100", max_num_batched_tokens=1024, **changes)).fits


def test_speculation_without_draft_layers_is_refused() -> None:
    verdict = fit(request("gpt-oss-20b", "mxfp4", "H100", speculative_tokens=3))
    assert any("no MTP layers" in problem for problem in verdict.problems)


# vLLM 0.22.1, engine/arg_utils.py: the default is raised to hold one item of a model that attends to it whole, a given
# value is not, and is refused (v1/core/encoder_cache_manager.py). 2,496 tokens are one video of Gemma 4 26B; E2B
# attends in one direction.
@pytest.mark.parametrize(
    ("model", "vllm", "has_encoder", "tokens"),
    [
        ("gemma-4-26B-A4B", "0.22.1", True, 2496),
        ("gemma-4-26B-A4B", "0.21.0", True, 2048),
        ("gemma-4-26B-A4B", "0.33.0", False, 2048),
        ("gemma-4-E2B", "0.33.0", True, 2048),
    ],
)
def test_only_a_default_batch_is_raised_to_hold_a_whole_item(
    model: str, vllm: str, has_encoder: bool, tokens: int
) -> None:
    known, gpu = CATALOG.model(model), CATALOG.accelerator("L40S")
    assert default_batch_tokens(known, gpu, release_rules(vllm), has_encoder=has_encoder) == tokens


def test_a_batch_that_cannot_hold_an_item_is_refused_as_vllm_refuses_it() -> None:
    asked = request("gemma-4-26B-A4B", "int4", "L40S", language_model_only=False)
    assert "batch-below-item" in {refusal.cause for refusal in fit(asked).refusals}
    whole = fit(replace(asked, max_num_batched_tokens=2496))
    assert whole.fits
    text_only = fit(replace(asked, language_model_only=True))
    assert whole.kv_per_session_gib > text_only.kv_per_session_gib, "a batch in flight keeps its window"
    assert not fit(replace(asked, vllm="0.21.0")).fits, "0.20.2 refuses its own default as well"


def test_what_others_hold_of_a_gpu_is_missing_outside_vllms_budget() -> None:
    # vllm 0.33.0, v1/worker/utils.py, request_memory: the budget is a share of the whole GPU, and a start with less
    # free memory than that is refused. 0.92 of 79.11 GiB leaves 6.33 beside it.
    alone = request("Qwen3.6-27B", "fp8", "H100")
    shared = replace(alone, other_memory_gib=6.0)
    assert fit(alone).fits
    (refusal,) = fit(shared).refusals
    assert refusal.cause == "outside-the-budget"
    assert "others hold 6.00 GiB" in refusal.text
    assert fit(shared).kv_pool_gib == fit(alone).kv_pool_gib, "the budget itself is no smaller"


def test_a_block_size_or_memory_of_others_below_zero_is_refused_as_a_figure() -> None:
    verdict = fit(request("Qwen3.6-27B", "fp8", "H100", other_memory_gib=-1.0, block_size=0))
    assert {refusal.setting for refusal in verdict.refusals} == {"other_memory_gib", "block_size"}
