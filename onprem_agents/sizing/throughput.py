"""Upper bounds of speed: decode by memory bandwidth, prefill by arithmetic. No server is faster.

    decode  tokens/s of n sessions = n x bandwidth / (weights that one token needs + n x KV of one session)
    prefill tokens/s = arithmetic rate / operations of one token

over all GPUs that share the model. Drafted tokens multiply the first. What is lost beside that is told by `pace`.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.catalog import Accelerator, Variant
from onprem_agents.sizing.demand import Demand, demand_of
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.request import FitRequest
from onprem_agents.units import GB

DECODE_FORMULA = "sessions x bandwidth / (weights of one token + sessions x KV of one session)"
PREFILL_FORMULA = "arithmetic rate / operations of one token"

# FP4 units of Blackwell next to its FP8 units: twice as fast, three times in B300 and GB300 (NVIDIA data sheets, dense
# rates, read November 2026). INT8 units are as fast as FP8 units, and twice as fast as BF16 where there are no others.
_FP4_FASTER, _FP4_FASTER_ULTRA = 2.0, 3.0
_ULTRA = 10.3
_INT8_FASTER = 2.0


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Tokens per second of one replica that nothing can exceed with sessions of `context_tokens`.

    `sessions` is how many "all" are.
    """

    decode_tokens_per_second_one: float
    decode_tokens_per_second_all: float
    prefill_tokens_per_second: float
    sessions: int
    context_tokens: int


def bounds_of(memory: Memory, sessions: int) -> Bounds:
    """Return the bounds for one replica with that many sessions, each of the mean length of the load profile."""
    request, demand = memory.request, demand_of(memory)
    return Bounds(
        decode_tokens_per_second_one=most_decoded(request, demand, 1),
        decode_tokens_per_second_all=most_decoded(request, demand, max(1, sessions)),
        prefill_tokens_per_second=most_prefilled(request, demand),
        sessions=sessions,
        context_tokens=demand.context_tokens,
    )


def most_decoded(request: FitRequest, demand: Demand, sessions: int) -> float:
    """Return the tokens per second that so many sessions cannot exceed together.

    Their tokens may all go to the same experts, so that no more than one token's are read.
    """
    stages, ranks = request.pipeline_parallel, request.data_parallel
    weights = demand.always_bytes + demand.experts_bytes * (1 - demand.idle_share)
    read = weights + sessions / stages / ranks * demand.session_bytes
    seconds = stages * read / (request.accelerator.bandwidth_gb_per_second * GB)
    return sessions * (1 + request.speculative_tokens) / seconds


def most_prefilled(request: FitRequest, demand: Demand) -> float:
    """Return the tokens per second of prompts that cannot be exceeded."""
    rate = best_rate(request.accelerator, request.variant)
    return request.data_parallel * rate / demand.token_operations


def best_rate(gpu: Accelerator, variant: Variant) -> float:
    """Return the operations per second that no kernel for that checkpoint exceeds."""
    tflops = gpu.bf16_tflops
    if variant.precision in ("int8", "fp8", "fp8+int4", "native", "nvfp4", "mxfp4"):
        tflops = max(gpu.fp8_tflops or 0.0, _INT8_FASTER * tflops if variant.precision == "int8" else tflops)
    if variant.precision in ("nvfp4", "mxfp4", "native") and gpu.native_fp4 and gpu.fp8_tflops:
        faster = _FP4_FASTER_ULTRA if gpu.compute_capability == _ULTRA else _FP4_FASTER
        tflops = gpu.fp4_tflops or gpu.fp8_tflops * faster
    return tflops * 1e12
