"""Whether a model writes text at all, told by its name: encoders, rerankers, judges and speech get no word."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Families that answer with vectors, scores, classes or transcripts (Hugging Face model cards, read 2026-11-29).
NO_TEXT = re.compile(
    r"bert|(?:^|[-_/])(?:bge|e5|gte|t5|minilm|mpnet|electra|clip|siglip|whisper|vit|timesfm|sentence)(?:[-_.0-9/]|$)"
    r"|embed|rerank|cross-encoder|sentiment|classif|reward|(?:^|[-_])prm(?:[-_]|$)"
    r"|llama-?guard|guardian|shieldgemma|safety-guard",
    re.IGNORECASE,
)


def writes_no_text(names: Iterable[object]) -> bool:
    """Whether the best of a model's names is that of a family which writes no text."""
    first = next((name for name in names if isinstance(name, str)), "")
    return NO_TEXT.search(first) is not None
