"""What a step of a server reads and computes of a model: shares of its weights, KV cache, arithmetic.

The embedding table is looked up, not read, and towers do not work on text.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.catalog import (
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
    parameters_of,
)
from onprem_agents.sizing.kv_layers import Setting, layer_specs
from onprem_agents.sizing.kv_specs import ChunkedSpec, FullSpec, LayerSpec, SlidingSpec
from onprem_agents.sizing.load_profile import NEW_TOKENS, PROMPT_TOKENS
from onprem_agents.sizing.precision import part_bytes
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.towers import tower_gib

_READ_PARTS = (
    "head", "attention", "latent_down", "linear_attention", "feed_forward", "shared_experts", "routers",
)  # fmt: skip
_UNREAD_PARTS = ("embedding", "vision", "extra")

# Tokens that an indexer picks (DeepSeek V3.2's config.json: index_topk 2048; V4 512 of compressed ones; read
# November 2026).
_PICKED_TOKENS, _PICKED_ENTRIES = 2048, 512
# Arithmetic of a multiplication and an addition; keys and values both take part.
_OPERATIONS = 2


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of all bytes of a checkpoint, the shares that every step reads and that lie in experts; and its operations.

    One token leaves `idle_share` of the experts alone. `token_operations` are done for each token, `head_operations`
    once a sequence and step, on all GPUs together.
    """

    always: float
    experts: float
    idle_share: float
    token_operations: float
    head_operations: float


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Operations of attention in one model, on all GPUs together: of one token at the end of a session, and of prompts.

    A turn's prompt whose session is kept, and one whose session is not; the timed prompt cold and warm.
    """

    token: float
    kept_turn: float
    lost_turn: float
    cold_prompt: float
    warm_prompt: float


def shares_of(request: FitRequest) -> Shares:
    """Return what a step reads and computes of the checkpoint that is asked for, loaded towers counted."""
    model, variant = request.model, request.variant
    counted, experts = parameters_of(model.architecture), model.architecture.experts
    params = {part: float(getattr(counted, part)) for part in (*_READ_PARTS, *_UNREAD_PARTS, "experts")}
    if not tower_gib(request, 1.0):
        params["vision"] = 0.0
    if not params["head"]:  # a tied table is read as the head
        params["head"], params["embedding"] = params["embedding"], 0.0
    sized = {part: count * part_bytes(variant, part) for part, count in params.items()}
    whole = sum(sized.values())
    idle_share = 1 - experts.per_token / experts.count if experts else 1.0
    working = sum(params[part] for part in _READ_PARTS if part != "head")
    return Shares(
        always=sum(sized[part] for part in _READ_PARTS) / whole,
        experts=sized["experts"] / whole,
        idle_share=idle_share,
        token_operations=_OPERATIONS * (working + params["experts"] * (1 - idle_share)),
        head_operations=_OPERATIONS * params["head"],
    )


def attention_of(architecture: Architecture, context_tokens: int) -> Attention:
    """Return the operations of attention for sessions of that length."""

    def token(tokens: float) -> float:
        return sum(_attention_operations(group, architecture, tokens) for group in architecture.attention)

    def prompt(new_tokens: int, cached_tokens: int) -> float:
        return new_tokens * token(cached_tokens + new_tokens / 2)

    return Attention(
        token=token(context_tokens),
        kept_turn=prompt(NEW_TOKENS, max(0, context_tokens - NEW_TOKENS)),
        lost_turn=prompt(context_tokens, 0),
        cold_prompt=prompt(PROMPT_TOKENS, 0),
        warm_prompt=prompt(NEW_TOKENS, PROMPT_TOKENS - NEW_TOKENS),
    )


def session_bytes(architecture: Architecture, tensor_parallel: int, cache_dtype: str, tokens: float) -> float:
    """Return what a decode step reads of the cache on one GPU for one sequence, all stages together."""
    setting = Setting(
        tensor_parallel=tensor_parallel,
        kv_cache_dtype=cache_dtype,
        in_flight_tokens=0,
        speculative_tokens=0,
        prefix_caching=False,
        prefill_checkpoints=False,
        delta_checkpoints=False,
    )
    return sum(_kv_bytes(group, architecture, setting, tokens) for group in architecture.attention)


def _kv_bytes(group: AttentionLayers, architecture: Architecture, setting: Setting, tokens: float) -> float:
    if isinstance(group, CompressedAttention):
        entries = min(tokens / group.ratio, _PICKED_ENTRIES) if group.ratio > 1 else 0.0
        keys = tokens / group.ratio * group.index_head_dim
        return group.layers * ((min(tokens, group.window_tokens) + entries) * group.head_dim + keys)
    main, *index = layer_specs(architecture.model_copy(update={"attention": (group,)}), setting)
    seen = min(tokens, _PICKED_TOKENS) if _picks(group) else tokens
    return _read_of(main, seen) + sum(_read_of(spec, tokens) for spec in index)


def _picks(group: AttentionLayers) -> bool:
    """Return whether an indexer picks the tokens that these layers attend to."""
    if isinstance(group, LatentAttention):
        return group.index_layers > 0
    return isinstance(group, FullAttention) and group.index_head_dim > 0


def _read_of(spec: LayerSpec, tokens: float) -> float:
    if isinstance(spec, FullSpec):
        return spec.layers * tokens * (spec.bytes_per_token + spec.index_bytes_per_token)
    if isinstance(spec, SlidingSpec):
        return spec.layers * min(tokens, spec.window_tokens) * spec.bytes_per_token
    if isinstance(spec, ChunkedSpec):
        return spec.layers * min(tokens, spec.chunk_tokens) * spec.bytes_per_token
    return spec.layers * 2 * spec.state_bytes  # the state is read and written


def _attention_operations(group: AttentionLayers, architecture: Architecture, tokens: float) -> float:
    """Return the operations that one token costs in these layers after `tokens` others, on all GPUs together."""
    heads = architecture.attention_heads
    if isinstance(group, GatedDeltaNet | KimiDelta | Mamba2):
        return 0.0  # a state of fixed size: below a hundredth of the projections around it
    if isinstance(group, LatentAttention):
        seen = min(tokens, _PICKED_TOKENS) if _picks(group) else tokens
        width = group.nope_head_dim + group.rope_head_dim + group.value_head_dim
        index = group.index_layers * group.index_heads * group.index_head_dim * tokens
        return _OPERATIONS * (group.layers * heads * width * seen + index)
    if isinstance(group, CompressedAttention):
        entries = tokens / group.ratio
        index = group.index_heads * group.index_head_dim * entries
        seen = min(tokens, group.window_tokens) + (min(entries, _PICKED_ENTRIES) if group.ratio > 1 else 0.0)
        return _OPERATIONS * group.layers * (2 * heads * group.head_dim * seen + index)
    seen = tokens
    if isinstance(group, SlidingWindow):
        seen = min(tokens, group.window_tokens)
    elif isinstance(group, ChunkedAttention):
        seen = min(tokens, group.chunk_tokens / 2)
    elif _picks(group):
        seen = min(tokens, _PICKED_TOKENS)
    return _OPERATIONS * group.layers * 2 * heads * group.head_dim * seen
