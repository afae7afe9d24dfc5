"""How long a server takes from weights on a disk to its first answer."""

from __future__ import annotations

import math

# Weights of 15.3 GiB in 45 s (Qwen3-8B on an A30, vLLM 0.19.1, Alauda's guide to speculative decoding, read 2026-11).
READ_MIB_PER_SECOND = 350
# The same start: 65 s to compile, 10 s of graphs, 120 s of profiling. With kernels that are compiled already 34 s and
# 48 s (Dirien's KServe components, read 2026-11).
_COLD_START_SECONDS, _WARM_START_SECONDS = 195, 82


def start_seconds(weights_gib: float, *, compiled: bool = False) -> int:
    """Return the seconds of a start with a checkpoint of that size on a disk; `compiled`: its kernels are kept."""
    start = _WARM_START_SECONDS if compiled else _COLD_START_SECONDS
    return math.ceil(weights_gib * 1024 / READ_MIB_PER_SECOND) + start
