"""From the attention of a model to the specs that vLLM's planner would be given on one GPU."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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
)
from onprem_agents.sizing.kv_specs import (
    DELTA_CHECKPOINT_TOKENS,
    HYBRID_LATENT_BLOCK_TOKENS,
    LATENT_BLOCK_TOKENS,
    ChunkedSpec,
    FullSpec,
    LayerSpec,
    SlidingSpec,
    StateSpec,
)

# Bytes of one element of the KV cache by `--kv-cache-dtype` (vLLM 0.33.0). NVFP4 adds an FP8 scale for every 16
# elements.
ELEMENT_BYTES = {
    "auto": 2.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "fp8": 1.0,
    "fp8_e4m3": 1.0,
    "fp8_e5m2": 1.0,
    "fp8_ds_mla": 1.0,
    "nvfp4": 0.5625,
}

_KEY_BYTES = 2  # the keys of an indexer beside full attention stay in BF16 (vLLM 0.32.0, `models/qwen4_exp`)
_CONV_STATE_BYTES = 2  # the convolution state stays in BF16 whatever the dtype of the recurrent state

# Sparse latent attention in FP8 (vLLM 0.33.0, `fp8_ds_mla`): 512 bytes of vector, 16 of scales, 128 of BF16 rope.
_SPARSE_FP8_TOKEN_BYTES = 656
# Its indexer keeps FP8 keys and one FP32 scale for every 128 elements.
_INDEX_SCALE_GROUP, _INDEX_SCALE_BYTES = 128, 4


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the specs depend on besides the model."""

    tensor_parallel: int
    kv_cache_dtype: str
    in_flight_tokens: int
    speculative_tokens: int
    prefix_caching: bool
    prefill_checkpoints: bool
    delta_checkpoints: bool


def layer_specs(architecture: Architecture, setting: Setting) -> list[LayerSpec]:
    """Return the specs of all attention layers that keep a cache, compressed ones excepted."""
    specs = [spec for group in architecture.attention for spec in _specs(group, setting)]
    if architecture.is_hybrid:
        delta_nets = any(isinstance(group, GatedDeltaNet) for group in architecture.attention)
        checkpoints = delta_nets and setting.delta_checkpoints and setting.prefix_caching
        specs = [_beside_states(spec, checkpoints=checkpoints) for spec in specs]
    if setting.speculative_tokens:
        specs = [_with_draft_layers(spec, architecture.mtp_layers) for spec in specs]
    return specs


def index_bytes(index_head_dim: int) -> float:
    """Return the bytes that the indexer of sparse attention keeps for one entry."""
    return index_head_dim + index_head_dim / _INDEX_SCALE_GROUP * _INDEX_SCALE_BYTES


def _specs(group: AttentionLayers, setting: Setting) -> list[LayerSpec]:
    if isinstance(group, GatedDeltaNet | KimiDelta | Mamba2):
        return [
            StateSpec(
                layers=group.layers,
                state_bytes=_state_bytes(group, setting),
                copies=1 + _cached_states(group, setting) + setting.speculative_tokens,
            )
        ]
    if isinstance(group, LatentAttention):
        return _latent(group, setting)
    if isinstance(group, CompressedAttention):
        return []
    kv_heads = max(
        1, group.kv_heads // setting.tensor_parallel
    )  # replicated when there are more GPUs than heads
    per_token = 2 * kv_heads * group.head_dim * ELEMENT_BYTES[setting.kv_cache_dtype]  # keys and values
    if isinstance(group, SlidingWindow):
        return [
            SlidingSpec(
                layers=group.layers,
                bytes_per_token=per_token,
                window_tokens=group.window_tokens,
                in_flight_tokens=setting.in_flight_tokens,
            )
        ]
    if isinstance(group, ChunkedAttention):
        return [
            ChunkedSpec(
                layers=group.layers,
                bytes_per_token=per_token,
                chunk_tokens=group.chunk_tokens,
                in_flight_tokens=setting.in_flight_tokens,
            )
        ]
    return _full(group, per_token)


def _full(group: FullAttention, bytes_per_token: float) -> list[LayerSpec]:
    """Return the specs of full attention; keys of an indexer that compresses wait in a state for their group."""
    index_bytes_per_token = group.index_head_dim * _KEY_BYTES / group.index_ratio
    specs: list[LayerSpec] = [
        FullSpec(
            layers=group.layers, bytes_per_token=bytes_per_token, index_bytes_per_token=index_bytes_per_token
        )
    ]
    if group.index_head_dim and group.index_ratio > 1:
        waiting_bytes = group.index_ratio * group.index_head_dim * _KEY_BYTES
        specs.append(StateSpec(layers=group.layers, state_bytes=waiting_bytes, copies=1))
    return specs


def _cached_states(group: GatedDeltaNet | KimiDelta | Mamba2, setting: Setting) -> int:
    """Return the states that prefix caching keeps besides the running one."""
    if not setting.prefix_caching:
        return 0
    checkpoints = isinstance(group, Mamba2) and setting.prefill_checkpoints
    return 2 if checkpoints or (isinstance(group, GatedDeltaNet) and setting.delta_checkpoints) else 1


def _latent(group: LatentAttention, setting: Setting) -> list[LayerSpec]:
    """Return the specs of latent attention: the vector lies on every GPU, tensor parallel does not help."""
    element_bytes = ELEMENT_BYTES[setting.kv_cache_dtype]
    per_token = (group.kv_lora_rank + group.rope_head_dim) * element_bytes
    if group.index_layers and element_bytes == 1:
        per_token = _SPARSE_FP8_TOKEN_BYTES
    specs: list[LayerSpec] = [
        FullSpec(layers=group.layers, bytes_per_token=per_token, smallest_block_tokens=LATENT_BLOCK_TOKENS)
    ]
    if group.index_layers:
        specs.append(
            FullSpec(
                layers=group.index_layers,
                bytes_per_token=index_bytes(group.index_head_dim),
                smallest_block_tokens=LATENT_BLOCK_TOKENS,
            )
        )
    return specs


def _state_bytes(group: GatedDeltaNet | KimiDelta | Mamba2, setting: Setting) -> int:
    """Return the bytes of convolution and recurrent state of one layer on one GPU."""
    parallel = setting.tensor_parallel
    if isinstance(group, GatedDeltaNet):
        channels = 2 * group.key_head_dim * group.key_heads + group.value_head_dim * group.value_heads
        recurrent = group.value_heads // parallel * group.value_head_dim * group.key_head_dim
    elif isinstance(group, KimiDelta):
        channels = 3 * group.heads * group.head_dim
        recurrent = group.heads // parallel * group.head_dim * group.head_dim
    else:
        groups = max(group.groups, parallel)  # groups are replicated when there are more GPUs
        channels = group.heads * group.head_dim + 2 * groups * group.state_size
        recurrent = group.heads // parallel * group.head_dim * group.state_size
    kept = group.conv_kernel - 1 + setting.speculative_tokens
    convolution = channels // parallel * kept * _CONV_STATE_BYTES
    return convolution + recurrent * group.state_bytes_per_element


def _beside_states(spec: LayerSpec, *, checkpoints: bool) -> LayerSpec:
    """Return the spec with the block that vLLM starts from where it must grow until it holds a state."""
    if isinstance(spec, StateSpec):
        return spec
    least = spec.smallest_block_tokens
    if least == LATENT_BLOCK_TOKENS:
        least = HYBRID_LATENT_BLOCK_TOKENS
    if checkpoints:
        least = math.lcm(least, DELTA_CHECKPOINT_TOKENS)
    return replace(spec, smallest_block_tokens=least)


def _with_draft_layers(spec: LayerSpec, mtp_layers: int) -> LayerSpec:
    """Return the spec with the multi-token-prediction layers, which use full attention."""
    return replace(spec, layers=spec.layers + mtp_layers) if isinstance(spec, FullSpec) else spec
