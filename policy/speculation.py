"""What vLLM refuses of a --speculative-config by itself, before any model is loaded.

Source: vLLM 0.10.2 to 0.33.0, config/speculative.py (__post_init__ and _verify_args), read 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TOKENS, _PER_BATCH = "num_speculative_tokens", "num_speculative_tokens_per_batch_size"
# Methods whose draft is a checkpoint of its own.
_DRAFTED = frozenset({"eagle", "eagle3", "draft_model", "medusa", "mlp_speculator"})
# The method that chooses how far it guesses.
_CHOOSES = "suffix"


def refused_speculation(config: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return what is wrong with a speculative configuration and what to change, None where nothing surely is."""
    if config is None:
        return None
    tokens, method, model = config.get(_TOKENS), config.get("method"), config.get("model")
    if isinstance(tokens, int) and tokens < 1:
        return f"says {_TOKENS} {tokens}, which is not above zero", "leave it out to guess nothing"
    if model is not None:
        return None  # a draft may tell how far it guesses
    if method in _DRAFTED and tokens is not None:
        return f"names no model for the method {method}", "name the checkpoint that drafts as its model"
    if tokens is None and method is not None and method != _CHOOSES and _PER_BATCH not in config:
        return f"does not say {_TOKENS}", f"say {_TOKENS}, with 3 to start from"
    return None
