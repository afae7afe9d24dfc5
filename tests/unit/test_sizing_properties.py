"""What must hold whatever the model: more memory, longer context, more GPUs, and the largest context printed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import (
    changes_that_fit,
    fit,
    memory_of,
    tensor_parallel_problems,
)
from tests.unit.sizing_samples import request, sample

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
ORDER = {"does_not_fit": 0, "too_close": 1, "fits": 2}

SAMPLE = sample(400)


def test_more_memory_never_fits_less() -> None:
    for asked in SAMPLE:
        before = -1
        for factor in (0.5, 1.0, 1.3, 2.0, 4.0):
            gpu = asked.accelerator.model_copy(update={"total_gib": asked.accelerator.total_gib * factor})
            now = ORDER[memory_of(replace(asked, accelerator=gpu)).verdict]
            assert now >= before, (asked.variant.hf_id, asked.accelerator.name)
            before = now


def test_a_longer_context_never_needs_less() -> None:
    for asked in SAMPLE:
        layout = memory_of(asked).layout
        needed = [
            layout.blocks_per_request(tokens) for tokens in (1, 16, 17, 1000, 4096, 4097, 50_000, 131_072)
        ]
        assert needed == sorted(needed), asked.variant.hf_id


def test_tensor_parallel_never_makes_the_weights_of_one_gpu_grow() -> None:
    for model in CATALOG.models:
        for variant in model.variants:
            sizes = [size for size in (1, 2, 4, 8) if not tensor_parallel_problems(model, variant, size)]
            weights = [memory_of(request(model, variant, tensor_parallel=size)).weights.gib for size in sizes]
            assert weights == sorted(weights, reverse=True), variant.hf_id


def test_the_printed_largest_context_is_the_largest_that_fits() -> None:
    tried = 0
    for asked in SAMPLE:
        verdict = fit(asked)
        largest, limit = verdict.largest_context_tokens, asked.model.architecture.max_context_tokens
        if verdict.memory is None or not 0 < largest < limit:
            continue
        tried += 1
        layout, pool = verdict.memory.layout, verdict.kv_pool_gib
        assert layout.blocks_in(pool) >= layout.blocks_per_request(largest)
        assert layout.blocks_in(pool) < layout.blocks_per_request(largest + 1)
    assert tried > 10  # the sample holds that many which memory bounds


def test_the_careful_end_never_promises_more_than_the_best_estimate() -> None:
    for asked in SAMPLE:
        memory = memory_of(asked)
        assert memory.careful_pool_gib < memory.pool_gib < memory.hopeful_pool_gib


def test_fits_means_that_the_careful_end_holds_the_request() -> None:
    for asked in SAMPLE:
        verdict = fit(asked)
        if verdict.fits:
            assert verdict.memory is not None
            assert verdict.memory.verdict == "fits"
            assert verdict.sessions >= 1


@pytest.mark.parametrize("tensor_parallel", [-1, 0, 3])
def test_a_split_that_is_no_split_is_mended_with_the_rest(tensor_parallel: int) -> None:
    model = CATALOG.model("Qwen3.6-27B")
    asked = request(model, model.variant("fp8"), tensor_parallel=tensor_parallel)
    for gpus in (0, 1, 8):
        for change in changes_that_fit(asked, gpus_per_node=gpus, buying=False):
            assert change.fit.fits
            assert change.request.tensor_parallel >= 1
