"""What vLLM takes besides weights and cache: the encoder's pass, the context, and how far both may be off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import FitRequest, memory_of

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


def request(model: str, gpu: str, **changes: Any) -> FitRequest:
    known = CATALOG.model(model)
    base = FitRequest(
        model=known,
        variant=known.variant("bf16"),
        accelerator=CATALOG.accelerator(gpu),
        tensor_parallel=1,
        context_tokens=8192,
        max_num_seqs=16,
        kv_cache_dtype="auto",
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.92,
        vllm="0.33.0",
    )
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("gpu", "tensor_parallel", "vllm", "gib"),
    [
        ("A100-80", 1, "0.19.0", 0.1),
        ("A100-80", 8, "0.19.0", 0.1),  # NCCL takes what it needs before vLLM counts
        ("H100", 1, "0.33.0", 0.34),  # 0.3 % of 79.11 GiB on top
        ("H100", 2, "0.33.0", 0.94),
        ("H100", 8, "0.33.0", 0.94),
        ("RTX-3050-6GB", 1, "0.33.0", 0.12),
    ],
)
def test_the_context_grows_with_the_gpu_and_where_several_share_a_model(
    gpu: str, tensor_parallel: int, vllm: str, gib: float
) -> None:
    asked = request("Qwen3-8B", gpu, tensor_parallel=tensor_parallel, vllm=vllm, start="warm")
    assert memory_of(asked).overhead.non_torch_gib == pytest.approx(gib, abs=0.01)


def test_a_video_of_whole_frames_widens_the_careful_end_of_old_vision_models() -> None:
    old = request("Qwen3-VL-30B-A3B", "A100-80", language_model_only=False, vllm="0.11.0", start="warm")
    text = replace(old, language_model_only=True)
    # 4.6 GiB by two logs of 0.11.0, and the band of the encoder's own pass
    assert memory_of(old).band.more_gib - memory_of(text).band.more_gib == pytest.approx(4.6, abs=0.3)
    assert memory_of(replace(old, vllm="0.12.0")).band.more_gib < memory_of(old).band.more_gib - 4


@pytest.mark.parametrize(
    ("model", "batched", "gib"),
    [
        ("Qwen3-VL-8B", 2048, 1.47),  # one image of 65,536 patches, 24 KB each
        ("gemma-3-4b", 8192, 2.95),  # 32 images of 4,096 patches
        ("gemma-4-31B", 2496, 0.5),  # tokens of nine patches: a batch holds one whole video
        ("gemma-4-E2B", 2048, 0.29),  # 2,048: it attends to images in one direction; a tower 768 wide
    ],
)
def test_the_encoder_fills_a_batch_with_its_largest_items(model: str, batched: int, gib: float) -> None:
    asked = request(model, "H100", language_model_only=False, max_num_batched_tokens=batched)
    assert memory_of(asked).overhead.encoder_gib == pytest.approx(gib, abs=0.05)


@pytest.mark.parametrize(
    ("model", "gib"),
    [
        ("gemma-3-4b", 0.04),  # 8,192 tokens of 2,560
        ("Qwen3-VL-8B", 0.5),  # 16,384 tokens of one image, of 4,096, and three levels more of each
    ],
)
def test_what_the_encoder_made_lies_beside_the_pass_over_text(model: str, gib: float) -> None:
    asked = request(model, "H100", language_model_only=False, max_num_batched_tokens=8192, start="warm")
    rest = memory_of(asked).overhead
    assert rest.encoded_gib == pytest.approx(gib, abs=0.01)
    assert memory_of(replace(asked, language_model_only=True)).overhead.encoded_gib == 0
    assert rest.activation_gib == max(rest.forward_gib + rest.encoded_gib, rest.encoder_gib)


def test_the_sampler_is_known_better_than_a_pass_over_a_batch() -> None:
    # 5 % of a sort of 1,024 rows of 151,936 at 39 bytes, 5.7 GiB; 20 % of one pass over 16,384 tokens, 1.62 GiB
    sampling = request("Qwen3-8B", "H100", vllm="0.16.0", max_num_seqs=1024, start="warm")
    passing = request("Qwen3-8B", "H100", max_num_batched_tokens=16384, start="warm")
    for asked, share in ((sampling, 0.05), (passing, 0.2)):
        least, low, high, most = memory_of(asked).overhead.activation_ends_gib
        assert low == high
        assert most - high == pytest.approx(share * high)
        assert low - least == pytest.approx(share * low)
