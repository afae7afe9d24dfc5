"""How vLLM plans the KV cache: one frozen spec per attention kind, then pages, groups and blocks.

Source: vLLM 0.33.0, `v1/kv_cache_interface.py` and `v1/core/kv_cache_utils.py`, read November 2026; 0.32
plans the same. Every layer kind says what a token (or a state) costs in one layer and how many blocks one
request holds. Layers of one kind are cut into groups of equal size, all pages are made equally large, and all
groups draw blocks from one pool, so

    bytes of a request = layers per group x page x sum over all groups of the blocks held
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from onprem.catalog import Architecture, AttentionLayers, FullAttention, GatedDeltaNet, SlidingWindow
from onprem.units import GIB

# vLLM 0.33.0: default block of CUDA attention backends, and the one MLA backends want.
_BLOCK_TOKENS = 16
_LATENT_BLOCK_TOKENS = 64

# vLLM 0.33.0 `get_uniform_page_size` grouping: the larger group size is taken when it is under 1.5 x the
# smaller.
_GROUP_SIZE_TOLERANCE = 1.5

# vLLM 0.26 on: async scheduling keeps two batches in flight, so a sliding window must hold both.
_BATCHES_IN_FLIGHT = 2

_CONV_STATE_BYTES = 2  # the convolution state stays in BF16 whatever the dtype of the recurrent state


@dataclass(frozen=True, kw_only=True)
class FullSpec:
    """Full attention: every token of the request stays."""

    layers: int
    bytes_per_token: int
    smallest_block_tokens: int = _BLOCK_TOKENS

    def blocks(self, context_tokens: int, block_tokens: int) -> int:
        """Return the blocks of one layer group that a request of that length holds."""
        return _blocks(context_tokens, block_tokens)


@dataclass(frozen=True, kw_only=True)
class SlidingSpec:
    """Sliding window: the window and the tokens in flight stay.

    One block more than they fill: a window of 4 tokens in blocks of 4 can lie across two blocks.
    """

    layers: int
    bytes_per_token: int
    window_tokens: int
    in_flight_tokens: int
    smallest_block_tokens: int = _BLOCK_TOKENS

    def blocks(self, context_tokens: int, block_tokens: int) -> int:
        """Return the blocks of one layer group that a request of that length holds."""
        held = min(self.window_tokens - 1 + self.in_flight_tokens, context_tokens)
        return _blocks(held, block_tokens) + 1


@dataclass(frozen=True, kw_only=True)
class StateSpec:
    """Linear attention: a state of fixed size, one copy per block whatever the length of the request.

    With prefix caching (the default) a request holds its running state, the one being written, and one for
    each speculated token.
    """

    layers: int
    state_bytes: int
    speculative_tokens: int

    def blocks(self, context_tokens: int, block_tokens: int) -> int:  # noqa: ARG002 - same question as the others
        """Return the blocks of one layer group that a request of any length holds."""
        return 2 + self.speculative_tokens


LayerSpec = FullSpec | SlidingSpec | StateSpec


@dataclass(frozen=True, kw_only=True)
class LayerGroups:
    """`count` groups of layers of one kind, whose blocks hold `block_tokens` tokens each."""

    spec: LayerSpec
    count: int
    block_tokens: int


@dataclass(frozen=True, kw_only=True)
class CacheLayout:
    """The plan for one GPU: what a block of the pool costs and how many a request needs."""

    bytes_per_block: int
    groups: tuple[LayerGroups, ...]

    def blocks_per_request(self, context_tokens: int) -> int:
        """Return the blocks that one request of that length holds at most."""
        return sum(
            group.count * group.spec.blocks(context_tokens, group.block_tokens) for group in self.groups
        )

    def gib_per_request(self, context_tokens: int) -> float:
        """Return the GiB on each GPU that one request of that length holds at most."""
        return self.blocks_per_request(context_tokens) * self.bytes_per_block / GIB

    def blocks_in(self, pool_gib: float) -> int:
        """Return the usable blocks of a pool of that size; vLLM keeps one block back as the null block."""
        return max(0, math.floor(pool_gib * GIB / self.bytes_per_block) - 1)

    @property
    def has_states(self) -> bool:
        """True where linear-attention layers need at least one block for each running sequence."""
        return any(isinstance(group.spec, StateSpec) for group in self.groups)


def cache_layout(
    architecture: Architecture,
    *,
    tensor_parallel: int,
    kv_cache_dtype: str,
    max_num_batched_tokens: int,
    speculative_tokens: int = 0,
) -> CacheLayout:
    """Return the KV cache plan of one GPU. `kv_cache_dtype` is "auto" (BF16) or "fp8"."""
    element_bytes = 1 if kv_cache_dtype == "fp8" else 2
    specs = [
        _spec(group, tensor_parallel, element_bytes, max_num_batched_tokens, speculative_tokens)
        for group in architecture.attention
    ]
    if speculative_tokens:
        specs = [_with_draft_layers(spec, architecture.mtp_layers) for spec in specs]
    page_bytes, block_tokens = _unify_pages(specs)
    per_group = _group_size([spec.layers for spec in specs])
    return CacheLayout(
        bytes_per_block=per_group * page_bytes,
        groups=tuple(
            LayerGroups(spec=spec, count=math.ceil(spec.layers / per_group), block_tokens=tokens)
            for spec, tokens in zip(specs, block_tokens, strict=True)
        ),
    )


def _spec(
    group: AttentionLayers,
    tensor_parallel: int,
    element_bytes: int,
    max_num_batched_tokens: int,
    speculative_tokens: int,
) -> LayerSpec:
    if isinstance(group, GatedDeltaNet):
        return StateSpec(
            layers=group.layers,
            state_bytes=_state_bytes(group, tensor_parallel, speculative_tokens),
            speculative_tokens=speculative_tokens,
        )
    if isinstance(group, FullAttention | SlidingWindow):
        kv_heads = max(1, group.kv_heads // tensor_parallel)  # replicated when there are more GPUs than heads
        per_token = 2 * kv_heads * group.head_dim * element_bytes  # keys and values
        if isinstance(group, FullAttention):
            return FullSpec(layers=group.layers, bytes_per_token=per_token)
        return SlidingSpec(
            layers=group.layers,
            bytes_per_token=per_token,
            window_tokens=group.window_tokens,
            in_flight_tokens=_BATCHES_IN_FLIGHT * max_num_batched_tokens,
        )
    return (
        FullSpec(  # latent attention: the compressed vector lies on every GPU, tensor parallel does not help
            layers=group.layers,
            bytes_per_token=(group.kv_lora_rank + group.rope_head_dim) * element_bytes,
            smallest_block_tokens=_LATENT_BLOCK_TOKENS,
        )
    )


def _state_bytes(group: GatedDeltaNet, tensor_parallel: int, speculative_tokens: int) -> int:
    """Return the bytes of convolution and recurrent state of one layer on one GPU."""
    channels = 2 * group.key_head_dim * group.key_heads + group.value_head_dim * group.value_heads
    convolution = (
        channels // tensor_parallel * (group.conv_kernel - 1 + speculative_tokens) * _CONV_STATE_BYTES
    )
    recurrent = group.value_heads // tensor_parallel * group.value_head_dim * group.key_head_dim
    return convolution + recurrent * group.state_bytes_per_element


def _with_draft_layers(spec: LayerSpec, mtp_layers: int) -> LayerSpec:
    """Return the spec with the multi-token-prediction layers, which use full attention."""
    return replace(spec, layers=spec.layers + mtp_layers) if isinstance(spec, FullSpec) else spec


def _unify_pages(specs: list[LayerSpec]) -> tuple[int, list[int]]:
    """Return the page size in bytes that all layers share, and the tokens of a block for each spec.

    The block of a hybrid model grows until an attention page holds a state; where token sizes differ, the
    smaller ones get a larger block.
    """
    attention = [spec for spec in specs if not isinstance(spec, StateSpec)]
    state_bytes = max((spec.state_bytes for spec in specs if isinstance(spec, StateSpec)), default=0)
    page_bytes = max(
        spec.bytes_per_token
        * spec.smallest_block_tokens
        * max(1, math.ceil(state_bytes / (spec.smallest_block_tokens * spec.bytes_per_token)))
        for spec in attention
    )
    block_tokens = [
        0 if isinstance(spec, StateSpec) else page_bytes // spec.bytes_per_token for spec in specs
    ]
    return page_bytes, block_tokens


def _group_size(layer_counts: list[int]) -> int:
    fewest, most = min(layer_counts), max(layer_counts)
    return most if most < _GROUP_SIZE_TOLERANCE * fewest else fewest


def _blocks(tokens: int, block_tokens: int) -> int:
    return math.ceil(tokens / block_tokens)
