"""The peak of vLLM's profile run over an image encoder: one batch of the largest items.

The batch is filled with images: as many as the token budget holds, at least one of the largest size. Each token that
the language model sees stands for several patches, and the widest layer of the tower works on all of them at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.towers import DEEPSTACK_FAMILY, DEEPSTACK_LEVELS
from onprem_agents.units import GIB

# Towers of the SigLIP-400M shape (Gemma 3, Qwen3-VL and later): config.json of both, read November 2026. The widths
# of the other families' towers are near. The small Gemma 4, the one whose layers read others' caches, has a smaller one
# (Gemma4VisionConfig, transformers as of vllm 0.32.0).
_WIDTHS, _SMALL_WIDTHS = (1152, 4304), (768, 3072)
_SMALL_FAMILY = "gemma-4"
# Copies alive at once: of the patch itself (residual, input, output), of the widened one (before and after the gate).
_HIDDEN_COPIES, _FEED_FORWARD_COPIES = 3, 2
_ACTIVATION_BYTES = 2  # BF16


@dataclass(frozen=True, kw_only=True)
class _Images:
    """How many patches one token stands for, and how many tokens the largest item takes."""

    patches_per_token: int
    largest_tokens: int


# Preprocessor settings and merging of the towers, vllm 0.33.0 and config.json of each family, read November 2026.
# Gemma 3 pools 4096 patches of a fixed image into 256 tokens, Gemma 4 nine into one. Llama 3.2 sees four tiles of 1601
# patches. Pixtral, Llama 4 and Qwen merge four patches, of images of 1540 pixels a side, of 17 tiles of 336 and of up
# to 16 million pixels.
_FAMILIES = {
    "gemma-2-3": _Images(patches_per_token=16, largest_tokens=256),
    "gemma-4": _Images(patches_per_token=9, largest_tokens=280),
    "llama-3": _Images(patches_per_token=1, largest_tokens=6404),
    "mistral": _Images(patches_per_token=4, largest_tokens=3025),
    "llama-4": _Images(patches_per_token=4, largest_tokens=2448),
}
_OTHERS = _Images(patches_per_token=4, largest_tokens=16384)


def encoder_gib(request: FitRequest) -> float:
    """Return the GiB of the encoder's pass in the profile run, 0 where none is loaded."""
    if not request.has_encoder:
        return 0.0
    hidden, feed_forward = _WIDTHS
    if request.model.family == _SMALL_FAMILY and request.model.architecture.cache_readers:
        hidden, feed_forward = _SMALL_WIDTHS
    width = _FEED_FORWARD_COPIES * math.ceil(feed_forward / request.tensor_parallel)
    patches = _tokens(request) * _images(request).patches_per_token
    return patches * (_HIDDEN_COPIES * hidden + width) * _ACTIVATION_BYTES / GIB


def encoded_gib(request: FitRequest) -> float:
    """Return the GiB of what the encoder made, which lies there while the language model is profiled.

    vllm 0.10.2 to 0.33.0, profile_run and profile_encoder_cache, read November 2026.
    """
    if not request.has_encoder:
        return 0.0
    levels = 1 + (DEEPSTACK_LEVELS if request.model.family == DEEPSTACK_FAMILY else 0)
    return _tokens(request) * levels * request.model.architecture.hidden_size * _ACTIVATION_BYTES / GIB


def _images(request: FitRequest) -> _Images:
    return _FAMILIES.get(request.model.family, _OTHERS)


def _tokens(request: FitRequest) -> int:
    return max(request.batch_tokens, _images(request).largest_tokens)
