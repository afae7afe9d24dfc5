"""KV cache plans against vLLM's own planning code (0.32.0 and 0.33.0, run on the CPU in November 2026)."""

from __future__ import annotations

from datetime import date

import pytest

from onprem_agents.catalog import (
    Architecture,
    AttentionLayers,
    FullAttention,
    GatedDeltaNet,
    LatentAttention,
    Model,
    Source,
    load_catalog,
)
from onprem_agents.sizing import cache_layout, release_rules
from onprem_agents.sizing.kv_cache import writes_checkpoints

pytestmark = pytest.mark.unit

K32, K128, K256 = 32_768, 131_072, 262_144


def architecture(*attention: AttentionLayers) -> Architecture:
    return Architecture(
        model_type="test",
        hidden_size=2048,
        layers=sum(group.layers for group in attention),
        attention_heads=16,
        vocab_size=151_936,
        max_context_tokens=K256,
        attention=attention,
        source=Source(where="figures of the model named in the test", read=date(2026, 11, 24)),
    )


# GLM-4.7-Flash: 47 layers of latent attention, rank 512 + 64. Qwen3-Coder-Next: 12 full and 36 delta-net
# layers with a BF16 state. Neither is in the catalogue; both are kinds that the plan must get right.
GLM_FLASH = architecture(LatentAttention(kind="latent", layers=47, kv_lora_rank=512, rope_head_dim=64))
CODER_NEXT = architecture(
    FullAttention(kind="full", layers=12, kv_heads=2, head_dim=256),
    GatedDeltaNet(
        kind="gated-delta-net",
        layers=36,
        key_heads=16,
        value_heads=32,
        key_head_dim=128,
        value_head_dim=128,
        conv_kernel=4,
        state_bytes_per_element=2,
    ),
)


def known(name: str) -> Architecture:
    return load_catalog().model(name).architecture


# GiB on each GPU for one request, as vLLM's planner gives them, rounded to two digits.
@pytest.mark.parametrize(
    ("plan", "tp", "batched", "bf16_32k", "bf16_128k", "fp8_32k", "fp8_128k"),
    [
        (known("Qwen3.6-27B"), 1, 2048, 2.30, 8.33, 1.29, 4.31),
        (known("Qwen3.6-35B-A3B"), 1, 2048, 0.77, 2.64, 0.44, 1.38),
        (CODER_NEXT, 1, 2048, 0.83, 3.08, 0.45, 1.58),
        (known("Qwen3-Coder-30B-A3B"), 1, 2048, 3.00, 12.0, 1.50, 6.00),
        (known("Qwen3-Coder-480B-A35B"), 8, 2048, 0.97, 3.88, 0.48, 1.94),
        (known("gemma-4-31B"), 1, 2048, 6.42, 13.9, 3.21, 6.96),
        (known("gemma-4-31B"), 1, 8192, 15.8, 23.3, 7.90, 11.6),
        (known("gemma-4-26B-A4B"), 1, 2048, 1.60, 3.48, 0.80, 1.74),
        (known("gemma-4-26B-A4B"), 1, 8192, 3.95, 5.82, 1.97, 2.91),
        (known("gemma-4-12B"), 1, 2048, 2.07, 3.57, 1.03, 1.78),
        (known("gemma-4-12B"), 1, 8192, 5.82, 7.32, 2.91, 3.66),
        (known("gemma-4-E4B"), 1, 2048, 0.68, 2.18, 0.34, 1.09),
        (known("gemma-4-E2B"), 1, 2048, 0.24, 0.80, 0.12, 0.40),
        (known("gpt-oss-120b"), 1, 8192, 1.69, 5.07, 0.85, 2.53),
        (known("gpt-oss-20b"), 1, 8192, 1.13, 3.38, 0.56, 1.69),
        (known("Qwen3-32B"), 1, 2048, 8.00, 32.0, 4.00, 16.0),
        (known("GLM-4.7"), 8, 2048, 1.44, 5.75, 0.72, 2.88),
        (known("GLM-4.5-Air"), 4, 2048, 1.44, 5.75, 0.72, 2.88),
        (known("MiniMax-M2.5"), 8, 2048, 0.97, 3.88, 0.48, 1.94),
        (known("DeepSeek-V3.1"), 8, 2048, 2.14, 8.58, 1.07, 4.29),
        (known("Kimi-K2-Thinking"), 8, 2048, 2.14, 8.58, 1.07, 4.29),
        (known("DeepSeek-V3.2"), 8, 2048, 2.39, 9.56, 1.47, 5.87),
        (known("Llama-3.3-70B"), 4, 2048, 2.50, 10.0, 1.25, 5.00),
        (known("mistralai/Mistral-Small-3.2-24B-Instruct-2506"), 1, 2048, 5.00, 20.0, 2.50, 10.0),
        (GLM_FLASH, 1, 2048, 1.65, 6.61, 0.83, 3.30),
        (GLM_FLASH, 2, 2048, 1.65, 6.61, 0.83, 3.30),
    ],
)
def test_one_request_costs_what_vllm_plans_for_it(
    plan: Architecture,
    tp: int,
    batched: int,
    bf16_32k: float,
    bf16_128k: float,
    fp8_32k: float,
    fp8_128k: float,
) -> None:
    expected = {"auto": (bf16_32k, bf16_128k), "fp8": (fp8_32k, fp8_128k)}
    for dtype, figures in expected.items():
        layout = cache_layout(plan, tensor_parallel=tp, kv_cache_dtype=dtype, max_num_batched_tokens=batched)
        for context, gib in zip((K32, K128), figures, strict=True):
            # 1 %, or half of the last digit that the table prints
            assert layout.gib_per_request(context) == pytest.approx(gib, rel=0.01, abs=0.005)


# Blocks that vLLM printed for the same models: the assertion "block_size (2096) must be <=
# max_num_batched_tokens" of public logs names the last one.
@pytest.mark.parametrize(
    ("plan", "dtype", "block_tokens"),
    [
        (known("Qwen3.6-27B"), "auto", 784),
        (known("Qwen3.6-27B"), "fp8", 1568),
        (CODER_NEXT, "auto", 544),
        (CODER_NEXT, "fp8", 1072),
        (known("Qwen3.6-35B-A3B"), "auto", 1056),
        (known("Qwen3.6-35B-A3B"), "fp8", 2096),
    ],
)
def test_the_block_of_a_hybrid_model_grows_until_it_holds_a_state(
    plan: Architecture, dtype: str, block_tokens: int
) -> None:
    layout = cache_layout(plan, tensor_parallel=1, kv_cache_dtype=dtype, max_num_batched_tokens=8192)
    assert max(group.block_tokens for group in layout.groups) == block_tokens


def test_speculation_adds_a_layer_and_states_as_vllm_plans_them() -> None:
    # Qwen3.6-27B, FP8 KV, three drafted tokens: 1.29 becomes 1.87 at 32K, 8.33 becomes 9.29 at 256K.
    plain, drafting = (
        cache_layout(
            known("Qwen3.6-27B"),
            tensor_parallel=1,
            kv_cache_dtype="fp8",
            max_num_batched_tokens=2048,
            speculative_tokens=tokens,
        )
        for tokens in (0, 3)
    )
    assert plain.gib_per_request(K32) == pytest.approx(1.29, rel=0.01)
    assert drafting.gib_per_request(K32) == pytest.approx(1.87, rel=0.01)
    assert plain.gib_per_request(K256) == pytest.approx(8.33, rel=0.01)
    assert drafting.gib_per_request(K256) == pytest.approx(9.29, rel=0.01)


def test_a_known_log_is_reproduced_from_its_pool() -> None:
    # Qwen3.8-27B-FP8, the same shape, two RTX 3090, FP8 KV, 131072 tokens, 4.99 GiB: vLLM printed 2.31 x
    # (mitchross/talos-argocd-proxmox#1995).
    layout = cache_layout(
        known("Qwen3.6-27B"), tensor_parallel=2, kv_cache_dtype="fp8", max_num_batched_tokens=8192
    )
    assert layout.blocks_in(4.99) / layout.blocks_per_request(K128) == pytest.approx(2.31, rel=0.01)


def test_a_batch_of_another_release_explains_the_log_of_gemma_4_12b() -> None:
    # Gemma 4 12B, RTX 3090, June 2026: 11.00 GiB held 6.96 requests of 32768 tokens with one batch of 2496
    # tokens in flight. Two batches are in flight since 0.26, so half the batch gives the same plan.
    layout = cache_layout(
        known("gemma-4-12B"), tensor_parallel=1, kv_cache_dtype="auto", max_num_batched_tokens=1248
    )
    assert layout.blocks_in(11.00) / layout.blocks_per_request(K32) == pytest.approx(6.96, rel=0.01)


def test_heads_are_replicated_when_there_are_more_gpus_than_heads() -> None:
    # Two KV heads: from two GPUs to four nothing is gained.
    two, four = (
        cache_layout(
            architecture(FullAttention(kind="full", layers=40, kv_heads=2, head_dim=256)),
            tensor_parallel=size,
            kv_cache_dtype="auto",
            max_num_batched_tokens=2048,
        ).gib_per_request(K128)
        for size in (2, 4)
    )
    assert two == four


@pytest.mark.parametrize("model", load_catalog().models, ids=lambda model: model.name)
@pytest.mark.parametrize("dtype", ["auto", "fp8"])
def test_a_longer_context_never_needs_less(model: Model, dtype: str) -> None:
    layout = cache_layout(
        model.architecture,
        tensor_parallel=1,
        kv_cache_dtype=dtype,
        max_num_batched_tokens=2048,
    )
    held = [layout.blocks_per_request(tokens) for tokens in range(1, 20_000, 37)]
    assert held == sorted(held)


def test_a_larger_block_rounds_a_request_up_to_whole_blocks() -> None:
    # 64 layers x 2 x 8 heads x 128 x 2 bytes = 256 KiB a token of Qwen3-32B: blocks of 16 tokens fit 1000 tokens into
    # 63 of 4 MiB, blocks of 256 tokens into 4 of 64 MiB.
    dense = architecture(FullAttention(kind="full", layers=64, kv_heads=8, head_dim=128))
    own = cache_layout(dense, tensor_parallel=1, kv_cache_dtype="auto", max_num_batched_tokens=2048)
    large = cache_layout(
        dense, tensor_parallel=1, kv_cache_dtype="auto", max_num_batched_tokens=2048, block_size=256
    )
    assert (own.blocks_per_request(1000), own.bytes_per_block) == (63, 4 << 20)
    assert (large.blocks_per_request(1000), large.bytes_per_block) == (4, 64 << 20)


def test_the_block_of_a_hybrid_model_is_never_below_what_holds_a_state() -> None:
    # 784 tokens of Qwen3.6-27B hold a state (vllm 0.33.0, platforms/interface.py, _align_hybrid_block_size).
    hybrid = known("Qwen3.6-27B")
    sizes = {
        wanted: cache_layout(
            hybrid,
            tensor_parallel=1,
            kv_cache_dtype="auto",
            max_num_batched_tokens=2048,
            block_size=wanted,
        )
        .groups[0]
        .block_tokens
        for wanted in (None, 256, 1024)
    }
    assert sizes == {None: 784, 256: 1024, 1024: 1024}, "in steps of the wanted one"


# vLLM 0.33.0's planner as for an H100, where FlashInfer runs the prefill of delta nets: three states a group, blocks in
# multiples of 64. BF16 and FP8 cache, one request of 32,769 tokens.
@pytest.mark.parametrize(
    ("model", "kv_cache_dtype", "request_bytes"),
    [
        ("Qwen3-Next-80B-A3B", "auto", 934_281_216),
        ("Qwen3-Next-80B-A3B", "fp8", 534_773_760),
        ("Qwen3.5-35B-A3B", "auto", 891_289_600),
        ("Qwen3.5-35B-A3B", "fp8", 540_672_000),
    ],
)
def test_delta_nets_keep_a_checkpoint_where_flashinfer_runs_them(
    model: str, kv_cache_dtype: str, request_bytes: int
) -> None:
    layout = cache_layout(
        known(model),
        tensor_parallel=1,
        kv_cache_dtype=kv_cache_dtype,
        max_num_batched_tokens=8192,
        delta_checkpoints=True,
    )
    assert layout.blocks_per_request(32_769) * layout.bytes_per_block == request_bytes


# Mamba 2 writes its checkpoints anywhere (mamba_mixer2.py of vLLM 0.33.0, alignment 1): its blocks stay as they were.
@pytest.mark.parametrize(
    ("model", "request_bytes"), [("Granite-4.0-H-Small", 510_394_368), ("Nemotron-Nano-9B-v2", 730_857_472)]
)
def test_checkpoints_of_delta_nets_leave_the_blocks_of_others_alone(model: str, request_bytes: int) -> None:
    layout = cache_layout(
        known(model),
        tensor_parallel=1,
        kv_cache_dtype="auto",
        max_num_batched_tokens=8192,
        delta_checkpoints=True,
    )
    assert layout.blocks_per_request(16_385) * layout.bytes_per_block == request_bytes


@pytest.mark.parametrize(
    ("gpu", "vllm", "are_written"),
    [
        ("H100", "0.33.0", True),
        ("H100", "0.32.0", False),
        ("B200", "0.33.0", True),
        ("L40S", "0.33.0", False),
    ],
)
def test_checkpoints_of_delta_nets_depend_on_release_and_gpu(gpu: str, vllm: str, are_written: bool) -> None:
    assert writes_checkpoints(load_catalog().accelerator(gpu), release_rules(vllm)) == are_written
