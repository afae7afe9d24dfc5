"""The account of one GPU's memory: best estimate and band of everything, and what the KV pool then holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from onprem_agents.catalog import Accelerator
from onprem_agents.sizing.band import Band, Doubts, common_gib, context_doubt_gib, doubts_of
from onprem_agents.sizing.constants import CONSTANTS, Constants
from onprem_agents.sizing.kv_cache import CacheLayout, cache_layout, writes_checkpoints
from onprem_agents.sizing.overhead import Overhead, overhead
from onprem_agents.sizing.release import releases_of
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.weights import Weights, weights_of

Outlook = Literal["fits", "too_close", "does_not_fit"]


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a GPU offers, in GiB: in all, to vLLM's budget, beside it, and how far any estimate may be off there."""

    gpu_gib: float
    budget_gib: float
    outside_gib: float
    doubt_gib: float


def room_on(
    accelerator: Accelerator, gpu_memory_utilization: float, *, other_memory_gib: float = 0.0
) -> Room:
    """Return the room on one such GPU. What others hold of it lies outside vLLM's budget, a share of the whole GPU."""
    budget_gib = accelerator.total_gib * gpu_memory_utilization
    return Room(
        gpu_gib=accelerator.total_gib,
        budget_gib=budget_gib,
        outside_gib=accelerator.total_gib - budget_gib - other_memory_gib,
        doubt_gib=common_gib(accelerator.total_gib),
    )


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a server puts on each of its GPUs, whatever their size, in GiB.

    `doubts` is how far its terms may be off. `careful_gib` is all that is taken at the careful end, but for
    `careful_share` of the GPU's memory.
    """

    weights: Weights
    overhead: Overhead
    layout: CacheLayout
    doubts: Doubts
    careful_gib: float
    careful_share: float

    def pool_gib(self, room: Room) -> float:
        """Return the best estimate of the KV pool."""
        return room.budget_gib - self.weights.gib - self.overhead.total_on(room.gpu_gib)

    def careful_pool_gib(self, room: Room) -> float:
        """Return the pool when everything takes as much as the band allows: at least that much is there."""
        return room.budget_gib - room.doubt_gib - self.careful_gib - self.careful_share * room.gpu_gib

    def more_gib(self, room: Room) -> float:
        """Return what may be taken beyond the best estimate."""
        return self.pool_gib(room) - self.careful_pool_gib(room)

    def less_gib(self, room: Room) -> float:
        """Return what may be left below the best estimate."""
        context = context_doubt_gib(self.overhead, room.gpu_gib)
        return room.doubt_gib + self.doubts.below_gib + math.hypot(*self.doubts.less_gib, context)

    def starts_outside(self, room: Room) -> bool:
        """Return whether what vLLM's budget does not see surely finds room beside it."""
        return room.outside_gib >= self.overhead.outside_gib

    def never_starts_outside(self, room: Room) -> bool:
        """Return whether not even the CUDA context finds room beside vLLM's budget."""
        return room.outside_gib < self.overhead.least_outside_gib


@dataclass(frozen=True, kw_only=True)
class Memory:
    """GiB on each GPU. The pool is what vLLM prints as "Available KV cache memory" and may be below zero."""

    request: FitRequest
    load: Load

    @property
    def weights(self) -> Weights:
        """The weights on each GPU."""
        return self.load.weights

    @property
    def overhead(self) -> Overhead:
        """What is taken besides weights and KV cache."""
        return self.load.overhead

    @property
    def layout(self) -> CacheLayout:
        """The plan of the KV cache."""
        return self.load.layout

    @property
    def band(self) -> Band:
        """How far the best estimate may be off on these GPUs."""
        room = self.room
        return Band(more_gib=self.load.more_gib(room), less_gib=self.load.less_gib(room))

    @property
    def room(self) -> Room:
        """What each GPU offers."""
        request = self.request
        return room_on(
            request.accelerator,
            request.gpu_memory_utilization,
            other_memory_gib=request.other_memory_gib,
        )

    @property
    def pool_gib(self) -> float:
        """The best estimate of the KV pool."""
        return self.load.pool_gib(self.room)

    @property
    def careful_pool_gib(self) -> float:
        """The pool when everything takes as much as the band allows: at least that much is there."""
        return self.load.careful_pool_gib(self.room)

    @property
    def hopeful_pool_gib(self) -> float:
        """The pool when everything takes as little as the band allows."""
        return self.pool_gib + self.band.less_gib

    @property
    def verdict(self) -> Outlook:
        """Whether one request of the asked length and the states that are needed find room, and the rest beside it."""
        room = self.room
        if self.load.never_starts_outside(room):
            return "does_not_fit"
        within = self.verdict_within
        return "too_close" if within == "fits" and not self.load.starts_outside(room) else within

    @property
    def most_states(self) -> int | None:
        """How many sequences surely find room for a state, None where that is all of `max_num_seqs`."""
        if not self.layout.has_states or self.request.enforce_eager:
            return None
        blocks = self.layout.blocks_in(max(0.0, self.careful_pool_gib))
        return blocks if blocks < self.request.max_num_seqs else None

    @property
    def verdict_within(self) -> Outlook:
        """The verdict on vLLM's budget alone."""
        least = self.layout.least_blocks(
            self.request.context_tokens, 0 if self.request.enforce_eager else self.request.least_states
        )
        if self.layout.blocks_in(self.careful_pool_gib) >= least:
            return "fits"
        return "too_close" if self.layout.blocks_in(self.hopeful_pool_gib) >= least else "does_not_fit"


def memory_of(request: FitRequest, constants: Constants = CONSTANTS) -> Memory:
    """Return the account of one GPU for that request; other constants are for fitting them.

    Where the release is not told, the band spans all that may run.
    """
    releases = ("",) if request.engine_v0 else releases_of(request.vllm, request.model.min_vllm)
    if len(releases) == 1:
        return Memory(request=request, load=_load_of(request, constants))
    loads = [_load_of(replace(request, vllm=release), constants) for release in releases]
    return Memory(request=request, load=_any_of(loads, request.accelerator.total_gib))


def _load_of(request: FitRequest, constants: Constants) -> Load:
    return load_from(request, weights_of(request), overhead(request, constants), layout_of(request))


def _any_of(loads: Sequence[Load], gpu_gib: float) -> Load:
    """Return the load of one of these releases, the newest last: the middle one, doubted as far as the others reach.

    The KV cache is planned as the newest does, which holds most of each request.
    """
    room = Room(gpu_gib=gpu_gib, budget_gib=0.0, outside_gib=0.0, doubt_gib=0.0)
    middle = sorted(loads, key=lambda load: load.pool_gib(room))[len(loads) // 2]
    careful = min(load.careful_pool_gib(room) for load in loads)
    hopeful = max(load.pool_gib(room) + load.less_gib(room) for load in loads)
    beside = replace(
        middle.overhead,
        outside_gib=max(load.overhead.outside_gib for load in loads),
        least_outside_gib=min(load.overhead.least_outside_gib for load in loads),
    )
    return replace(
        middle,
        overhead=beside,
        layout=loads[-1].layout,
        doubts=replace(middle.doubts, less_gib=(), below_gib=hopeful - middle.pool_gib(room)),
        careful_gib=middle.careful_gib + middle.careful_pool_gib(room) - careful,
    )


def load_from(request: FitRequest, weights: Weights, rest: Overhead, layout: CacheLayout) -> Load:
    """Put together what a server loads from its terms, each of which is shared by other requests too."""
    doubts = doubts_of(request, weights, rest, layout)
    at_none = rest.total_on(0.0) + context_doubt_gib(rest, 0.0)
    return Load(
        weights=weights,
        overhead=rest,
        layout=layout,
        doubts=doubts,
        careful_gib=weights.gib + math.hypot(*doubts.more_gib) + doubts.beyond_gib + at_none,
        careful_share=rest.total_on(1.0) + context_doubt_gib(rest, 1.0) - at_none,
    )


def layout_of(request: FitRequest) -> CacheLayout:
    """Return the plan of the KV cache, which depends on no GPU's size."""
    return cache_layout(
        request.model.architecture,
        tensor_parallel=request.tensor_parallel,
        kv_cache_dtype=request.cache_dtype,
        max_num_batched_tokens=request.batch_tokens,
        speculative_tokens=request.speculative_tokens,
        pipeline_parallel=request.pipeline_parallel,
        prefix_caching=request.prefix_caching,
        block_size=request.block_size,
        delta_checkpoints=writes_checkpoints(request.accelerator, request.rules),
        rules=request.rules,
    )
