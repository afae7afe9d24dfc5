"""The shape of a model, as far as memory and sharding depend on it: layers by attention kind, experts, sizes.

Attention is a list of layer groups, one per kind, which holds only the layers that keep a cache of their own
(Gemma 4 E2B and E4B let their last layers read the cache of earlier ones).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source

Count = Annotated[int, Field(gt=0)]

_STATE_KINDS = frozenset({"gated-delta-net", "kimi-delta", "mamba2"})


class FullAttention(Fact):
    """Layers that keep keys and values of every token (multi-head or grouped-query attention).

    `shared_key_value`: one projection serves as keys and as values (Gemma 4); the cache still holds both. Where an
    indexer picks the tokens to attend to, it keeps one key of `index_head_dim` for every `index_ratio` tokens
    (Qwen3.8-Flash-Next); 0: there is none.
    """

    kind: Literal["full"]
    layers: Count
    kv_heads: Count
    head_dim: Count
    shared_key_value: bool = False
    index_head_dim: int = Field(default=0, ge=0)
    index_ratio: Count = 1


class SlidingWindow(Fact):
    """Layers that keep keys and values of the last `window_tokens` tokens only."""

    kind: Literal["sliding-window"]
    layers: Count
    kv_heads: Count
    head_dim: Count
    window_tokens: Count
    shared_key_value: bool = False


class ChunkedAttention(Fact):
    """Layers that see only their own chunk of `chunk_tokens` tokens (Llama 4): full chunks are dropped."""

    kind: Literal["chunked"]
    layers: Count
    kv_heads: Count
    head_dim: Count
    chunk_tokens: Count
    shared_key_value: bool = False


class LatentAttention(Fact):
    """Multi-head latent attention (MLA): one compressed vector a token, the same on every rank.

    `nope_head_dim`, `value_head_dim` (unless told, DeepSeek's) and `query_lora_rank` (null: queries are not
    compressed) size the weights alone. A sparse variant (DeepSeek V3.2, GLM-5) has an indexer of `index_heads` on
    `index_layers` of the layers; its keys of `index_head_dim` join the cache.
    """

    kind: Literal["latent"]
    layers: Count
    kv_lora_rank: Count
    rope_head_dim: Count
    nope_head_dim: Count = 128
    value_head_dim: Count = 128
    query_lora_rank: Count | None = None
    index_layers: int = Field(default=0, ge=0)
    index_heads: int = Field(default=0, ge=0)
    index_head_dim: int = Field(default=0, ge=0)


class CompressedAttention(Fact):
    """Sparse attention over compressed tokens (DeepSeek V4): one shared key-value head of `head_dim`.

    Every layer keeps the last `window_tokens` as they are and, where `ratio` is above 1, one entry for every
    `ratio` tokens of the whole context. `index_head_dim` is 0 where the layer has no indexer of its own.
    """

    kind: Literal["compressed"]
    layers: Count
    ratio: Count
    head_dim: Count
    rope_head_dim: Count
    window_tokens: Count
    query_lora_rank: Count
    output_lora_rank: Count
    output_groups: Count
    index_heads: int = Field(default=0, ge=0)
    index_head_dim: int = Field(default=0, ge=0)


class GatedDeltaNet(Fact):
    """Linear-attention layers that keep a state of fixed size per sequence (Qwen3-Next, 3.5, 3.6, 3.8)."""

    kind: Literal["gated-delta-net"]
    layers: Count
    key_heads: Count
    value_heads: Count
    key_head_dim: Count
    value_head_dim: Count
    conv_kernel: Count
    state_bytes_per_element: Literal[2, 4]


class KimiDelta(Fact):
    """Kimi delta attention: as the gated delta net, with one convolution each for queries, keys and values."""

    kind: Literal["kimi-delta"]
    layers: Count
    heads: Count
    head_dim: Count
    conv_kernel: Count
    state_bytes_per_element: Literal[2, 4]


class Mamba2(Fact):
    """State-space layers (Nemotron-H, Granite 4 H): a state of heads x head_dim x state_size per sequence.

    The convolution runs over heads x head_dim + 2 x groups x state_size channels.
    """

    kind: Literal["mamba2"]
    layers: Count
    heads: Count
    head_dim: Count
    groups: Count
    state_size: Count
    conv_kernel: Count
    state_bytes_per_element: Literal[2, 4]


AttentionLayers = Annotated[
    FullAttention
    | SlidingWindow
    | ChunkedAttention
    | LatentAttention
    | CompressedAttention
    | GatedDeltaNet
    | KimiDelta
    | Mamba2,
    Field(discriminator="kind"),
]


class CacheReaders(Fact):
    """Layers that read the cache of an earlier layer and keep none of their own (Gemma 4 E2B and E4B)."""

    layers: Count
    head_dim: Count


class Experts(Fact):
    """The experts of a mixture-of-experts model; all of them are resident, `per_token` of them work.

    `layers` counts the layers that have experts (null: all of them), `shared_intermediate_size` is the width of
    the shared experts together (0: none), `hidden_size` that of the narrower space the experts work in (null: the
    model's own).
    """

    count: Count
    per_token: Count
    intermediate_size: Count
    layers: Count | None = None
    shared_intermediate_size: int = Field(default=0, ge=0)
    hidden_size: Count | None = None


class Architecture(Fact):
    """Figures of config.json that decide memory and sharding.

    `intermediate_size` is that of the dense feed-forward layers (null where there are none), `dense_layers` how
    many there are (null: all layers that have no experts), `feed_forward_matrices` three where the feed-forward
    is gated and two where not. `attention_gate` says that the queries carry a gate of their size with them.
    `mtp_layers` are the multi-token-prediction layers that come with the checkpoint, unused unless speculation is
    on. `vision_params` are those of vision and audio towers, `extra_params` what fits no other part, such as
    embeddings of each layer; both stay in BF16. `host_params` never reach the GPU. `rotary_params` are elements of
    rotary tables, a row for each position: BF16, whole on each GPU and in no checkpoint, told where they are more
    than 64 MiB (counted in vLLM 0.32.0's modules on PyTorch's meta device, November 2026).
    """

    model_type: str
    hidden_size: Count
    layers: Count
    attention_heads: Count
    vocab_size: Count
    max_context_tokens: Count
    intermediate_size: Count | None = None
    dense_layers: int | None = Field(default=None, ge=0)
    feed_forward_matrices: Literal[2, 3] = 3
    attention: tuple[AttentionLayers, ...] = Field(min_length=1)
    attention_gate: bool = False
    cache_readers: tuple[CacheReaders, ...] = ()
    experts: Experts | None = None
    tie_word_embeddings: bool = False
    mtp_layers: int = Field(default=0, ge=0)
    vision_params: int = Field(default=0, ge=0)
    extra_params: int = Field(default=0, ge=0)
    host_params: int = Field(default=0, ge=0)
    rotary_params: int = Field(default=0, ge=0)
    source: Source

    @property
    def is_hybrid(self) -> bool:
        """True where linear-attention layers keep a state: prefix caching works in large blocks only."""
        return any(group.kind in _STATE_KINDS for group in self.attention)

    @property
    def expert_layers(self) -> int:
        """How many layers have experts."""
        if self.experts is None:
            return 0
        return self.experts.layers or self.layers

    @property
    def feed_forward_layers(self) -> int:
        """How many layers have a dense feed-forward part."""
        if self.intermediate_size is None:
            return 0
        return self.layers - self.expert_layers if self.dense_layers is None else self.dense_layers
