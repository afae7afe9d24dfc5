"""How vLLM lays the KV cache out: pages, groups and blocks of one pool.

Source: vLLM 0.32.0 and 0.33.0, `v1/core/kv_cache_utils.py`, read November 2026. Layers of one kind are cut into
groups of equal size, all pages are made equally large, and all groups draw blocks from one pool, so

    bytes of a request = layers per group x page x sum over all groups of the blocks held

Where all layers keep every token they form one group, whatever a token costs in each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onprem_agents.catalog import Accelerator, Architecture, CompressedAttention
from onprem_agents.sizing.kv_compressed import compressed_caches
from onprem_agents.sizing.kv_layers import Setting, layer_specs
from onprem_agents.sizing.kv_specs import FullSpec, LayerSpec, StateSpec
from onprem_agents.sizing.release import ReleaseRules, release_rules
from onprem_agents.units import GIB
from onprem_agents.vllm import CompressedLayout

# vLLM: the larger group size is taken when it is under 1.5 x the smaller.
_GROUP_SIZE_TOLERANCE = 1.5

_HOPPER, _BLACKWELL = 9.0, (10, 12)


@dataclass(frozen=True, kw_only=True)
class LayerGroups:
    """`count` groups of layers of one kind, whose blocks hold `block_tokens` tokens each.

    `printed_bytes` is what a block of all of them counts in the concurrency that is printed, 0 where a block is one.
    """

    spec: LayerSpec
    count: int
    block_tokens: int
    printed_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class CacheLayout:
    """The plan for one GPU: what a block costs and how many a request needs.

    `pool_bytes_per_block` is what a block takes in the pool, where that is less than what a request is charged for it.
    """

    bytes_per_block: int
    groups: tuple[LayerGroups, ...]
    pool_bytes_per_block: int | None = None

    def blocks_per_request(self, context_tokens: int) -> int:
        """Return the blocks that one request of that length holds at most."""
        return sum(
            group.count * group.spec.blocks(context_tokens, group.block_tokens) for group in self.groups
        )

    def least_blocks(self, context_tokens: int, sequences: int) -> int:
        """Return the blocks without which no request of that length runs: its own, or a state for each sequence."""
        return max(self.blocks_per_request(context_tokens), sequences if self.has_states else 0)

    def gib_per_request(self, context_tokens: int) -> float:
        """Return the GiB on each GPU that one request of that length holds at most."""
        return self.blocks_per_request(context_tokens) * self.bytes_per_block / GIB

    def blocks_in(self, pool_gib: float) -> int:
        """Return the usable blocks of a pool of that size; vLLM keeps one block back as the null block."""
        return max(0, math.floor(pool_gib * GIB / self.bytes_per_block) - 1)

    def concurrency(self, pool_gib: float, context_tokens: int) -> float:
        """Return the "Maximum concurrency" that vLLM prints, which counts the null block as well."""
        return self._all_blocks(pool_gib) / self._printed_blocks(context_tokens)

    def printed_tokens(self, pool_gib: float, context_tokens: int, tokens_are_concurrency: bool) -> int:
        """Return the "GPU KV cache size" that vLLM prints; what it means changed with 0.21."""
        if tokens_are_concurrency:
            return int(self.concurrency(pool_gib, context_tokens) * context_tokens)
        groups = sum(group.count for group in self.groups)
        smallest = min((group.block_tokens for group in self.groups if group.block_tokens), default=1)
        return self._all_blocks(pool_gib) // groups * smallest

    def largest_context_tokens(self, pool_gib: float, limit_tokens: int) -> int:
        """Return the longest context whose single request the pool holds, 0 when none does."""
        return self.longest_in(self.blocks_in(pool_gib), limit_tokens)

    def longest_in(self, blocks: int, limit_tokens: int, step_tokens: int = 1) -> int:
        """Return the longest context, in whole steps, whose single request these blocks hold, 0 when none does."""
        shortest, longest = 0, limit_tokens // step_tokens
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            if self.blocks_per_request(middle * step_tokens) <= blocks:
                shortest = middle
            else:
                longest = middle - 1
        return shortest * step_tokens

    @property
    def has_states(self) -> bool:
        """True where linear-attention layers need at least one block for each running sequence."""
        return any(isinstance(group.spec, StateSpec) for group in self.groups)

    def _printed_blocks(self, context_tokens: int) -> int:
        """Return the blocks of a request as the printed concurrency counts them."""
        unit = self.groups[0].printed_bytes
        if not unit:
            return self.blocks_per_request(context_tokens)
        return math.ceil(
            sum(
                group.printed_bytes * group.spec.blocks(context_tokens, group.block_tokens)
                for group in self.groups
            )
            / unit
        )

    def _all_blocks(self, pool_gib: float) -> int:
        return max(0, math.floor(pool_gib * GIB / (self.pool_bytes_per_block or self.bytes_per_block)))


def cache_layout(  # noqa: PLR0913 - one keyword for each flag of vLLM that counts
    architecture: Architecture,
    *,
    tensor_parallel: int,
    kv_cache_dtype: str,
    max_num_batched_tokens: int,
    speculative_tokens: int = 0,
    pipeline_parallel: int = 1,
    prefix_caching: bool | None = None,
    block_size: int | None = None,
    delta_checkpoints: bool = False,
    rules: ReleaseRules | None = None,
) -> CacheLayout:
    """Return the KV cache plan of one GPU.

    `kv_cache_dtype` is a value of vLLM's flag that `kv_layers.ELEMENT_BYTES` knows; `prefix_caching` None means
    the release's default, `block_size` None what the kernels take; `rules` None the newest release.
    `delta_checkpoints` says that gated delta nets write checkpoints, which depends on the GPU (`writes_checkpoints`).
    """
    release = rules or release_rules(None)
    setting = Setting(
        tensor_parallel=tensor_parallel,
        kv_cache_dtype=kv_cache_dtype,
        in_flight_tokens=max_num_batched_tokens * _batches_in_flight(release, pipeline_parallel),
        speculative_tokens=speculative_tokens,
        prefix_caching=release.memory.hybrid_prefix_caching if prefix_caching is None else prefix_caching,
        prefill_checkpoints=release.memory.prefill_checkpoints,
        delta_checkpoints=delta_checkpoints,
        hybrid_latent_tokens=release.memory.hybrid_latent_tokens,
    )
    compressed = [group for group in architecture.attention if isinstance(group, CompressedAttention)]
    if compressed:
        return _compressed(compressed, setting, pipeline_parallel, release.memory.compressed_layout)
    return _layout(layer_specs(architecture, setting), pipeline_parallel, block_size or 0)


def writes_checkpoints(accelerator: Accelerator, rules: ReleaseRules) -> bool:
    """Return whether gated delta nets write checkpoints of their state there: where FlashInfer runs their prefill.

    Compute capability 9.0, and 10.x and 12.x with CUDA 13 (vLLM 0.33.0, `_resolve_gdn_prefill_backend`).
    """
    capability = accelerator.compute_capability
    return rules.memory.delta_checkpoints and (capability == _HOPPER or int(capability) in _BLACKWELL)


def _batches_in_flight(release: ReleaseRules, stages: int) -> int:
    """Return the batches whose tokens count as held: one more for each further stage where scheduling runs ahead.

    vLLM 0.33.0, config/vllm.py, max_concurrent_batches.
    """
    batches = release.memory.batches_in_flight
    return batches + stages - 1 if batches > 1 else 1


def _compressed(
    groups: Sequence[CompressedAttention], setting: Setting, stages: int, layout: CompressedLayout
) -> CacheLayout:
    caches = compressed_caches(groups, setting.in_flight_tokens, layout)
    return CacheLayout(
        bytes_per_block=math.ceil(caches.charged_bytes / stages),
        pool_bytes_per_block=math.ceil(caches.pool_bytes / stages),
        groups=tuple(
            LayerGroups(
                spec=kind.spec,
                count=kind.count,
                block_tokens=kind.block_tokens,
                printed_bytes=kind.bytes if caches.counted_by_bytes else 0,
            )
            for kind in caches.kinds
        ),
    )


def _layout(specs: Sequence[LayerSpec], stages: int, wanted_tokens: int) -> CacheLayout:
    if all(isinstance(spec, FullSpec) for spec in specs):
        return _one_group([spec for spec in specs if isinstance(spec, FullSpec)], stages, wanted_tokens)
    page_bytes, block_tokens = _unify_pages(specs, wanted_tokens)
    per_group = _group_size([spec.layers for spec in specs])
    index_bytes = max(
        math.ceil(spec.index_bytes_per_token * tokens) if isinstance(spec, FullSpec) else 0
        for spec, tokens in zip(specs, block_tokens, strict=True)
    )
    return CacheLayout(
        bytes_per_block=math.ceil(per_group / stages) * (page_bytes + index_bytes),
        groups=tuple(
            LayerGroups(spec=spec, count=math.ceil(spec.layers / per_group), block_tokens=tokens)
            for spec, tokens in zip(specs, block_tokens, strict=True)
        ),
    )


def _one_group(specs: Sequence[FullSpec], stages: int, wanted_tokens: int) -> CacheLayout:
    block = max(wanted_tokens, *(spec.smallest_block_tokens for spec in specs))
    per_token = sum(
        math.ceil(spec.layers / stages) * (spec.bytes_per_token + spec.index_bytes_per_token)
        for spec in specs
    )
    whole = FullSpec(
        layers=sum(spec.layers for spec in specs), bytes_per_token=per_token, smallest_block_tokens=block
    )
    return CacheLayout(
        bytes_per_block=math.ceil(block * per_token),
        groups=(LayerGroups(spec=whole, count=1, block_tokens=block),),
    )


def _unify_pages(specs: Sequence[LayerSpec], wanted_tokens: int) -> tuple[int, list[int]]:
    """Return the page size in bytes that all layers share, and the tokens of a block for each spec.

    The block of a hybrid model grows in steps of the smallest one, or of a wanted one, until an attention page holds a
    state; where token sizes differ, the smaller ones get a larger block.
    """
    attention = [spec for spec in specs if not isinstance(spec, StateSpec)]
    state_bytes = max((spec.state_bytes for spec in specs if isinstance(spec, StateSpec)), default=0)
    page_bytes = max(
        (
            _grown_page(spec.bytes_per_token * max(spec.smallest_block_tokens, wanted_tokens), state_bytes)
            for spec in attention
        ),
        default=state_bytes,
    )
    block_tokens = [
        0 if isinstance(spec, StateSpec) else math.floor(page_bytes / spec.bytes_per_token) for spec in specs
    ]
    return page_bytes, block_tokens


def _grown_page(block_bytes: float, state_bytes: int) -> int:
    return math.ceil(block_bytes * max(1, math.ceil(state_bytes / block_bytes)))


def _group_size(layer_counts: list[int]) -> int:
    fewest, most = min(layer_counts), max(layer_counts)
    return most if most < _GROUP_SIZE_TOLERANCE * fewest else fewest
