"""The KV cache of compressed sparse attention (DeepSeek V4): several caches a layer, packed into one block.

Source: vLLM 0.32.0, `models/deepseek_v4` and `_get_packed_kv_cache_groups`, read November 2026. A block of the pool
holds 256 tokens of every compressed layer. Windows and the states of the compressors draw blocks of the same
size from the same pool, each holding few tokens; every page is padded to a multiple of 576 bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from onprem_agents.catalog import CompressedAttention
from onprem_agents.sizing.kv_layers import index_bytes
from onprem_agents.sizing.kv_specs import FullSpec, SlidingSpec

_BLOCK_TOKENS = 256
_WINDOW_BLOCK_TOKENS = 64
_ALIGNMENT_BYTES = 576
_ENTRY_SCALE_BYTES = 8  # one FP8 scale for every 64 elements, padded
_ROPE_BYTES = 2
_FP32_BYTES = 4
# A compressor keeps key and score of each token until its entry is done; at ratio 4 entries overlap by half.
_OVERLAPPING_RATIO = 4
_STATE_BLOCK_TOKENS = {4: 4, 128: 8}


def compressed_groups(
    groups: Sequence[CompressedAttention], in_flight_tokens: int, *, densely: bool = True
) -> tuple[int, int, list[tuple[FullSpec | SlidingSpec, int, int]]]:
    """Return the bytes that a request is charged for a block and those of one in the pool, and each kind of cache.

    Of a kind: its spec, number of groups and tokens of a block. Where layers are not packed `densely`, a request is
    charged as many pages of each kind as a group has layers (vLLM 0.20.2 to 0.28.0, v1/core/kv_cache_utils.py,
    `_get_kv_cache_groups_uniform_groups`).
    """
    layers = sum(group.layers for group in groups)
    states = [group for group in groups if group.ratio > 1]
    repeats = _repeats([layers, *(group.layers for group in states)], max(group.layers for group in states))
    window = SlidingSpec(
        layers=layers,
        bytes_per_token=0,
        window_tokens=max(group.window_tokens for group in groups),
        in_flight_tokens=in_flight_tokens,
    )
    entries = FullSpec(layers=layers, bytes_per_token=0)
    found: list[tuple[FullSpec | SlidingSpec, int, int]] = [
        (entries, 1, _BLOCK_TOKENS),
        (window, math.ceil(layers / repeats), _WINDOW_BLOCK_TOKENS),
    ]
    widths = [
        sum(group.layers * _entry_pages(group) for group in states),
        min(layers, repeats) * _page(_WINDOW_BLOCK_TOKENS * _entry_bytes(groups[0])),
    ]
    for group in states:
        spec = SlidingSpec(
            layers=group.layers,
            bytes_per_token=0,
            window_tokens=_overlap(group) * group.ratio,
            in_flight_tokens=in_flight_tokens,
        )
        found.append((spec, math.ceil(group.layers / repeats), _STATE_BLOCK_TOKENS[group.ratio]))
        widths.append(min(group.layers, repeats) * _state_pages(group))
    in_pool = max(widths)
    charged = in_pool if densely else max(in_pool, repeats * sum(_entry_pages(group) for group in states))
    return charged, in_pool, found


def _entry_bytes(group: CompressedAttention) -> int:
    return group.head_dim - group.rope_head_dim + group.rope_head_dim * _ROPE_BYTES + _ENTRY_SCALE_BYTES


def _entry_pages(group: CompressedAttention) -> int:
    entries = _BLOCK_TOKENS // group.ratio
    index = _page(entries * index_bytes(group.index_head_dim)) if group.index_head_dim else 0
    return _page(entries * _entry_bytes(group)) + index


def _state_pages(group: CompressedAttention) -> int:
    per_element = 2 * _overlap(group) * _FP32_BYTES * _STATE_BLOCK_TOKENS[group.ratio]
    index = _page(per_element * group.index_head_dim) if group.index_head_dim else 0
    return _page(per_element * group.head_dim) + index


def _overlap(group: CompressedAttention) -> int:
    return 2 if group.ratio == _OVERLAPPING_RATIO else 1


def _page(size_bytes: float) -> int:
    return math.ceil(size_bytes / _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES


def _repeats(layers: Sequence[int], least: int) -> int:
    """Return the layers of a group that waste the fewest places, the larger one of equals."""
    return min(
        range(least, max(layers) + 1), key=lambda size: (sum(-count % size for count in layers), -size)
    )
