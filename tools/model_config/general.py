"""The config.json that vLLM needs for a model of the catalogue, written from the catalogue's figures alone.

Only what the planner looks at must be right: layers by kind, heads, sizes. Models with eyes or ears are written as
their text tower, for towers keep no cache. Field names: transformers 5.19.0 and vLLM 0.32.0, read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onprem_agents.catalog import (
    Architecture,
    ChunkedAttention,
    CompressedAttention,
    FullAttention,
    GatedDeltaNet,
    KimiDelta,
    LatentAttention,
    Mamba2,
    Model,
    SlidingWindow,
)
from tools.model_config.special import SPECIAL, Config

# model_type of the catalogue -> class of vLLM and model_type of the config.
_CLASSES = {
    "cohere2": ("Cohere2ForCausalLM", "cohere2"),
    "deepseek_v2": ("DeepseekV2ForCausalLM", "deepseek_v2"),
    "deepseek_v3": ("DeepseekV3ForCausalLM", "deepseek_v3"),
    "deepseek_v32": ("DeepseekV32ForCausalLM", "deepseek_v32"),
    "deepseek_v4": ("DeepseekV4ForCausalLM", "deepseek_v4"),
    "gemma2": ("Gemma2ForCausalLM", "gemma2"),
    "gemma3": ("Gemma3ForCausalLM", "gemma3_text"),
    "gemma3_text": ("Gemma3ForCausalLM", "gemma3_text"),
    "gemma4": ("Gemma4ForCausalLM", "gemma4_text"),
    "glm4_moe": ("Glm4MoeForCausalLM", "glm4_moe"),
    "glm4_moe_lite": ("Glm4MoeLiteForCausalLM", "glm4_moe_lite"),
    "glm_moe_dsa": ("GlmMoeDsaForCausalLM", "glm_moe_dsa"),
    "gpt_oss": ("GptOssForCausalLM", "gpt_oss"),
    "granite": ("GraniteForCausalLM", "granite"),
    "granitemoehybrid": ("GraniteMoeHybridForCausalLM", "granitemoehybrid"),
    "hunyuan_v1_moe": ("HunYuanMoEV1ForCausalLM", "hunyuan_v1_moe"),
    "internvl_chat": ("Qwen2ForCausalLM", "qwen2"),
    "kimi_k2": ("DeepseekV3ForCausalLM", "kimi_k2"),
    "kimi_k25": ("DeepseekV3ForCausalLM", "kimi_k2"),
    "kimi_k3": ("KimiLinearForCausalLM", "kimi_linear"),
    "kimi_linear": ("KimiLinearForCausalLM", "kimi_linear"),
    "laguna": ("LagunaForCausalLM", "laguna"),
    "llama": ("LlamaForCausalLM", "llama"),
    "llama4": ("Llama4ForCausalLM", "llama4_text"),
    "mimo_v2_flash": ("MiMoV2FlashForCausalLM", "mimo_v2_flash"),
    "minimax_m2": ("MiniMaxM2ForCausalLM", "minimax_m2"),
    "minimax_m3": ("MiniMaxM3SparseForCausalLM", "minimax_m3_vl"),
    "ministral3": ("Ministral3ForCausalLM", "ministral3"),
    "mistral": ("MistralForCausalLM", "mistral"),
    "mistral3": ("MistralForCausalLM", "mistral"),
    "mixtral": ("MixtralForCausalLM", "mixtral"),
    "nemotron_h": ("NemotronHForCausalLM", "nemotron_h"),
    # Layers without attention keep nothing: a Llama of the layers that have it plans the same cache.
    "nemotron-nas": ("LlamaForCausalLM", "llama"),
    "phi3": ("Phi3ForCausalLM", "phi3"),
    "qwen2": ("Qwen2ForCausalLM", "qwen2"),
    "qwen2_5_vl": ("Qwen2ForCausalLM", "qwen2"),
    "qwen3": ("Qwen3ForCausalLM", "qwen3"),
    "qwen3_vl": ("Qwen3ForCausalLM", "qwen3"),
    "qwen3_moe": ("Qwen3MoeForCausalLM", "qwen3_moe"),
    "qwen3_omni_moe": ("Qwen3MoeForCausalLM", "qwen3_moe"),
    "qwen3_vl_moe": ("Qwen3MoeForCausalLM", "qwen3_moe"),
    "qwen3_next": ("Qwen3NextForCausalLM", "qwen3_next"),
    "qwen3_5": ("Qwen3_5ForCausalLM", "qwen3_5_text"),
    "qwen3_5_moe": ("Qwen3_5MoeForCausalLM", "qwen3_5_moe_text"),
    "qwen4_exp": ("Qwen4ExpForCausalLM", "qwen4_exp_text"),
    "seed_oss": ("SeedOssForCausalLM", "seed_oss"),
    "step3p7": ("Step3p5ForCausalLM", "step3p5"),
}
_FP32_BYTES = 4
NOT_SERVED = {"mllama": "vLLM serves it no longer, last in 0.10.2"}
_KINDS = {
    "full": "full_attention",
    "latent": "full_attention",
    "sliding-window": "sliding_attention",
    "chunked": "chunked_attention",
    "gated-delta-net": "linear_attention",
    "kimi-delta": "linear_attention",
}


def config_of(model: Model) -> Config:
    """Return the config.json of a model whose class vLLM has; `KeyError` for one that it does not."""
    architecture = model.architecture
    name, model_type = _CLASSES[architecture.model_type]
    config = _general(architecture) | {"architectures": [name], "model_type": model_type}
    for group in architecture.attention:
        config |= _FIELDS[type(group)](group)
    config |= _experts(architecture)
    special = SPECIAL.get(model_type)
    return config | (special(architecture, config) if special else {})


def _general(architecture: Architecture) -> Config:
    heads = architecture.attention_heads
    # Gemma 4 wants the last layer to be a full one.
    kinds = [_KINDS.get(group.kind) for group in architecture.attention[::-1] for _ in range(group.layers)]
    return {
        "torch_dtype": "bfloat16",
        "hidden_size": architecture.hidden_size,
        "intermediate_size": architecture.intermediate_size or 4 * architecture.hidden_size,
        "num_hidden_layers": sum(group.layers for group in architecture.attention),
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "vocab_size": architecture.vocab_size,
        "max_position_embeddings": architecture.max_context_tokens,
        "tie_word_embeddings": architecture.tie_word_embeddings,
        "sliding_window": None,
    } | ({"layer_types": kinds} if len(set(kinds)) > 1 and None not in kinds else {})


def _full(group: FullAttention) -> Config:
    return {"num_key_value_heads": group.kv_heads, "head_dim": group.head_dim}


def _sliding(group: SlidingWindow) -> Config:
    return {
        "num_key_value_heads": group.kv_heads,
        "head_dim": group.head_dim,
        "sliding_window": group.window_tokens,
    }


def _chunked(group: ChunkedAttention) -> Config:
    return {
        "num_key_value_heads": group.kv_heads,
        "head_dim": group.head_dim,
        "attention_chunk_size": group.chunk_tokens,
    }


def _latent(group: LatentAttention) -> Config:
    indexer = {
        "index_topk": 2048,
        "index_n_heads": group.index_heads,
        "index_head_dim": group.index_head_dim,
        "index_topk_pattern": "F" * group.index_layers + "S" * (group.layers - group.index_layers),
    }
    return {
        "kv_lora_rank": group.kv_lora_rank,
        "qk_rope_head_dim": group.rope_head_dim,
        "qk_nope_head_dim": group.nope_head_dim,
        "v_head_dim": group.value_head_dim,
        "q_lora_rank": group.query_lora_rank,
    } | (indexer if group.index_layers else {})


def _delta_net(group: GatedDeltaNet) -> Config:
    return {
        "linear_num_key_heads": group.key_heads,
        "linear_num_value_heads": group.value_heads,
        "linear_key_head_dim": group.key_head_dim,
        "linear_value_head_dim": group.value_head_dim,
        "linear_conv_kernel_dim": group.conv_kernel,
        "mamba_ssm_dtype": "float32" if group.state_bytes_per_element == _FP32_BYTES else "bfloat16",
    }


def _kimi_delta(group: KimiDelta) -> Config:
    return {
        "linear_attn_config": {
            "num_heads": group.heads,
            "head_dim": group.head_dim,
            "short_conv_kernel_size": group.conv_kernel,
        }
    }


def _mamba(group: Mamba2) -> Config:
    cache_dtype = "float32" if group.state_bytes_per_element == _FP32_BYTES else "bfloat16"
    return {
        # Nemotron-H
        "mamba_num_heads": group.heads,
        "mamba_head_dim": group.head_dim,
        "n_groups": group.groups,
        "ssm_state_size": group.state_size,
        "conv_kernel": group.conv_kernel,
        "mamba_ssm_cache_dtype": cache_dtype,
        # Granite 4 H
        "mamba_n_heads": group.heads,
        "mamba_d_head": group.head_dim,
        "mamba_n_groups": group.groups,
        "mamba_d_state": group.state_size,
        "mamba_d_conv": group.conv_kernel,
    }


def _compressed(group: CompressedAttention) -> Config:
    indexer = {"index_n_heads": group.index_heads, "index_head_dim": group.index_head_dim, "index_topk": 512}
    return {
        "num_key_value_heads": 1,
        "head_dim": group.head_dim,
        "qk_rope_head_dim": group.rope_head_dim,
        "sliding_window": group.window_tokens,
        "q_lora_rank": group.query_lora_rank,
        "o_lora_rank": group.output_lora_rank,
        "o_groups": group.output_groups,
    } | (indexer if group.index_heads else {})


_FIELDS: dict[type, Callable[[Any], Config]] = {
    FullAttention: _full,
    SlidingWindow: _sliding,
    ChunkedAttention: _chunked,
    LatentAttention: _latent,
    GatedDeltaNet: _delta_net,
    KimiDelta: _kimi_delta,
    Mamba2: _mamba,
    CompressedAttention: _compressed,
}


def _experts(architecture: Architecture) -> Config:
    experts = architecture.experts
    if experts is None:
        return {}
    dense = sum(group.layers for group in architecture.attention) - architecture.expert_layers
    counts = dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), experts.count)
    names = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk")
    per_token = dict.fromkeys(names, experts.per_token)
    return {
        **counts,
        **per_token,
        "moe_intermediate_size": experts.intermediate_size,
        "shared_expert_intermediate_size": experts.shared_intermediate_size,
        "n_shared_experts": min(1, experts.shared_intermediate_size),
        "first_k_dense_replace": max(0, dense),
        "n_group": 1,
        "topk_group": 1,
        "topk_method": "noaux_tc",
        "scoring_func": "sigmoid",
    } | ({} if architecture.intermediate_size else {"intermediate_size": experts.intermediate_size})
