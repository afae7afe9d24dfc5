"""The account of one GPU's memory: best estimate and band of everything, and what the KV pool then holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from onprem.sizing.band import Band, band
from onprem.sizing.constants import CONSTANTS, Constants
from onprem.sizing.kv_cache import CacheLayout, cache_layout
from onprem.sizing.overhead import Overhead, overhead
from onprem.sizing.request import FitRequest
from onprem.sizing.weights import Weights, weights_of

Verdict = Literal["fits", "too_close", "does_not_fit"]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """GiB on each GPU. The pool is what vLLM prints as "Available KV cache memory" and may be below zero."""

    request: FitRequest
    weights: Weights
    overhead: Overhead
    band: Band
    layout: CacheLayout

    @property
    def pool_gib(self) -> float:
        """The best estimate of the KV pool."""
        return self.request.budget_gib - self.weights.gib - self.overhead.total_gib

    @property
    def careful_pool_gib(self) -> float:
        """The pool when everything takes as much as the band allows: at least that much is there."""
        return self.pool_gib - self.band.more_gib

    @property
    def hopeful_pool_gib(self) -> float:
        """The pool when everything takes as little as the band allows."""
        return self.pool_gib + self.band.less_gib

    @property
    def verdict(self) -> Verdict:
        """Whether one request of the asked length, and the states of all sequences, find room."""
        return self.verdict_for(self.request.max_num_seqs)

    def verdict_for(self, sequences: int) -> Verdict:
        """Return the verdict when only that many sequences need a state."""
        if self._holds(self.careful_pool_gib, sequences):
            return "fits"
        return "too_close" if self._holds(self.hopeful_pool_gib, sequences) else "does_not_fit"

    def _holds(self, pool_gib: float, sequences: int) -> bool:
        blocks = self.layout.blocks_in(pool_gib)
        if blocks < self.layout.blocks_per_request(self.request.context_tokens):
            return False
        return not self.layout.has_states or self.request.enforce_eager or blocks >= sequences


def with_cache_dtype(memory: Memory, dtype: str) -> Memory:
    """Return the account with another KV cache type: only the layout differs."""
    request = replace(memory.request, kv_cache_dtype=dtype)
    layout = _layout(request)
    limits = band(request, memory.weights, memory.overhead, layout)
    return replace(memory, request=request, layout=layout, band=limits)


def memory_of(request: FitRequest, constants: Constants = CONSTANTS) -> Memory:
    """Return the account of one GPU for that request; other constants are for fitting them."""
    weights, rest = weights_of(request), overhead(request, constants)
    layout = _layout(request)
    return Memory(
        request=request,
        weights=weights,
        overhead=rest,
        band=band(request, weights, rest, layout),
        layout=layout,
    )


def _layout(request: FitRequest) -> CacheLayout:
    return cache_layout(
        request.model.architecture,
        tensor_parallel=request.tensor_parallel,
        kv_cache_dtype=request.cache_dtype,
        max_num_batched_tokens=request.batch_tokens,
        speculative_tokens=request.speculative_tokens,
        pipeline_parallel=request.pipeline_parallel,
        prefix_caching=request.prefix_caching,
        rules=request.rules,
    )
