"""How many parameters each part of a model has, counted from its architecture.

Weights are loaded, quantised, split and replicated part by part, so the sum alone says too little. Norms, biases,
convolutions and other vectors are left out: together they are below 0.1 % of every model of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from onprem_agents.catalog.attention import (
    Architecture,
    AttentionLayers,
    ChunkedAttention,
    CompressedAttention,
    FullAttention,
    GatedDeltaNet,
    KimiDelta,
    LatentAttention,
    Mamba2,
    SlidingWindow,
)

_Softmax = FullAttention | SlidingWindow | ChunkedAttention | LatentAttention | CompressedAttention

# Kimi delta attention has two low-rank gates (decay and output) whose inner width is one head.
_KIMI_GATES = 2


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters of one model by part.

    `latent_down` are projections into the compressed vectors of latent attention and its indexer, which every
    tensor-parallel rank holds whole. `vision` and `extra` are as the architecture states them.
    """

    embedding: int
    head: int
    attention: int
    latent_down: int
    linear_attention: int
    feed_forward: int
    experts: int
    shared_experts: int
    routers: int
    vision: int
    extra: int

    @property
    def total(self) -> int:
        """All parts together, without multi-token-prediction layers."""
        return sum(getattr(self, field.name) for field in fields(self))


def parameters_of(architecture: Architecture) -> Parameters:
    """Return the parameters of that architecture by part, without multi-token-prediction layers."""
    table = architecture.vocab_size * architecture.hidden_size
    attention = down = linear = 0
    for group in architecture.attention:
        if isinstance(group, (GatedDeltaNet, KimiDelta, Mamba2)):
            linear += group.layers * _linear(architecture, group)
        else:
            per_layer, per_layer_down = _softmax(architecture, group)
            attention += group.layers * per_layer
            down += group.layers * per_layer_down + _indexers(architecture, group)
    attention += _layers_that_read_another_cache(architecture)
    experts, shared, routers = _experts(architecture)
    return Parameters(
        embedding=table,
        head=0 if architecture.tie_word_embeddings else table,
        attention=attention,
        latent_down=down,
        linear_attention=linear,
        feed_forward=_dense(architecture),
        experts=experts,
        shared_experts=shared,
        routers=routers,
        vision=architecture.vision_params,
        extra=architecture.extra_params,
    )


def _dense(architecture: Architecture) -> int:
    if architecture.intermediate_size is None:
        return 0
    per_layer = architecture.feed_forward_matrices * architecture.hidden_size * architecture.intermediate_size
    return architecture.feed_forward_layers * per_layer


def _experts(architecture: Architecture) -> tuple[int, int, int]:
    experts = architecture.experts
    if experts is None:
        return 0, 0, 0
    layers, hidden = architecture.expert_layers, architecture.hidden_size
    matrices = architecture.feed_forward_matrices
    width = experts.hidden_size or hidden
    routed = layers * experts.count * matrices * width * experts.intermediate_size
    shared = layers * matrices * hidden * experts.shared_intermediate_size
    # Experts in a narrower space come with a projection into it and one back.
    latent = layers * 2 * hidden * experts.hidden_size if experts.hidden_size else 0
    return routed, shared + latent, layers * hidden * experts.count


def _softmax(architecture: Architecture, group: _Softmax) -> tuple[int, int]:
    """Return the parameters of one layer: those split over the ranks, and those that every rank holds."""
    if isinstance(group, LatentAttention):
        return _latent(architecture, group)
    if isinstance(group, CompressedAttention):
        return _compressed(architecture, group)
    hidden, heads = architecture.hidden_size, architecture.attention_heads
    query = heads * group.head_dim * (2 if architecture.attention_gate else 1)
    key_value = group.kv_heads * group.head_dim * (1 if group.shared_key_value else 2)
    return hidden * (query + key_value) + heads * group.head_dim * hidden, 0


def _latent(architecture: Architecture, group: LatentAttention) -> tuple[int, int]:
    hidden, heads = architecture.hidden_size, architecture.attention_heads
    split = heads * (group.nope_head_dim + group.rope_head_dim) * (group.query_lora_rank or hidden)
    split += group.kv_lora_rank * heads * (group.nope_head_dim + group.value_head_dim)
    split += heads * group.value_head_dim * hidden * (2 if architecture.attention_gate else 1)
    return split, hidden * (group.kv_lora_rank + group.rope_head_dim + (group.query_lora_rank or 0))


def _compressed(architecture: Architecture, group: CompressedAttention) -> tuple[int, int]:
    hidden, heads = architecture.hidden_size, architecture.attention_heads
    split = heads * group.head_dim * (group.query_lora_rank + group.output_lora_rank)
    split += group.output_groups * group.output_lora_rank * hidden
    down = hidden * (group.query_lora_rank + group.head_dim)
    if group.ratio > 1:  # key-value and gate of the compressor; overlapping windows double both
        down += hidden * 2 * group.head_dim * (2 if group.index_heads else 1)
    if group.index_heads:
        down += group.query_lora_rank * group.index_heads * group.index_head_dim
        down += hidden * (4 * group.index_head_dim + group.index_heads)
    return split, down


def _indexers(architecture: Architecture, group: AttentionLayers) -> int:
    if not isinstance(group, LatentAttention) or not group.index_layers:
        return 0
    query = (group.query_lora_rank or architecture.hidden_size) * group.index_heads * group.index_head_dim
    return group.index_layers * (
        query + architecture.hidden_size * (group.index_head_dim + group.index_heads)
    )


def _linear(architecture: Architecture, group: GatedDeltaNet | KimiDelta | Mamba2) -> int:
    hidden = architecture.hidden_size
    if isinstance(group, GatedDeltaNet):
        key = group.key_heads * group.key_head_dim
        value = group.value_heads * group.value_head_dim
        # queries, keys, values, output gate; two scalars a head; the way out
        return hidden * (2 * key + 2 * value + 2 * group.value_heads) + value * hidden
    if isinstance(group, KimiDelta):
        width = group.heads * group.head_dim
        gates = _KIMI_GATES * (hidden + width) * group.head_dim
        return hidden * (3 * width + group.heads) + gates + width * hidden
    inner = group.heads * group.head_dim
    return hidden * (2 * inner + 2 * group.groups * group.state_size + group.heads) + inner * hidden


def _layers_that_read_another_cache(architecture: Architecture) -> int:
    """Return queries and outputs of layers that keep no cache of their own (the small Gemma 4)."""
    heads, hidden = architecture.attention_heads, architecture.hidden_size
    return sum(group.layers * 2 * hidden * heads * group.head_dim for group in architecture.cache_readers)
