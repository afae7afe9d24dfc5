"""From the attention of a model to the specs that vLLM's planner would be given on one GPU."""

from __future__ import annotations

from dataclasses import replace

from onprem.catalog import Architecture, AttentionLayers, FullAttention, GatedDeltaNet, LatentAttention, SlidingWindow
from onprem.sizing.kv_specs import (
    LATENT_BLOCK_TOKENS,
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
    "nvfp4": 0.5625,
}

_CONV_STATE_BYTES = 2  # the convolution state stays in BF16 whatever the dtype of the recurrent state


def layer_specs(
    architecture: Architecture,
    *,
    tensor_parallel: int,
    kv_cache_dtype: str,
    in_flight_tokens: int,
    speculative_tokens: int,
    prefix_caching: bool,
) -> list[LayerSpec]:
    """Return one spec per kind of attention layer that keeps a cache."""
    specs = [
        spec
        for group in architecture.attention
        for spec in _specs(
            group,
            tensor_parallel=tensor_parallel,
            kv_cache_dtype=kv_cache_dtype,
            in_flight_tokens=in_flight_tokens,
            speculative_tokens=speculative_tokens,
            prefix_caching=prefix_caching,
        )
    ]
    if speculative_tokens:
        specs = [_with_draft_layers(spec, architecture.mtp_layers) for spec in specs]
    return specs


def _specs(
    group: AttentionLayers,
    *,
    tensor_parallel: int,
    kv_cache_dtype: str,
    in_flight_tokens: int,
    speculative_tokens: int,
    prefix_caching: bool,
) -> list[LayerSpec]:
    element_bytes = ELEMENT_BYTES[kv_cache_dtype]
    if isinstance(group, GatedDeltaNet):
        copies = 1 + prefix_caching + speculative_tokens
        state = _delta_net_bytes(group, tensor_parallel, speculative_tokens)
        return [StateSpec(layers=group.layers, state_bytes=state, copies=copies)]
    if isinstance(group, LatentAttention):
        # The compressed vector lies on every GPU, tensor parallel does not help.
        return [
            FullSpec(
                layers=group.layers,
                bytes_per_token=(group.kv_lora_rank + group.rope_head_dim) * element_bytes,
                smallest_block_tokens=LATENT_BLOCK_TOKENS,
            )
        ]
    kv_heads = max(1, group.kv_heads // tensor_parallel)  # replicated when there are more GPUs than heads
    per_token = 2 * kv_heads * group.head_dim * element_bytes  # keys and values
    if isinstance(group, FullAttention):
        return [FullSpec(layers=group.layers, bytes_per_token=per_token)]
    assert isinstance(group, SlidingWindow)
    return [
        SlidingSpec(
            layers=group.layers,
            bytes_per_token=per_token,
            window_tokens=group.window_tokens,
            in_flight_tokens=in_flight_tokens,
        )
    ]


def _delta_net_bytes(group: GatedDeltaNet, tensor_parallel: int, speculative_tokens: int) -> int:
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
