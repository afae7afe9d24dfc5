"""Why a request cannot be served, in words: what was found, why it fails, what to change.

Each function mirrors checks of vLLM 0.33.0 (configuration, KV cache planning) or of the hardware.
"""

from __future__ import annotations

from onprem_agents.sizing.divisibility import most_gpus_together
from onprem_agents.sizing.kv_cache import CacheLayout
from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.request import FitRequest


def impossible_figures(request: FitRequest) -> list[str]:
    """Return problems of the figures themselves, which leave nothing to compute."""
    problems = [
        f"{name} is {value}: it must be at least 1"
        for name, value in (
            ("context_tokens", request.context_tokens),
            ("max_num_seqs", request.max_num_seqs),
            ("max_num_batched_tokens", request.max_num_batched_tokens),
        )
        if value < 1
    ]
    if request.kv_cache_dtype not in ELEMENT_BYTES:
        known = ", ".join(ELEMENT_BYTES)
        problems.append(
            f"kv_cache_dtype is {request.kv_cache_dtype!r}, which is not modelled: use one of {known}"
        )
    if not 0 < request.gpu_memory_utilization < 1:
        problems.append(
            f"gpu_memory_utilization is {request.gpu_memory_utilization}: it is a share between 0 and 1, "
            "e.g. 0.92"
        )
    if request.speculative_tokens < 0:
        problems.append(f"speculative_tokens is {request.speculative_tokens}: it must be 0 or more")
    if request.speculative_tokens > 0 and not request.model.architecture.mtp_layers:
        problems.append(
            f"{request.model.name} has no MTP layers to speculate with; set speculative_tokens to 0 "
            "(a separate draft model is not sized)"
        )
    return problems


def refused_by_configuration(memory: Memory) -> list[str]:
    """Return what vLLM or the hardware refuses however much memory the KV cache has."""
    return [*refused_by_settings(memory.request, memory.layout), *_refused_outside_the_budget(memory)]


def refused_by_settings(request: FitRequest, layout: CacheLayout) -> list[str]:
    """Return what vLLM or the hardware refuses whatever the memory."""
    problems = []
    gpu, variant, model = request.accelerator, request.variant, request.model
    if gpu.compute_capability < variant.min_compute_capability:
        problems.append(
            f"{variant.hf_id} ({variant.precision}) needs compute capability "
            f"{variant.min_compute_capability}, {gpu.name} has {gpu.compute_capability}; "
            "choose another variant or GPU"
        )
    together = request.tensor_parallel * request.pipeline_parallel
    if together > most_gpus_together(gpu, together):
        problems.append(
            f"{gpu.name} is a slice of a GPU, and slices cannot share a model: {together} of them are asked for; set "
            "the tensor and pipeline parallel size to 1, or take a larger slice"
        )
    if request.context_tokens > model.architecture.max_context_tokens:
        problems.append(
            f"a context of {request.context_tokens} tokens is beyond the "
            f"{model.architecture.max_context_tokens} of {model.name}; lower the context"
        )
    if request.max_num_batched_tokens < request.max_num_seqs:
        problems.append(
            f"max_num_batched_tokens {request.max_num_batched_tokens} is below max_num_seqs "
            f"{request.max_num_seqs}, which vLLM refuses; raise the first or lower the second"
        )
    block = max(group.block_tokens for group in layout.groups)
    if layout.has_states and block > request.max_num_batched_tokens:
        problems.append(
            f"max_num_batched_tokens {request.max_num_batched_tokens} is below the {block} tokens of one KV "
            f"block of {model.name}, which vLLM refuses with prefix caching; raise it to {block} or more"
        )
    return problems


def _refused_outside_the_budget(memory: Memory) -> list[str]:
    request, room = memory.request, memory.room
    if memory.load.starts_outside(room):
        return []
    problem = (
        f"gpu_memory_utilization {request.gpu_memory_utilization} leaves {room.outside_gib:.2f} GiB of "
        f"{request.accelerator.name} outside vLLM's budget, but the CUDA context, graph capture and sampler warm-up "
        f"need {memory.overhead.outside_gib:.2f} GiB there; lower gpu_memory_utilization or max_num_seqs"
    )
    return [problem]


def refused_by_memory(memory: Memory, *, largest_context_tokens: int) -> list[str]:
    """Return what does not surely find room on each GPU."""
    request, layout, pool_gib = memory.request, memory.layout, memory.careful_pool_gib
    if pool_gib <= 0:
        used_gib = request.budget_gib - pool_gib
        nothing_left = (
            f"weights and overhead take {used_gib:.1f} GiB of the {request.budget_gib:.1f} GiB that vLLM may "
            f"use on {request.accelerator.name}, nothing is left for the KV cache; use a smaller variant, "
            "more GPUs (tensor parallel) or a larger GPU"
        )
        return [nothing_left]
    problems = []
    blocks = layout.blocks_in(pool_gib)
    if blocks < layout.blocks_per_request(request.context_tokens):
        needed_gib = layout.gib_per_request(request.context_tokens)
        shorter = (
            f"lower the context to at most {largest_context_tokens} or " if largest_context_tokens else ""
        )
        smaller = "kv_cache_dtype fp8, " if request.cache_dtype == "auto" else ""
        problems.append(
            f"one session of {request.context_tokens} tokens needs {needed_gib:.2f} GiB of KV cache on each "
            f"GPU, {pool_gib:.2f} GiB are left; {shorter}use {smaller}a smaller variant, more GPUs or a "
            "larger GPU"
        )
    if layout.has_states and not request.enforce_eager and blocks < request.max_num_seqs:
        problems.append(
            f"max_num_seqs {request.max_num_seqs} is more than the {blocks} blocks of the KV cache, but each "
            f"running sequence needs its own state block; lower max_num_seqs to at most {blocks}"
        )
    return problems
