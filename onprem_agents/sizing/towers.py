"""Image and audio encoders: whether a server loads them, what of them lies on each GPU, and buffers that come along."""

from __future__ import annotations

from onprem_agents.sizing.request import FitRequest
from onprem_agents.units import GIB

# Towers are split over the ranks as the layers are, but for these: Gemma 4's run as Transformers' own modules (vllm
# gemma4_mm.py, 0.19.1 to 0.33.0), Pixtral's of Mistral were plain linear layers up to 0.19 (pixtral.py, 0.10.2 to
# 0.19.1; split in 0.20.0); read November 2026.
_WHOLE_FAMILIES = ("gemma-4",)
_PIXTRAL_FAMILY, _PIXTRAL_SPLIT = "mistral", (0, 20)
# Where no image is taken the tower is not even made since 0.16 (`StageMissingLayer`: vllm interfaces.py, absent in
# 0.14.1, there in 0.16.0 to 0.33.0; read November 2026).
_LEFT_OUT = (0, 16)
# What the layers take of images beside the prompt is kept for a whole batch, in BF16, as is each layer's embedding of
# the small Gemma 4, the one with the encoder alone (vllm qwen3_vl.py, deepstack, three levels in all configs;
# gemma4_mm.py, per_layer_embeddings, 256 wide in both; 0.12.0 and 0.19.1 to 0.33.0, read November 2026).
DEEPSTACK_FAMILY, DEEPSTACK_LEVELS = "qwen3-vl", 3
_LAYER_EMBEDDING_FAMILY, _LAYER_EMBEDDING_WIDTH = "gemma-4", 256
_BUFFER_BYTES = 2


def tower_gib(request: FitRequest, whole_gib: float) -> float:
    """Return the GiB of towers on each GPU of `whole_gib`: nothing where the server takes text alone.

    That is on the first stage of a pipeline, and on all of them before Model Runner V2.
    """
    left_out = request.language_model_only and request.rules.number >= _LEFT_OUT
    return 0.0 if left_out or not request.model.multimodal else _on_each(request, whole_gib)


def logged_tower_gib(request: FitRequest, whole_gib: float) -> float:
    """Return the GiB of towers on each GPU that the figures of a log hold."""
    return _on_each(request, whole_gib) if request.variant.measured_tower else 0.0


def batch_buffers_gib(request: FitRequest) -> float:
    """Return the GiB of buffers of a whole batch that the model makes when it is loaded."""
    shape, width = request.model.architecture, 0
    if request.model.family == DEEPSTACK_FAMILY and request.has_encoder:
        width = DEEPSTACK_LEVELS * shape.hidden_size
    elif request.model.family == _LAYER_EMBEDDING_FAMILY and shape.cache_readers:
        width = shape.layers * _LAYER_EMBEDDING_WIDTH
    return request.batch_tokens * width * _BUFFER_BYTES / GIB


def _on_each(request: FitRequest, whole_gib: float) -> float:
    family, release = request.model.family, request.rules.number
    whole = family in _WHOLE_FAMILIES or (family == _PIXTRAL_FAMILY and release < _PIXTRAL_SPLIT)
    return whole_gib if whole else whole_gib / request.tensor_parallel
