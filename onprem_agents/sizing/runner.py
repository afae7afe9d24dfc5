"""Which of vLLM's two model runners serves a request, and what their samplers take.

Model Runner V2 came model by model (vllm/config/vllm.py, use_v2_model_runner; vLLM 0.22.1 to 0.33.0, read November
2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing.request import FitRequest

# Bytes for each row and entry of the vocabulary. V1: BF16 logits, their FP32 copy, probabilities and noise (vLLM
# 0.17.1, v1/sample/sampler.py and ops/topk_topp_sampler.py; FlashInfer's masked logits and probabilities are as large);
# with a sort 38.6 to 39.2 as logs of H100 servers at 1024 rows and of an L40S at 256 show. V2: BF16 logits, gathered
# once more with tensor parallelism (model_executor/layers/logits_processor.py), until 0.27 with an FP32 copy.
_V1_BYTES, _SORTING_BYTES = 14.0, 39.0
_V2_BYTES, _V2_GATHERED_BYTES, _FP32_BYTES = 2.0, 4.5, 4.0

# V2 keeps what penalties need of each sequence: a count in INT32 and one bit (v1/worker/gpu/sample/penalties.py).
_PENALTY_BYTES = 4.125


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """Bytes for each row and entry of the vocabulary: in the profile run, at most there, and kept all the time."""

    bytes: float
    most_bytes: float
    kept_bytes: float


def runs_v2(request: FitRequest) -> bool:
    """Return whether Model Runner V2 serves it by default."""
    rules, architecture = request.rules.memory, request.model.architecture
    if rules.v2_runner_bf16_only and request.variant.precision != "bf16":
        return False
    if {"any", architecture.model_type} & rules.v2_runner:
        return True
    return "dense" in rules.v2_runner and architecture.experts is None and not architecture.is_hybrid


def sampler_of(request: FitRequest) -> Sampler:
    """Return what sampling takes."""
    rules = request.rules
    if runs_v2(request):
        each = _V2_GATHERED_BYTES if request.tensor_parallel > 1 else _V2_BYTES
        each += _FP32_BYTES if rules.memory.v2_copies_logits else 0.0
        return Sampler(bytes=each, most_bytes=each, kept_bytes=_PENALTY_BYTES)
    each = _SORTING_BYTES if rules.sampler_sorts else _V1_BYTES
    most = _SORTING_BYTES if rules.memory.sampler_sorts else each
    return Sampler(bytes=each, most_bytes=most, kept_bytes=0.0)
