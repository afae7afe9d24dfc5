"""The config.json of models with eyes: the text part of `configs.py` beside the tower of the family.

Widths and depths: config.json of each family as published, field names of transformers 5.19.0, read November 2026.
"""

from __future__ import annotations

from onprem_agents.catalog import Model
from tools.model_config import Config, config_of

_SIGLIP = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}
_QWEN = {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "patch_size": 16}
_PIXTRAL = {
    "model_type": "pixtral",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "head_dim": 64,
    "image_size": 1540,
    "patch_size": 14,
}
# model_type -> class of vLLM, model_type, what stands beside the text part. The output of a tower is as wide as the
# model; towers are those of the sizes from about 8B on.
_EYES: dict[str, tuple[str, str, Config]] = {
    "gemma3": (
        "Gemma3ForConditionalGeneration",
        "gemma3",
        {
            "vision_config": {
                **_SIGLIP,
                "model_type": "siglip_vision_model",
                "image_size": 896,
                "patch_size": 14,
                "vision_use_head": False,
            },
            "mm_tokens_per_image": 256,
        },
    ),
    "gemma4": (
        "Gemma4ForConditionalGeneration",
        "gemma4",
        {
            "vision_config": {
                **_SIGLIP,
                "model_type": "gemma4_vision",
                "num_key_value_heads": 16,
                "head_dim": 72,
                "default_output_length": 280,
            },
            "audio_config": None,
        },
    ),
    "qwen2_5_vl": (
        "Qwen2_5_VLForConditionalGeneration",
        "qwen2_5_vl",
        {"vision_config": {"model_type": "qwen2_5_vl", "depth": 32, "hidden_size": 1280, "num_heads": 16}},
    ),
    "qwen3_vl": (
        "Qwen3VLForConditionalGeneration",
        "qwen3_vl",
        {"vision_config": {**_QWEN, "model_type": "qwen3_vl", "deepstack_visual_indexes": [8, 16, 24]}},
    ),
    "qwen3_5": (
        "Qwen3_5ForConditionalGeneration",
        "qwen3_5",
        {"vision_config": {**_QWEN, "model_type": "qwen3_5"}},
    ),
    "qwen3_5_moe": (
        "Qwen3_5MoeForConditionalGeneration",
        "qwen3_5_moe",
        {"vision_config": {**_QWEN, "model_type": "qwen3_5_moe"}},
    ),
    "mistral3": (
        "Mistral3ForConditionalGeneration",
        "mistral3",
        {"vision_config": _PIXTRAL, "spatial_merge_size": 2, "vision_feature_layer": -1},
    ),
}
SEEING = (
    "gemma-3-4b",
    "gemma-4-31B",
    "Qwen2.5-VL-7B",
    "Qwen3-VL-8B",
    "Qwen3.5-27B",
    "Qwen3.5-35B-A3B",
    "Mistral-Small-3.2-24B",
)
"""One model of each family whose tower is written here."""
# The multimodal classes of a release read these of the text part alone.
_OF_THE_WHOLE = ("architectures", "torch_dtype")
# What the text part says on top where the tokens of an image see each other, as all of Gemma 4 from 12B on.
_EACH_OTHER: Config = {"use_bidirectional_attention": "vision"}


def seeing_config_of(model: Model) -> Config:
    """Return the config.json of a model with its tower; `KeyError` for a family that is not written here."""
    architecture, model_type, beside = _EYES[model.architecture.model_type]
    text = config_of(model) | (_EACH_OTHER if model.image_batch_tokens else {})
    inner = {name: value for name, value in text.items() if name not in _OF_THE_WHOLE}
    tower = dict(beside["vision_config"])
    if "depth" in tower:
        tower["out_hidden_size"] = model.architecture.hidden_size
    return {
        **beside,
        "architectures": [architecture],
        "model_type": model_type,
        "torch_dtype": text["torch_dtype"],
        "tie_word_embeddings": text["tie_word_embeddings"],
        "text_config": inner,
        "vision_config": tower,
    }
