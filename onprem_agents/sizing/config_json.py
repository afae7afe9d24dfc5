"""A user's own model from its Hugging Face config.json, read from disk: enough to size it, nothing more."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from onprem_agents.catalog import Architecture, Model, parameters_of
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.files import read_text
from onprem_agents.sizing.precision import precision_named
from onprem_agents.stack.value_words import said_of

_NEEDED = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
_BITS = {"awq": "int4", "gptq": "int4", "fp8": "fp8", "mxfp4": "mxfp4", "bitsandbytes": "bnb4"}
_SPEC = {"float": {8: "fp8", 4: "nvfp4"}, "int": {8: "int8", 4: "int4"}}
_DEFAULT_CONTEXT = 32_768
_MAMBA, _ATTENTION = "M", "*"
_FIX = "give the config.json that lies beside the model's weights"


def model_from_config(path: Path, *, precision: str | None = None) -> Model:
    """Return the model that a config.json describes, with one checkpoint in its own precision or the given one.

    Raises `InvalidInput` when the file cannot be read, is no JSON, or lacks what sizing needs.
    """
    config = _read(path)
    text = {**config, **(config.get("text_config") or config.get("llm_config") or {})}
    missing = [name for name in _NEEDED if not isinstance(text.get(name), int)]
    if missing:
        raise _broken(path, f"no whole number for {', '.join(missing)}", "sizing needs these figures")
    wanted = precision or _precision(config)
    if precision_named(wanted) is None:
        raise _broken(path, f"precision {wanted!r}", "it is not one that can be sized")
    today = {"where": f"{path}: config.json of the user", "read": datetime.now(tz=UTC).date().isoformat()}
    try:
        architecture = Architecture.model_validate(_architecture(text, today))
        return _model(path, architecture, wanted, today, multimodal="vision_config" in config)
    except (ValidationError, KeyError, TypeError, ZeroDivisionError) as error:
        raise _broken(path, _fault(error), "the shape cannot be read") from None


def _fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"a figure that nothing can be computed with ({error!r})"
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "a figure"
    return f"{where} {str(first['input'])[:80]}: {said_of(first)[1]}"


def _read(path: Path) -> dict[str, Any]:
    text = read_text(path, "a config.json", fix=_FIX)
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error), "it is not JSON") from None
    if not isinstance(config, dict):
        raise _broken(path, type(config).__name__, "a config.json is one object")
    return config


def _broken(path: Path, found: str, why: str) -> InvalidInput:
    problem = Problem(
        where=str(path),
        cause="unreadable-model",
        found=found,
        why=why,
        fix=_FIX,
    )
    return InvalidInput("--config-json", [problem])


def _architecture(text: dict[str, Any], source: dict[str, str]) -> dict[str, Any]:
    layers = text["num_hidden_layers"]
    kinds = Counter(text.get("layer_types") or ())
    return {
        "model_type": str(text.get("model_type", "unknown")),
        "hidden_size": text["hidden_size"],
        "layers": layers,
        "attention_heads": text["num_attention_heads"],
        "vocab_size": text["vocab_size"],
        "max_context_tokens": text.get("max_position_embeddings") or _DEFAULT_CONTEXT,
        "intermediate_size": text.get("intermediate_size") or None,
        "attention": _attention(text, layers, kinds),
        "attention_gate": bool(text.get("attn_output_gate", False)),
        "experts": _experts(text, layers),
        "tie_word_embeddings": bool(text.get("tie_word_embeddings", False)),
        "mtp_layers": text.get("num_nextn_predict_layers") or text.get("mtp_num_hidden_layers") or 0,
        "source": source,
    }


def _attention(text: dict[str, Any], layers: int, kinds: Counter[str]) -> list[dict[str, Any]]:
    heads = text["num_attention_heads"]
    head_dim = text.get("head_dim") or text["hidden_size"] // heads
    own = {"kv_heads": text.get("num_key_value_heads") or heads, "head_dim": head_dim}
    pattern = Counter(text.get("hybrid_override_pattern") or "")
    if pattern[_MAMBA]:
        return [{"kind": "full", "layers": pattern[_ATTENTION], **own}, _mamba(text, pattern[_MAMBA])]
    if text.get("kv_lora_rank"):
        return [_latent(text, layers)]
    sliding, chunked, linear = (kinds[f"{kind}_attention"] for kind in ("sliding", "chunked", "linear"))
    if not kinds and text.get("full_attention_interval") and text.get("linear_num_value_heads"):
        linear = layers - layers // text["full_attention_interval"]
    whole = {
        "kv_heads": text.get("num_global_key_value_heads") or own["kv_heads"],
        "head_dim": text.get("global_head_dim") or head_dim,
    }
    found = [{"kind": "full", "layers": layers - sliding - chunked - linear, **(whole if sliding else own)}]
    if sliding:
        found.append(
            {"kind": "sliding-window", "layers": sliding, "window_tokens": text["sliding_window"], **own}
        )
    if chunked:
        found.append(
            {"kind": "chunked", "layers": chunked, "chunk_tokens": text["attention_chunk_size"], **own}
        )
    if linear:
        found.append(_delta_net(text, linear))
    return [group for group in found if group["layers"]]


def _latent(text: dict[str, Any], layers: int) -> dict[str, Any]:
    indexed = layers if text.get("index_head_dim") else 0
    return {
        "kind": "latent",
        "layers": layers,
        "kv_lora_rank": text["kv_lora_rank"],
        "rope_head_dim": text["qk_rope_head_dim"],
        "nope_head_dim": text["qk_nope_head_dim"],
        "value_head_dim": text["v_head_dim"],
        "query_lora_rank": text.get("q_lora_rank"),
        "index_layers": indexed,
        "index_heads": text.get("index_n_heads") or 0,
        "index_head_dim": text.get("index_head_dim") or 0,
    }


def _delta_net(text: dict[str, Any], layers: int) -> dict[str, Any]:
    return {
        "kind": "gated-delta-net",
        "layers": layers,
        "key_heads": text["linear_num_key_heads"],
        "value_heads": text["linear_num_value_heads"],
        "key_head_dim": text["linear_key_head_dim"],
        "value_head_dim": text["linear_value_head_dim"],
        "conv_kernel": text["linear_conv_kernel_dim"],
        "state_bytes_per_element": 4 if text.get("mamba_ssm_dtype") == "float32" else 2,
    }


def _mamba(text: dict[str, Any], layers: int) -> dict[str, Any]:
    return {
        "kind": "mamba2",
        "layers": layers,
        "heads": text["mamba_num_heads"],
        "head_dim": text["mamba_head_dim"],
        "groups": text["n_groups"],
        "state_size": text["ssm_state_size"],
        "conv_kernel": text["conv_kernel"],
        "state_bytes_per_element": 4 if text.get("mamba_ssm_cache_dtype") == "float32" else 2,
    }


def _experts(text: dict[str, Any], layers: int) -> dict[str, Any] | None:
    count = text.get("num_experts") or text.get("num_local_experts") or text.get("n_routed_experts")
    if not count:
        return None
    width = text.get("moe_intermediate_size") or text["intermediate_size"]
    shared = text.get("shared_expert_intermediate_size") or (text.get("n_shared_experts") or 0) * width
    experts_in = Counter(text.get("hybrid_override_pattern") or "")["E"]
    return {
        "count": count,
        "per_token": text.get("top_k_experts") or text["num_experts_per_tok"],
        "intermediate_size": width,
        "layers": experts_in or layers - (text.get("first_k_dense_replace") or 0),
        "shared_intermediate_size": shared,
    }


def _precision(config: dict[str, Any]) -> str:
    quantised = config.get("quantization_config") or {}
    method = str(quantised.get("quant_method", ""))
    if not quantised:
        return "bf16"
    algorithm = str(quantised.get("quant_algo", "")).casefold()
    if method in _BITS:
        return _BITS[method]
    if algorithm in ("fp8", "nvfp4"):
        return algorithm
    groups = (quantised.get("config_groups") or {}).values()
    weights = next((group.get("weights") or {} for group in groups if isinstance(group, dict)), {})
    bits = weights.get("num_bits")
    known = _SPEC.get(str(weights.get("type")), {})
    return known.get(bits, method) if isinstance(bits, int) else method or "unknown"


def _model(
    path: Path, architecture: Architecture, precision: str, source: dict[str, str], *, multimodal: bool
) -> Model:
    counted = parameters_of(architecture)
    experts = architecture.experts
    idle = counted.experts * (1 - experts.per_token / experts.count) if experts else 0
    name = path.resolve().parent.name or "model"
    variant = {
        "hf_id": f"local/{''.join(c if c.isalnum() or c in '.-_' else '-' for c in name) or 'model'}",
        "precision": precision,
        "weights_gib": 1.0,
        "measured": False,
        "min_compute_capability": 7.0,
        "native_compute_capability": [],
        "source": source,
    }
    return Model.model_validate(
        {
            "name": name,
            "family": architecture.model_type,
            "hf_id": variant["hf_id"],
            "license": "as its maker says",
            "gated": False,
            "license_source": source,
            "unrated": "none-found",
            "total_params": counted.total,
            "active_params_b": (counted.total - idle) / 1e9,
            "architecture": architecture,
            "tool_call_parser": None,
            "reasoning_parser": None,
            "chat_template": None,
            "thinking": "none",
            "reasoning": False,
            "multimodal": multimodal,
            "min_vllm": "0.20.0",
            "serving_source": source,
            "variants": [variant],
        }
    )
