"""The KV cache of compressed sparse attention (DeepSeek V4): several caches a layer, packed into one block.

Source: vLLM 0.32.0, `models/deepseek_v4` and `_get_packed_kv_cache_groups`, read November 2026. A block of the pool
holds 256 tokens of every compressed layer. Windows and the states of the compressors draw blocks of the same
size from the same pool, each holding few tokens; every page is padded to a multiple of 576 bytes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from onprem_agents.catalog import CompressedAttention
from onprem_agents.sizing.kv_layers import index_bytes
from onprem_agents.sizing.kv_specs import FullSpec, SlidingSpec
from onprem_agents.vllm import CompressedLayout

_BLOCK_TOKENS = 256
_WINDOW_BLOCK_TOKENS = 64
_ALIGNMENT_BYTES = 576
_ENTRY_SCALE_BYTES = 8  # one FP8 scale for every 64 elements, padded
_ROPE_BYTES = 2
_FP32_BYTES = 4
# A compressor keeps key and score of each token until its entry is done; at ratio 4 entries overlap by half.
_OVERLAPPING_RATIO = 4
_STATE_BLOCK_TOKENS = {4: 4, 128: 8}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of cache: `count` groups of it, tokens of a block, and the bytes of a block of all its groups."""

    spec: FullSpec | SlidingSpec
    count: int
    block_tokens: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class CompressedCaches:
    """What a request is charged for a block, what a block takes in the pool, and each kind of cache.

    `counted_by_bytes`: the concurrency that is printed counts a block by its kind's bytes, those of the first kind
    being one.
    """

    charged_bytes: int
    pool_bytes: int
    counted_by_bytes: bool
    kinds: tuple[Kind, ...]


def compressed_caches(
    groups: Sequence[CompressedAttention], in_flight_tokens: int, layout: CompressedLayout
) -> CompressedCaches:
    """Return the caches of one GPU. How they share blocks changed from release to release:

    "tuples" (vLLM 0.20.2 to 0.23.0, `_get_kv_cache_config_deepseek_v4`): as many rounds as the longest group has
    layers, each with a place for every size of page. "slots" (0.24.0 to 0.26.0, `_bucket_layers_by_page_size`): as
    many places of each size as the group with most of them needs. "slabs" (0.27.0 to 0.28.0,
    `_get_packed_kv_cache_layout`): as much as the widest group. In all three a request is charged by rounds
    (`_max_memory_usage_bytes_from_groups`), which ends with "dense" (0.29.0).
    """
    layers = sum(group.layers for group in groups)
    states = [group for group in groups if group.ratio > 1]
    repeats = _repeats([layers, *(group.layers for group in states)], max(group.layers for group in states))
    entries = _pages((size, group.layers) for group in states for size in _entry_pages(group))
    window = SlidingSpec(
        layers=layers,
        bytes_per_token=0,
        window_tokens=max(group.window_tokens for group in groups),
        in_flight_tokens=in_flight_tokens,
    )
    found: list[tuple[FullSpec | SlidingSpec, int, Counter[int]]] = [
        (FullSpec(layers=layers, bytes_per_token=0), _BLOCK_TOKENS, entries),
        (
            window,
            _WINDOW_BLOCK_TOKENS,
            Counter({_page(_WINDOW_BLOCK_TOKENS * _entry_bytes(groups[0])): layers}),
        ),
    ]
    for group in states:
        spec = SlidingSpec(
            layers=group.layers,
            bytes_per_token=0,
            window_tokens=_overlap(group) * group.ratio,
            in_flight_tokens=in_flight_tokens,
        )
        pages = _pages((size, group.layers) for size in _state_pages(group))
        found.append((spec, _STATE_BLOCK_TOKENS[group.ratio], pages))
    in_group = [pages if pages is entries else _at_most(pages, repeats) for _, _, pages in found]
    padded = [pages if pages is entries else _padded(pages, entries) for pages in in_group]
    rounds = repeats * sum(entries)
    dense = max(map(_bytes, in_group))
    pool_bytes = {
        "tuples": rounds,
        "slots": sum(size * max(pages[size] for pages in padded) for size in entries),
        "slabs": dense,
        "dense": dense,
    }[layout]
    return CompressedCaches(
        charged_bytes=dense if layout == "dense" else max(dense, rounds),
        pool_bytes=pool_bytes,
        counted_by_bytes=layout in ("tuples", "slots"),
        kinds=tuple(
            Kind(
                spec=spec,
                count=1 if pages is entries else math.ceil(spec.layers / repeats),
                block_tokens=tokens,
                bytes=_bytes(pages if pages is entries else _padded(pages, entries)),
            )
            for spec, tokens, pages in found
        ),
    )


def _pages(counted: Iterable[tuple[int, int]]) -> Counter[int]:
    """Return how many pages there are of each size."""
    pages: Counter[int] = Counter()
    for size, count in counted:
        pages[size] += count
    return pages


def _at_most(pages: Counter[int], count: int) -> Counter[int]:
    return Counter({size: min(many, count) for size, many in pages.items()})


def _padded(pages: Counter[int], entries: Counter[int]) -> Counter[int]:
    """Return the pages grown to the nearest size that entries have."""
    largest = max(entries)
    return _pages(
        (min((own for own in entries if own >= size), default=largest), many) for size, many in pages.items()
    )


def _bytes(pages: Counter[int]) -> int:
    return sum(size * count for size, count in pages.items())


def _entry_bytes(group: CompressedAttention) -> int:
    return group.head_dim - group.rope_head_dim + group.rope_head_dim * _ROPE_BYTES + _ENTRY_SCALE_BYTES


def _entry_pages(group: CompressedAttention) -> Iterator[int]:
    entries = _BLOCK_TOKENS // group.ratio
    yield _page(entries * _entry_bytes(group))
    if group.index_head_dim:
        yield _page(entries * index_bytes(group.index_head_dim))


def _state_pages(group: CompressedAttention) -> Iterator[int]:
    per_element = 2 * _overlap(group) * _FP32_BYTES * _STATE_BLOCK_TOKENS[group.ratio]
    yield _page(per_element * group.head_dim)
    if group.index_head_dim:
        yield _page(per_element * group.index_head_dim)


def _overlap(group: CompressedAttention) -> int:
    return 2 if group.ratio == _OVERLAPPING_RATIO else 1


def _page(size_bytes: float) -> int:
    return math.ceil(size_bytes / _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES


def _repeats(layers: Sequence[int], least: int) -> int:
    """Return the layers of a group that waste the fewest places, the larger one of equals."""
    return min(
        range(least, max(layers) + 1), key=lambda size: (sum(-count % size for count in layers), -size)
    )
