"""Why a request cannot be served: the cause, the setting at fault, and what was found and why it fails in words.

Each function mirrors checks of vLLM 0.33.0 (configuration, KV cache planning) or of the hardware. What would help is
`changes`' matter, where it is sized before it is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onprem_agents.catalog import CompressedAttention
from onprem_agents.sizing.divisibility import most_gpus_together, tensor_parallel_problems
from onprem_agents.sizing.kv_cache import CacheLayout
from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.request import FitRequest

# Compressed attention took an FP8 cache alone up to 0.29.0, "auto" being none (vllm 0.20.2 to 0.29.0, deepseek_v4
# attention; read November 2026).
_ANY_CACHE_TYPE = (0, 30)

Cause = Literal[
    "impossible-figure",
    "no-draft-layers",
    "cannot-be-split",
    "precision-unsupported",
    "slices-apart",
    "beyond-the-model",
    "batch-below-sequences",
    "batch-below-block",
    "batch-below-item",
    "cache-type-unsupported",
    "outside-the-budget",
    "no-room-for-weights",
    "no-room-for-context",
    "no-room-for-states",
]

Setting = Literal[
    "model",
    "variant",
    "accelerator",
    "tensor_parallel",
    "context_tokens",
    "max_num_seqs",
    "max_num_batched_tokens",
    "kv_cache_dtype",
    "gpu_memory_utilization",
    "speculative_tokens",
    "language_model_only",
    "block_size",
    "other_memory_gib",
    "start",
]
"""Fields of a request that may be at fault, or that a change may set."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One reason against a request. `text` says what was found and why it fails."""

    cause: Cause
    setting: Setting
    text: str

    def __str__(self) -> str:
        return self.text


def impossible_figures(request: FitRequest) -> list[Refusal]:
    """Return what is wrong with the figures themselves, which leaves nothing to compute."""
    figures: tuple[tuple[Setting, int], ...] = (
        ("context_tokens", request.context_tokens),
        ("max_num_seqs", request.max_num_seqs),
        ("max_num_batched_tokens", request.max_num_batched_tokens),
    )
    found = [
        Refusal(cause="impossible-figure", setting=name, text=f"{name} is {value}: it must be at least 1")
        for name, value in figures
        if value < 1
    ]
    if request.kv_cache_dtype not in ELEMENT_BYTES:
        known = ", ".join(ELEMENT_BYTES)
        text = f"kv_cache_dtype is {request.kv_cache_dtype!r}, which is not modelled; known are {known}"
        found.append(Refusal(cause="impossible-figure", setting="kv_cache_dtype", text=text))
    if not 0 < request.gpu_memory_utilization < 1:
        text = (
            f"gpu_memory_utilization is {request.gpu_memory_utilization}: it is a share between 0 and 1, "
            "e.g. 0.92"
        )
        found.append(Refusal(cause="impossible-figure", setting="gpu_memory_utilization", text=text))
    if request.other_memory_gib < 0:
        text = f"other_memory_gib is {request.other_memory_gib}: it must be 0 or more"
        found.append(Refusal(cause="impossible-figure", setting="other_memory_gib", text=text))
    if request.block_size is not None and request.block_size < 1:
        text = f"block_size is {request.block_size}: it must be at least 1"
        found.append(Refusal(cause="impossible-figure", setting="block_size", text=text))
    if request.speculative_tokens < 0:
        text = f"speculative_tokens is {request.speculative_tokens}: it must be 0 or more"
        found.append(Refusal(cause="impossible-figure", setting="speculative_tokens", text=text))
    if request.speculative_tokens > 0 and not request.model.architecture.mtp_layers:
        text = (
            f"{request.model.name} has no MTP layers to speculate with (a separate draft model is not sized)"
        )
        found.append(Refusal(cause="no-draft-layers", setting="speculative_tokens", text=text))
    return found


def refused_by_sharding(request: FitRequest) -> list[Refusal]:
    """Return why the checkpoint cannot be spread over that many GPUs, which leaves nothing to compute."""
    return [
        Refusal(cause="cannot-be-split", setting="tensor_parallel", text=text)
        for text in tensor_parallel_problems(request.model, request.variant, request.tensor_parallel)
    ]


def refused_by_settings(request: FitRequest, layout: CacheLayout) -> list[Refusal]:
    """Return what vLLM or the hardware refuses whatever the memory."""
    found = []
    gpu, variant, model = request.accelerator, request.variant, request.model
    obstacle = gpu.obstacle(variant)
    if obstacle is not None:
        found.append(Refusal(cause="precision-unsupported", setting="variant", text=obstacle))
    if request.cache_dtype == "fp8" and not gpu.build.fp8_kv_cache:
        text = f"{gpu.build.title} keeps no KV cache in FP8 on {gpu.name}"
        found.append(Refusal(cause="precision-unsupported", setting="kv_cache_dtype", text=text))
    together = request.tensor_parallel * request.pipeline_parallel
    if together > most_gpus_together(gpu, together):
        text = f"{gpu.name} is a slice of a GPU, and slices cannot share a model: {together} of them are asked for"
        found.append(Refusal(cause="slices-apart", setting="tensor_parallel", text=text))
    if request.context_tokens > model.architecture.max_context_tokens:
        text = (
            f"a context of {request.context_tokens} tokens is beyond the "
            f"{model.architecture.max_context_tokens} of {model.name}"
        )
        found.append(Refusal(cause="beyond-the-model", setting="context_tokens", text=text))
    if request.max_num_batched_tokens < request.max_num_seqs:
        text = (
            f"max_num_batched_tokens {request.max_num_batched_tokens} is below max_num_seqs "
            f"{request.max_num_seqs}, which vLLM refuses"
        )
        found.append(Refusal(cause="batch-below-sequences", setting="max_num_batched_tokens", text=text))
    if lacks_fp8_cache(request):
        text = (
            f"kv_cache_dtype is {request.kv_cache_dtype}: before vLLM 0.30 the cache of {model.name} is kept in FP8 "
            "alone, which must be said"
        )
        found.append(Refusal(cause="cache-type-unsupported", setting="kv_cache_dtype", text=text))
    if request.max_num_batched_tokens < request.least_batch_tokens:
        text = (
            f"max_num_batched_tokens {request.max_num_batched_tokens} is below the {request.least_batch_tokens} tokens "
            f"of one image or video of {model.name}, which vLLM does not cut up and refuses"
        )
        found.append(Refusal(cause="batch-below-item", setting="max_num_batched_tokens", text=text))
    block = least_block_tokens(request, layout)
    if block > request.max_num_batched_tokens:
        text = (
            f"max_num_batched_tokens {request.max_num_batched_tokens} is below the {block} tokens of one KV "
            f"block of {model.name}, which vLLM refuses with prefix caching"
        )
        found.append(Refusal(cause="batch-below-block", setting="max_num_batched_tokens", text=text))
    return found


def lacks_fp8_cache(request: FitRequest) -> bool:
    """Return whether the release keeps the cache of compressed attention in FP8 alone, and is not told so."""
    compressed = any(isinstance(group, CompressedAttention) for group in request.model.architecture.attention)
    told = request.kv_cache_dtype.startswith("fp8")
    return compressed and not told and request.rules.number < _ANY_CACHE_TYPE


def least_block_tokens(request: FitRequest, layout: CacheLayout) -> int:
    """Return the tokens of a block that a batch must hold, 0 where it need not.

    A hybrid model's with prefix caching (vLLM 0.17.1 to 0.26.0, config/vllm.py, validate_block_size; gone in 0.27.0).
    """
    rules = request.rules.memory
    caching = rules.hybrid_prefix_caching if request.prefix_caching is None else request.prefix_caching
    if not (rules.batch_holds_one_block and caching and layout.has_states):
        return 0
    return max(group.block_tokens for group in layout.groups)


def refused_outside_the_budget(memory: Memory) -> list[Refusal]:
    """Return what does not surely find room beside vLLM's budget."""
    request, room = memory.request, memory.room
    if memory.load.starts_outside(room):
        return []
    others = f", of which others hold {request.other_memory_gib:.2f} GiB" if request.other_memory_gib else ""
    text = (
        f"gpu_memory_utilization {request.gpu_memory_utilization} leaves "
        f"{room.outside_gib + request.other_memory_gib:.2f} GiB of "
        f"{request.accelerator.name} outside vLLM's budget{others}, but the CUDA context, graph capture and sampler "
        f"warm-up need {memory.overhead.outside_gib:.2f} GiB there"
    )
    return [Refusal(cause="outside-the-budget", setting="gpu_memory_utilization", text=text)]


def refused_by_memory(memory: Memory) -> list[Refusal]:
    """Return what does not surely find room on each GPU."""
    request, layout, pool_gib = memory.request, memory.layout, memory.careful_pool_gib
    if pool_gib <= 0:
        used_gib = request.budget_gib - pool_gib
        text = (
            f"weights and overhead take {used_gib:.1f} GiB of the {request.budget_gib:.1f} GiB that vLLM may "
            f"use on {request.accelerator.name}, nothing is left for the KV cache"
        )
        return [Refusal(cause="no-room-for-weights", setting="model", text=text)]
    found = []
    blocks = layout.blocks_in(pool_gib)
    if blocks < layout.blocks_per_request(request.context_tokens):
        needed_gib = layout.gib_per_request(request.context_tokens)
        text = (
            f"one session of {request.context_tokens} tokens needs {needed_gib:.2f} GiB of KV cache on each "
            f"GPU, {pool_gib:.2f} GiB are left"
        )
        found.append(Refusal(cause="no-room-for-context", setting="context_tokens", text=text))
    if memory.most_states is not None and memory.most_states < request.least_states:
        text = (
            f"max_num_seqs {request.max_num_seqs} is more than the {blocks} blocks of the KV cache, but each "
            "running sequence needs its own state block"
        )
        found.append(Refusal(cause="no-room-for-states", setting="max_num_seqs", text=text))
    return found
