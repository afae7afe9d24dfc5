"""What single kinds of models need in their config.json beyond the fields that all share.

Field names: transformers 5.19.0 and vLLM 0.32.0, read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onprem_agents.catalog import (
    Architecture,
    CompressedAttention,
    FullAttention,
    KimiDelta,
    Mamba2,
    SlidingWindow,
)

Config = dict[str, Any]


def _gemma4(architecture: Architecture, _config: Config) -> Config:
    full = next(group for group in architecture.attention if isinstance(group, FullAttention))
    sliding = next(group for group in architecture.attention if isinstance(group, SlidingWindow))
    # Readers share the cache of the last layer of their kind, told by the size of their heads.
    readers = [
        "full_attention" if group.head_dim == full.head_dim else "sliding_attention"
        for group in architecture.cache_readers
        for _ in range(group.layers)
    ]
    readers.sort(reverse=True)  # the full ones last
    own = ["sliding_attention"] * sliding.layers + ["full_attention"] * full.layers
    experts = architecture.experts
    return {
        "layer_types": own + readers,
        "num_hidden_layers": len(own) + len(readers),
        "num_kv_shared_layers": len(readers),
        "num_key_value_heads": sliding.kv_heads,
        "head_dim": sliding.head_dim,
        "num_global_key_value_heads": full.kv_heads,
        "global_head_dim": full.head_dim,
        "attention_k_eq_v": full.shared_key_value,
        "enable_moe_block": experts is not None,
    }


def _mimo(architecture: Architecture, _config: Config) -> Config:
    full = next(group for group in architecture.attention if isinstance(group, FullAttention))
    sliding = next(group for group in architecture.attention if isinstance(group, SlidingWindow))
    # The catalogue enters keys of 192 and values of 128 as their mean.
    width = {"head_dim": 192, "v_head_dim": 128, "swa_head_dim": 192, "swa_v_head_dim": 128}
    dense, layers = architecture.dense_layers or 0, architecture.layers
    return {
        **width,
        "layernorm_epsilon": 1e-5,
        "num_key_value_heads": full.kv_heads,
        "swa_num_key_value_heads": sliding.kv_heads,
        "swa_num_attention_heads": architecture.attention_heads,
        "swa_rope_theta": 10_000.0,
        "sliding_window_size": sliding.window_tokens,
        "hybrid_layer_pattern": [0] * full.layers + [1] * sliding.layers,
        "moe_layer_freq": [0] * dense + [1] * (layers - dense),
    }


def _nemotron(architecture: Architecture, _config: Config) -> Config:
    full, mamba = (
        sum(group.layers for group in architecture.attention if isinstance(group, kind))
        for kind in (FullAttention, Mamba2)
    )
    rest = "E" if architecture.experts else "-"
    pattern = "M" * mamba + "*" * full + rest * (architecture.layers - mamba - full)
    shared = architecture.experts.shared_intermediate_size if architecture.experts else 0
    return {
        "hybrid_override_pattern": pattern,
        "num_hidden_layers": architecture.layers,
        "moe_shared_expert_intermediate_size": shared,
        "moe_latent_size": architecture.experts.hidden_size if architecture.experts else None,
    }


def _granite(architecture: Architecture, _config: Config) -> Config:
    kinds = [
        "mamba" if isinstance(group, Mamba2) else "attention"
        for group in architecture.attention
        for _ in range(group.layers)
    ]
    mamba = next(group for group in architecture.attention if isinstance(group, Mamba2))
    return {
        "layer_types": kinds,
        "layers_block_type": kinds,
        "mamba_expand": mamba.heads * mamba.head_dim // architecture.hidden_size,
        "shared_intermediate_size": 1024,
    }


def _kimi_linear(architecture: Architecture, config: Config) -> Config:
    delta = next(group for group in architecture.attention if isinstance(group, KimiDelta))
    layers = range(1, sum(group.layers for group in architecture.attention) + 1)
    return {
        "mla_use_nope": True,
        "moe_renormalize": True,
        "linear_attn_config": config["linear_attn_config"]
        | {"kda_layers": list(layers)[-delta.layers :], "full_attn_layers": list(layers)[: -delta.layers]},
    }


def _step(architecture: Architecture, config: Config) -> Config:
    experts = architecture.experts
    if experts is None:
        return {}
    layers = range(sum(group.layers for group in architecture.attention))
    return {
        "num_attention_groups": config["num_key_value_heads"],
        "moe_num_experts": experts.count,
        "moe_top_k": experts.per_token,
        "moe_layers_enum": ",".join(map(str, layers[-architecture.expert_layers :])),
        "share_expert_dim": experts.shared_intermediate_size,
    }


def _deepseek_v4(architecture: Architecture, _config: Config) -> Config:
    groups = [group for group in architecture.attention if isinstance(group, CompressedAttention)]
    hyper_connections = {
        "hc_eps": 1e-6,
        "hc_mult": 4,
        "hc_sinkhorn_iters": 20,
        "num_hash_layers": 0,
        "compress_rope_theta": 1e6,
    }
    # Of its layers vLLM reads 0 as no compression.
    ratios = [group.ratio if group.ratio > 1 else 0 for group in groups for _ in range(group.layers)]
    return {
        **hyper_connections,
        "compress_ratios": ratios,
        "hidden_act": "silu",
        "swiglu_limit": 10.0,
        "rms_norm_eps": 1e-6,
        "norm_topk_prob": True,
        "routed_scaling_factor": 1.5,
        "scoring_func": "sqrtsoftplus",
    }


def _qwen4(architecture: Architecture, _config: Config) -> Config:
    full = next(group for group in architecture.attention if isinstance(group, FullAttention))
    return {
        "layer_types": [
            "indexed_attention" if isinstance(group, FullAttention) else "linear_attention"
            for group in architecture.attention
            for _ in range(group.layers)
        ],
        "output_gate_type": "sigmoid",
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e7, "partial_rotary_factor": 0.25},
        "indexer_n_heads": 16,
        "indexer_kv_heads": 1,
        "indexer_head_dim": full.index_head_dim,
        "indexer_budget": 2048,
        "indexer_compress_ratio": full.index_ratio,
    }


def _minimax_m2(architecture: Architecture, _config: Config) -> Config:
    full = next(group for group in architecture.attention if isinstance(group, FullAttention))
    return {"rotary_dim": full.head_dim // 2}


def _minimax_m3(_architecture: Architecture, config: Config) -> Config:
    named = {"architectures", "model_type"}
    return {"text_config": {name: value for name, value in config.items() if name not in named}}


SPECIAL: dict[str, Callable[[Architecture, Config], Config]] = {
    "gemma4_text": _gemma4,
    "mimo_v2_flash": _mimo,
    "nemotron_h": _nemotron,
    "granitemoehybrid": _granite,
    "kimi_linear": _kimi_linear,
    "deepseek_v4": _deepseek_v4,
    "qwen4_exp_text": _qwen4,
    "minimax_m2": _minimax_m2,
    "minimax_m3_vl": _minimax_m3,
    "step3p5": _step,
}
"""By `model_type` of the config: its own fields from the architecture and the config so far."""
