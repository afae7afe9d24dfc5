"""Defaults that vLLM derives from the GPU at start, for a server that does not say them.

Source: vLLM 0.33.0, engine arguments of the API server, read 2026-11-24.
"""

from __future__ import annotations

_LARGE_GPU_GIB = 70
_HUGE_GPU_GIB = 160
# Large by memory, yet treated as small: an A100's and a GB10's compute does not match their memory.
_TREATED_AS_SMALL = ("A100", "GB10")


def default_max_num_seqs(gpu: str, total_gib: float) -> int:
    """Return `--max-num-seqs` for a GPU of that name and memory."""
    return 1024 if _is_large(gpu, total_gib) else 256


def default_max_num_batched_tokens(gpu: str, total_gib: float) -> int:
    """Return `--max-num-batched-tokens`; it may be raised to hold one image of a multimodal model."""
    if total_gib >= _HUGE_GPU_GIB:
        return 16384
    return 8192 if _is_large(gpu, total_gib) else 2048


def _is_large(gpu: str, total_gib: float) -> bool:
    return total_gib >= _LARGE_GPU_GIB and not any(name in gpu.upper() for name in _TREATED_AS_SMALL)
