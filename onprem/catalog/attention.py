"""The shape of a model, as far as memory and sharding depend on it: layers by attention kind, experts, sizes.

Attention is a list of layer groups, one per kind, which holds only the layers that keep a cache of their own
(Gemma 4 E2B and E4B let their last layers read the cache of earlier ones).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onprem.catalog.fact import Fact, Source

Count = Annotated[int, Field(gt=0)]


class FullAttention(Fact):
    """Layers that keep keys and values of every token (multi-head or grouped-query attention)."""

    kind: Literal["full"]
    layers: Count
    kv_heads: Count
    head_dim: Count


class SlidingWindow(Fact):
    """Layers that keep keys and values of the last `window_tokens` tokens only."""

    kind: Literal["sliding-window"]
    layers: Count
    kv_heads: Count
    head_dim: Count
    window_tokens: Count


class LatentAttention(Fact):
    """Multi-head latent attention (MLA): one compressed vector a token, the same on every rank."""

    kind: Literal["latent"]
    layers: Count
    kv_lora_rank: Count
    rope_head_dim: Count


class GatedDeltaNet(Fact):
    """Linear-attention layers that keep a state of fixed size per sequence (Qwen3-Next, 3.5, 3.6)."""

    kind: Literal["gated-delta-net"]
    layers: Count
    key_heads: Count
    value_heads: Count
    key_head_dim: Count
    value_head_dim: Count
    conv_kernel: Count
    state_bytes_per_element: Literal[2, 4]


AttentionLayers = Annotated[
    FullAttention | SlidingWindow | LatentAttention | GatedDeltaNet, Field(discriminator="kind")
]


class Experts(Fact):
    """The experts of a mixture-of-experts model; all of them are resident, `per_token` of them work."""

    count: Count
    per_token: Count
    intermediate_size: Count


class Architecture(Fact):
    """Figures of config.json that decide memory and sharding.

    `intermediate_size` is that of the dense feed-forward layers (null where there are none), `mtp_layers`
    the multi-token-prediction layers that come with the checkpoint, unused unless speculation is on.
    """

    model_type: str
    hidden_size: Count
    layers: Count
    attention_heads: Count
    vocab_size: Count
    max_context_tokens: Count
    intermediate_size: Count | None = None
    attention: tuple[AttentionLayers, ...] = Field(min_length=1)
    experts: Experts | None = None
    mtp_layers: int = Field(default=0, ge=0)
    source: Source

    @property
    def is_hybrid(self) -> bool:
        """True where linear-attention layers keep a state: prefix caching works in large blocks only."""
        return any(group.kind == "gated-delta-net" for group in self.attention)
