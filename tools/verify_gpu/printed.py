"""What vLLM prints while it starts, from its log.

Sentences of vLLM 0.20 to 0.33 (`v1/worker/gpu_worker.py`, both model runners, `v1/core/kv_cache_utils.py`,
`v1/engine/core.py`), read November 2026. Since 0.28 weights and what lies beside PyTorch are told as one sum, and
since 0.33 tokens and concurrency stand in one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

_NUMBER = r"(-?[\d,]+(?:\.\d+)?)"


@dataclass(frozen=True, kw_only=True)
class Printed:
    """GiB on the first rank, tokens, seconds; None where the release does not print it, or the start ended before."""

    model_load_gib: float | None = None
    available_kv_gib: float | None = None
    kv_cache_tokens: float | None = None
    max_concurrency: float | None = None
    graph_gib: float | None = None
    graph_estimate_gib: float | None = None
    activation_peak_gib: float | None = None
    non_torch_gib: float | None = None
    consumed_gib: float | None = None
    engine_seconds: float | None = None
    batched_tokens: float | None = None


_SENTENCES = {
    "model_load_gib": rf"Model loading took {_NUMBER} GiB",
    "available_kv_gib": rf"Available KV cache memory: {_NUMBER} GiB",
    "kv_cache_tokens": rf"KV cache size: {_NUMBER} tokens",
    "max_concurrency": rf"Maximum concurrency for [\d,]+ tokens per request: {_NUMBER}x",
    "graph_gib": rf"Graph capturing finished in \d+ secs, took {_NUMBER} GiB",
    "graph_estimate_gib": rf"Estimated CUDA graph memory: {_NUMBER} GiB total",
    "activation_peak_gib": rf"{_NUMBER} GiB for peak activation",
    "non_torch_gib": rf"{_NUMBER} GiB for non-torch memory",
    "consumed_gib": rf"{_NUMBER} GiB for consumed memory",
    "engine_seconds": rf"init engine \(profile, create kv cache, warmup model\) took {_NUMBER} s",
    "batched_tokens": r"max_num_batched_tokens=(\d+)",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _SENTENCES.items()}
# A log's prefix may stand in the midst of a sentence that was printed over several lines.
_PREFIX = re.compile(r"^(?:\([^)]*\)\s*)?(?:INFO|WARNING|ERROR)[^\]]*\]\s*")
_ERROR = re.compile(r"(?:\w+Error|OutOfMemoryError): .+")
_NO_ERROR = re.compile(r"^(?:\([^)]*\)\s*)?(?:INFO|WARNING)\b")


def read_log(lines: Iterable[str]) -> Printed:
    """Return the figures of one start; what several ranks print is taken from the first."""
    text = " ".join(_PREFIX.sub("", line.strip()) for line in lines)
    found = {name: pattern.search(text) for name, pattern in _PATTERNS.items()}
    return Printed(
        **{
            field.name: float(match[1].replace(",", ""))
            for field in fields(Printed)
            if (match := found[field.name]) is not None
        }
    )


def last_words(lines: Sequence[str]) -> str | None:
    """Return the last line of a log, None for an empty one: what a server that does not come up is busy with."""
    said = next((line.strip() for line in reversed(lines) if line.strip()), None)
    return None if said is None else f"last said: {_PREFIX.sub('', said)[:300]}"


def last_error(lines: Iterable[str]) -> str | None:
    """Return the first error that a start ended with, None where the log tells none; one in a warning is none."""
    for line in lines:
        match = None if _NO_ERROR.match(line) else _ERROR.search(line)
        if match is not None:
            return match[0][:300]
    return None
