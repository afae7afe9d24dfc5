"""What each vLLM release does with memory, as its own code says, and a release that is not told as a range of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import FitRequest, fit, memory_of, release_rules
from onprem_agents.sizing.overhead import captured_sizes
from onprem_agents.sizing.release import releases_of
from onprem_agents.sizing.runner import runs_v2, sampler_of

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


def request(model: str, variant: str, vllm: str | None, **changes: Any) -> FitRequest:
    known = CATALOG.model(model)
    base = FitRequest(
        model=known,
        variant=known.variant(variant),
        accelerator=CATALOG.accelerator("L40S"),
        tensor_parallel=1,
        context_tokens=8192,
        max_num_seqs=256,
        kv_cache_dtype="auto",
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.92,
        vllm=vllm,
    )
    return replace(base, **changes)


# vllm/config/vllm.py, use_v2_model_runner and the architectures it names, of each of these releases.
@pytest.mark.parametrize(
    ("model", "variant", "first", "last_without"),
    [
        ("Qwen3-8B", "bf16", "0.22.1", "0.21.0"),
        ("Qwen3-8B", "fp8", "0.24.0", "0.23.0"),  # quantised ones came two releases later
        ("Llama-3.1-8B", "bf16", "0.23.0", "0.22.1"),
        ("Seed-OSS-36B", "bf16", "0.25.1", "0.24.0"),  # any dense model
        ("DeepSeek-V4-Flash", "native", "0.28.0", "0.27.1"),
        ("gpt-oss-20b", "mxfp4", "0.29.0", "0.28.0"),  # experts
        ("Qwen3.6-27B", "fp8", "0.29.0", "0.28.0"),  # linear attention
    ],
)
def test_the_second_model_runner_came_model_by_model(
    model: str, variant: str, first: str, last_without: str
) -> None:
    assert runs_v2(request(model, variant, first))
    assert not runs_v2(request(model, variant, last_without))


@pytest.mark.parametrize(
    ("vllm", "tensor_parallel", "bytes_each", "most"),
    [
        ("0.10.2", 1, 14.0, 39.0),  # FlashInfer where it is installed, else a sort
        ("0.16.0", 1, 39.0, 39.0),  # the sort
        ("0.17.1", 1, 14.0, 14.0),  # BF16 logits, FP32 copy, probabilities, noise
        ("0.25.1", 1, 6.0, 6.0),  # V2: BF16 logits and their FP32 copy
        ("0.28.0", 1, 2.0, 2.0),  # V2 without a copy where nothing processes them
        ("0.33.0", 4, 4.5, 4.5),  # gathered from four GPUs: a quarter, all of it, and in order
    ],
)
def test_sampling_takes_the_bytes_that_the_code_of_a_release_allocates(
    vllm: str, tensor_parallel: int, bytes_each: float, most: float
) -> None:
    sampler = sampler_of(request("Qwen3-8B", "bf16", vllm, tensor_parallel=tensor_parallel))
    assert (sampler.bytes, sampler.most_bytes) == (bytes_each, most)


def test_no_gpu_samples_otherwise_than_another() -> None:
    gpus = [CATALOG.accelerator(name) for name in ("A100-80", "H100")]
    asked = [request("Qwen3-8B", "bf16", "0.16.0", accelerator=gpu) for gpu in gpus]
    first, second = (memory_of(one).overhead.sampler_gib for one in asked)
    assert first == second


def test_what_the_second_runner_keeps_counts_once_vllm_reads_the_device() -> None:
    # 256 sequences x 151,936 entries x (4 bytes and a bit): 0.15 GiB (v1/worker/gpu/sample/penalties.py). Until 0.26
    # vLLM counts what PyTorch holds beyond the weights only since the profile run (utils/mem_utils.py).
    kept = memory_of(request("Qwen3-8B", "bf16", "0.28.0")).overhead
    before = memory_of(request("Qwen3-8B", "bf16", "0.26.0")).overhead
    assert kept.buffers_gib == pytest.approx(0.149, abs=0.001)
    assert before.buffers_gib == 0.0
    assert before.outside_gib == pytest.approx(kept.outside_gib + 0.149, abs=0.001), (
        "it is taken all the same"
    )


@pytest.mark.parametrize(
    ("model", "variant", "vllm", "are_counted"),
    [
        ("Seed-OSS-36B", "bf16", "0.19.1", False),  # VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS is 0
        ("Seed-OSS-36B", "bf16", "0.20.0", True),  # and 1 from here on
        ("Seed-OSS-36B", "bf16", "0.25.1", False),  # V2 by now, whose profile_cudagraph_memory returns 0
        ("gpt-oss-20b", "mxfp4", "0.28.0", True),  # still V1
        ("Seed-OSS-36B", "bf16", "0.29.0", True),  # V2 estimates too
    ],
)
def test_cuda_graphs_count_as_runner_and_release_do(
    model: str, variant: str, vllm: str, are_counted: bool
) -> None:
    rest = memory_of(request(model, variant, vllm)).overhead
    assert rest.graphs_gib > 0
    assert (rest.counted_graphs_gib > 0) == are_counted


@pytest.mark.parametrize(
    ("vllm", "gpu", "sizes"), [("0.27.1", "B200", 51), ("0.28.0", "B200", 83), ("0.28.0", "H100", 51)]
)
def test_data_centre_blackwell_captures_larger_batches_since_0_28(vllm: str, gpu: str, sizes: int) -> None:
    # vllm 0.28.0, config/vllm.py: 1024 instead of 512 on compute capability 10.x, by 16 from 256 on.
    asked = request("Qwen3-8B", "bf16", vllm, accelerator=CATALOG.accelerator(gpu), max_num_seqs=1024)
    assert captured_sizes(1024, 0, 1024) == 83
    per_size = memory_of(asked).overhead.graphs_gib / sizes / 36
    assert per_size == pytest.approx(2.9e-4)


def test_a_checkpoints_own_cache_type_counts_since_0_14() -> None:
    # vllm 0.14.1, utils/torch_utils.py, resolve_kv_cache_dtype_string; 0.13.0 has no such function.
    asked = request("gemma-4-31B", "nvfp4", "0.14.1")
    assert asked.variant.kv_cache_dtype == "fp8"
    assert asked.cache_dtype == "fp8"
    assert replace(asked, vllm="0.13.0").cache_dtype == "auto"


def test_a_cache_type_that_a_models_code_does_not_heed_saves_nothing() -> None:
    # mimo_v2.py of vLLM 0.29.0 makes its attention without the cache's settings, that of 0.32.0 with them.
    asked = request("MiMo-V2-Flash", "fp8", "0.29.0", kv_cache_dtype="fp8")
    assert (asked.cache_dtype, replace(asked, vllm="0.32.0").cache_dtype) == ("auto", "fp8")


@pytest.mark.parametrize(("vllm", "are_concurrency"), [("0.20.0", False), ("0.20.2", True), ("0.21.0", True)])
def test_printed_tokens_are_concurrency_times_length_since_a_patch(vllm: str, are_concurrency: bool) -> None:
    # v1/core/kv_cache_utils.py of both patches of 0.20
    assert release_rules(vllm).tokens_are_concurrency == are_concurrency


def test_a_release_that_is_not_told_is_any_that_runs_the_model() -> None:
    assert releases_of("0.29.1rc1.dev339+gda9888462", "0.11.0") == ("0.29.1rc1.dev339+gda9888462",)
    assert releases_of("0.1.dev20073+g8e685d198", "0.30.0") == ("0.30.0", "0.33.0"), (
        "0.31 and 0.32 count alike"
    )
    old = releases_of(None, "0.6.0")
    assert old[0] == "0.10.0"
    assert {"0.12.0", "0.17.1", "0.20.2", "0.28.0", "0.29.0"} <= set(old)


def test_the_band_of_an_untold_release_spans_those_that_may_run() -> None:
    unknown = memory_of(request("Qwen3-8B", "bf16", None))
    for vllm in ("0.12.0", "0.16.0", "0.20.2", "0.25.1", "0.28.0", "0.33.0"):
        told = memory_of(request("Qwen3-8B", "bf16", vllm))
        assert unknown.careful_pool_gib <= told.careful_pool_gib + 1e-9
        assert unknown.hopeful_pool_gib >= told.hopeful_pool_gib - 1e-9
        assert unknown.overhead.outside_gib >= told.overhead.outside_gib
        assert unknown.overhead.least_outside_gib <= told.overhead.least_outside_gib
    assert unknown.careful_pool_gib < unknown.pool_gib < unknown.hopeful_pool_gib


def test_a_cold_start_takes_more_than_a_warm_one_and_an_unknown_one_spans_both() -> None:
    cold, warm, unknown = (
        memory_of(request("Qwen3-8B", "bf16", "0.33.0", start=start)) for start in ("cold", "warm", None)
    )
    # a second table of 151,936 x 4,096 in BF16 and what is looked up in it, 1.17 GiB, where a pass takes 0.20; 0.2 of
    # kernels
    assert warm.pool_gib - cold.pool_gib == pytest.approx(1.17 - 0.20 + 0.2, abs=0.01)
    assert unknown.pool_gib == cold.pool_gib
    assert unknown.careful_pool_gib == pytest.approx(cold.careful_pool_gib, abs=0.01)
    assert unknown.hopeful_pool_gib == pytest.approx(warm.hopeful_pool_gib, abs=0.01)
    eager = [
        memory_of(request("Qwen3-8B", "bf16", "0.33.0", start=start, enforce_eager=True))
        for start in ("cold", "warm")
    ]
    assert eager[0].pool_gib == eager[1].pool_gib, "nothing is compiled in eager mode"


# Two servers that ran out of memory at their start, after the KV cache was there: vllm-project/vllm#51590 (gpt-oss-120b
# on eight GPUs of 32 GB at 0.95) and #57475 (24 GB at 0.98, where not even the CUDA context has room).
@pytest.mark.parametrize(
    ("utilization", "tensor_parallel", "gpu", "verdict"),
    [
        (0.95, 8, "RTX-5090", "too_close"),
        (0.92, 8, "RTX-5090", "fits"),
        (0.98, 1, "RTX-4090", "does_not_fit"),
    ],
)
def test_the_verdict_counts_what_must_find_room_beside_the_budget(
    utilization: float, tensor_parallel: int, gpu: str, verdict: str
) -> None:
    model, variant = ("gpt-oss-120b", "mxfp4") if tensor_parallel > 1 else ("gpt-oss-20b", "mxfp4")
    asked = request(
        model,
        variant,
        "0.28.0",
        accelerator=CATALOG.accelerator(gpu),
        tensor_parallel=tensor_parallel,
        gpu_memory_utilization=utilization,
    )
    assert memory_of(asked).verdict == verdict


@pytest.mark.parametrize(
    ("vllm", "kv_cache_dtype", "is_refused"),
    [("0.29.0", "auto", True), ("0.29.0", "fp8", False), ("0.33.0", "auto", False)],
)
def test_deepseek_v4_wants_its_cache_type_said_up_to_0_29(
    vllm: str, kv_cache_dtype: str, is_refused: bool
) -> None:
    # "DeepseekV4 fp8_ds_mla layout only supports fp8 kv-cache": vllm 0.29.0, models/deepseek_v4/attention.py
    asked = request(
        "DeepSeek-V4-Flash",
        "native",
        vllm,
        accelerator=CATALOG.accelerator("H200"),
        tensor_parallel=4,
        kv_cache_dtype=kv_cache_dtype,
    )
    causes = {refusal.cause for refusal in fit(asked).refusals}
    assert ("cache-type-unsupported" in causes) == is_refused
