"""What one step of a server reads and computes on each GPU: weights, KV cache, arithmetic.

Of a mixture of experts n tokens touch the share 1 - (1 - k / E)^n of the experts, where each token takes any k of E.
The embedding table is looked up, not read, and towers do not work on text.
"""

from __future__ import annotations

import math
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
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.precision import part_bytes
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.towers import tower_gib
from onprem_agents.units import GIB

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
class Work:
    """Work on each GPU of the fullest stage of a pipeline. Bytes, and floating-point operations for one token.

    `always_bytes` are read by every step, `experts_bytes` are those of all experts, of which one token leaves the
    share `idle_share` unread. `head_operations` are done once a sequence and step, `token_operations` for every
    token; of `attention_operations` there are as many for each token that is looked back at.
    """

    always_bytes: float
    experts_bytes: float
    idle_share: float
    token_operations: float
    head_operations: float
    request: FitRequest

    def read_bytes(self, tokens: float) -> float:
        """Return the weights that a step over that many tokens reads."""
        return self.always_bytes + self.experts_bytes * (1 - math.pow(self.idle_share, tokens))

    @property
    def least_bytes(self) -> float:
        """The weights that a step reads at least: all its tokens may go to the same experts."""
        return self.read_bytes(1)

    def kv_bytes(self, context_tokens: float) -> float:
        """Return what a decode step reads of the cache for one sequence of that length."""
        request = self.request
        read = sum(
            _kv_bytes(group, request, context_tokens) for group in request.model.architecture.attention
        )
        return read / request.pipeline_parallel

    def attention_operations(self, context_tokens: float) -> float:
        """Return the operations of attention for one token after that many others."""
        architecture = self.request.model.architecture
        together = sum(
            _attention_operations(group, architecture, context_tokens) for group in architecture.attention
        )
        return together / self.request.tensor_parallel / self.request.pipeline_parallel

    def prompt_operations(self, new_tokens: float, cached_tokens: float) -> float:
        """Return the operations of attention for so many new tokens after so many cached ones."""
        return new_tokens * self.attention_operations(cached_tokens + new_tokens / 2)


def work_of(memory: Memory) -> Work:
    """Return the work of the server that this account is of."""
    return work_on(memory.request, memory.weights.gib)


def work_on(request: FitRequest, weights_gib: float) -> Work:
    """Return the work of a server whose weights take that much of each GPU."""
    model, variant = request.model, request.variant
    counted = parameters_of(model.architecture)
    params = {part: float(getattr(counted, part)) for part in (*_READ_PARTS, *_UNREAD_PARTS, "experts")}
    if not tower_gib(request, 1.0):
        params["vision"] = 0.0
    head = params["head"] or params["embedding"]  # a tied table is read as the head
    params["head"], params["embedding"] = head, params["embedding"] if params["head"] else 0.0
    sized = {part: count * part_bytes(variant, part) for part, count in params.items()}
    whole = sum(sized.values())
    bytes_on_gpu = weights_gib * GIB
    experts = model.architecture.experts
    idle_share = 1 - experts.per_token / experts.count if experts else 1.0
    working = sum(params[part] for part in _READ_PARTS if part != "head")
    working += params["experts"] * (1 - idle_share)
    gpus = request.tensor_parallel * request.pipeline_parallel
    return Work(
        always_bytes=bytes_on_gpu * sum(sized[part] for part in _READ_PARTS) / whole,
        experts_bytes=bytes_on_gpu * sized["experts"] / whole,
        idle_share=idle_share,
        token_operations=_OPERATIONS * working / gpus,
        head_operations=_OPERATIONS * head / gpus,
        request=request,
    )


def _kv_bytes(group: AttentionLayers, request: FitRequest, tokens: float) -> float:
    """Return the bytes of the cache of these layers that one decoded token reads on one GPU, all stages together."""
    if isinstance(group, CompressedAttention):
        entries = min(tokens / group.ratio, _PICKED_ENTRIES) if group.ratio > 1 else 0.0
        keys = tokens / group.ratio * group.index_head_dim
        return group.layers * ((min(tokens, group.window_tokens) + entries) * group.head_dim + keys)
    main, *index = _specs_of(group, request)
    seen = min(tokens, _PICKED_TOKENS) if _picks(group) else tokens
    return _read_of(main, seen) + sum(_read_of(spec, tokens) for spec in index)


def _specs_of(group: AttentionLayers, request: FitRequest) -> list[LayerSpec]:
    setting = Setting(
        tensor_parallel=request.tensor_parallel,
        kv_cache_dtype=request.cache_dtype,
        in_flight_tokens=0,
        speculative_tokens=0,
        prefix_caching=False,
        prefill_checkpoints=False,
        delta_checkpoints=False,
    )
    return layer_specs(request.model.architecture.model_copy(update={"attention": (group,)}), setting)


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
