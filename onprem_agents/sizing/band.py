"""How far the best estimate may be off.

The two ends are what a careful and a hopeful reader would take: `more_gib` further use, `less_gib` less use than
estimated. The terms err independently and add up as chance has it. Widths come from the residuals of the calibration
logs, see `docs/sizing.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing.kv_cache import CacheLayout
from onprem_agents.sizing.kv_specs import StateSpec
from onprem_agents.sizing.overhead import Overhead
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.weights import Weights
from onprem_agents.units import GIB

_FIXED_GIB = 0.05
_SHARE_OF_GPU = 0.005
# An extrapolated capture was 0.7 to 3.9 times what was then taken (six logs that print both), and that was nothing, or
# less, in several logs.
_GRAPHS_MORE, _GRAPHS_LESS = 2.0, 1.0
_SHARE_OF_CONTEXT = 0.1

# Since 0.20 free memory that the host shares is the host's own count, so whatever else runs there is in it: 0 to 5 GiB
# (vllm 0.20.0, utils/mem_utils.py; logs of GB10 and Thor from three sources).
_UNIFIED_GIB = 3.0

# Before 0.12 Qwen3-VL was profiled with a video of full-size frames (vllm qwen3_vl.py of September 2025). Two logs of
# 0.11.0 show 3.6 GiB (30B, A100) and 5.6 GiB (235B on 8 A100, QwenLM/Qwen3-VL#1684) beyond one image.
_IMAGES_ALONE = (0, 12)
_VIDEO_FAMILY, _VIDEO_GIB = "qwen3-vl", 4.6


@dataclass(frozen=True, kw_only=True)
class Band:
    """GiB on each GPU that may be taken beyond, or left below, the best estimate."""

    more_gib: float
    less_gib: float


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """How far terms may be off that do not depend on the GPU's size, each in GiB: what they may take beyond the best
    estimate, and leave below it. What is not told adds up instead: `beyond_gib` where it is against us, `below_gib`
    where it is for us."""

    more_gib: tuple[float, ...]
    less_gib: tuple[float, ...]
    beyond_gib: float
    below_gib: float


def common_gib(gpu_gib: float) -> float:
    """Return what any estimate may be off on a GPU of that size."""
    return _FIXED_GIB + _SHARE_OF_GPU * gpu_gib


def doubts_of(request: FitRequest, weights: Weights, rest: Overhead, layout: CacheLayout) -> Doubts:
    """Return how far weights, activations and graphs may be off, and what some releases and GPUs take on top."""
    least, low, high, most = rest.activation_ends_gib
    graphs, compiling = rest.counted_graphs_gib, rest.compiling
    shared = _UNIFIED_GIB if request.accelerator.unified_memory else 0.0
    return Doubts(
        more_gib=(
            weights.uncertainty_gib,
            most - high,
            _GRAPHS_MORE * graphs,
            compiling.left_high_gib,
            shared,
        ),
        less_gib=(
            weights.uncertainty_gib,
            low - least,
            _GRAPHS_LESS * graphs,
            compiling.left_low_gib,
            shared / 2,
        ),
        beyond_gib=high - rest.activation_gib + _of_videos_gib(request) + _of_states_gib(request, layout),
        below_gib=rest.activation_gib - low + compiling.left_high_gib - compiling.left_low_gib,
    )


def context_doubt_gib(rest: Overhead, gpu_gib: float) -> float:
    """Return how far the context may be off on a GPU of that size."""
    return _SHARE_OF_CONTEXT * rest.context_on(gpu_gib)


def _of_videos_gib(request: FitRequest) -> float:
    profiled = request.has_encoder and request.model.family == _VIDEO_FAMILY
    return _VIDEO_GIB if profiled and request.rules.number < _IMAGES_ALONE else 0.0


def _of_states_gib(request: FitRequest, layout: CacheLayout) -> float:
    """Return the GiB that states of linear attention take outside the pool in old releases.

    A log of Nemotron Nano 9B v2 with 32 sequences shows 5.4 GiB besides weights and KV cache.
    """
    if request.rules.states_in_the_pool:
        return 0.0
    states = sum(group.count for group in layout.groups if isinstance(group.spec, StateSpec))
    return request.max_num_seqs * states * layout.bytes_per_block / GIB
