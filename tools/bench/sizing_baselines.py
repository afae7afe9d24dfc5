"""The estimates people use today, for comparison: GiB per GPU for weights and pool, and requests held.

`rule of thumb`: parameters that work on a token times the bytes of the precision, as hardware tables of how-tos
count (a mixture of experts by its active parameters), the rest is KV. `weights x 1.2`: all parameters and a
fifth on top (Hugging Face's and GPUStack's estimate, recipes' vram_minimum_gb). `KAITO`: weights x 1.02, 2.3 GiB and
5 % of the weights on each GPU as overhead, KV of every layer for the whole context, latent caches on each GPU
(kaito-project/kaito v0.12, nodesestimator, read August 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onprem_agents.catalog import (
    ChunkedAttention,
    FullAttention,
    LatentAttention,
    SlidingWindow,
)
from onprem_agents.sizing import FitRequest
from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.sizing.precision import precision_named
from onprem_agents.units import GB, GIB

Estimate = tuple[float, float, float | None]


def _rule_of_thumb(request: FitRequest, pool_gib: float | None) -> Estimate:
    weights = request.model.active_params_b * GB * _bytes(request) / GIB / request.gpus
    return weights, request.budget_gib - weights, _held(request, pool_gib, replicated_latent=False)


def _times_one_point_two(request: FitRequest, pool_gib: float | None) -> Estimate:
    weights = 1.2 * request.model.total_params * _bytes(request) / GIB / request.gpus
    return weights, request.budget_gib - weights, _held(request, pool_gib, replicated_latent=False)


def _kaito(request: FitRequest, pool_gib: float | None) -> Estimate:
    weights = 1.02 * request.model.total_params * _bytes(request) / GIB / request.gpus
    pool = request.budget_gib - weights - 2.3 - 0.05 * weights
    return weights, pool, _held(request, pool_gib, replicated_latent=True)


BASELINES: Mapping[str, Callable[[FitRequest, float | None], Estimate]] = {
    "rule of thumb": _rule_of_thumb,
    "weights x 1.2": _times_one_point_two,
    "KAITO": _kaito,
}


def _bytes(request: FitRequest) -> float:
    precision = precision_named(request.variant.precision)
    return precision.bytes_per_param if precision is not None else 2.0


def _held(request: FitRequest, pool_gib: float | None, *, replicated_latent: bool) -> float | None:
    """Return pool / (bytes a token of all layers x context), caches shared out over the GPUs."""
    if pool_gib is None:
        return None
    per_token = 0.0
    for group in request.model.architecture.attention:
        if isinstance(group, FullAttention | SlidingWindow | ChunkedAttention):
            per_token += group.layers * 2 * group.kv_heads * group.head_dim / request.tensor_parallel
        elif isinstance(group, LatentAttention):
            share = 1 if replicated_latent else request.tensor_parallel
            per_token += group.layers * (group.kv_lora_rank + group.rope_head_dim) / share
    needed = per_token * ELEMENT_BYTES[request.cache_dtype] * request.context_tokens / GIB
    return pool_gib / needed if needed else None
