"""A model folder without weights: the catalogue's architecture as config.json, and a tokenizer of bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embedded.gateway.tiny_model import write_tiny_model
from onprem_agents.catalog import Model, Variant
from tools.model_config import NOT_SERVED, config_of

# How a checkpoint of that precision says so in its config.json (transformers 5.19.0, vLLM 0.33.0, read November 2026).
# Other precisions leave parts unquantised by names that only their makers know.
_QUANTIZED: dict[str, dict[str, Any]] = {
    "bf16": {},
    "fp8": {"quant_method": "fp8", "activation_scheme": "dynamic", "fmt": "e4m3"},
    "mxfp4": {
        "quant_method": "mxfp4",
        "modules_to_not_convert": [
            "model.layers.*.self_attn",
            "model.layers.*.mlp.router",
            "model.embed_tokens",
            "lm_head",
        ],
    },
}


def can_be_made(model: Model, variant: Variant) -> bool:
    """Return whether the folder of a checkpoint can be written from what the catalogue knows."""
    return variant.precision in _QUANTIZED and model.architecture.model_type not in NOT_SERVED


def write_model(folder: Path, model: Model, variant: Variant) -> None:
    """Write what vLLM reads of a checkpoint with `--load-format dummy`; `KeyError` for one that can't be made."""
    write_tiny_model(folder, context_tokens=model.architecture.max_context_tokens)
    config = config_of(model)
    quantized = dict(_QUANTIZED[variant.precision])
    if quantized and variant.weight_block is not None and variant.precision == "fp8":
        quantized["weight_block_size"] = [variant.weight_block, variant.weight_block]
    if quantized:
        config["quantization_config"] = quantized
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
