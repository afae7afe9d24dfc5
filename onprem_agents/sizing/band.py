"""How far the best estimate may be off.

The two ends are what a careful and a hopeful reader would take: `more_gib` further use, `less_gib` less use than
estimated. The terms err independently; the careful end takes it that all err against us at once, the hopeful end
that they do as chance has it. Widths come from the residuals of the calibration logs, see `docs/sizing.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from onprem_agents.sizing.kv_cache import CacheLayout
from onprem_agents.sizing.kv_specs import StateSpec
from onprem_agents.sizing.overhead import Overhead, overhead
from onprem_agents.sizing.release import release_rules, version_number
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.weights import Weights
from onprem_agents.units import GIB

_FIXED_GIB = 0.05
_SHARE_OF_GPU = 0.005
_SHARE_OF_ACTIVATION = 0.2
_SHARE_OF_GRAPHS = 0.3
_SHARE_OF_CONTEXT = 0.1

# States of linear attention come out of the KV pool since 0.11. A log of Nemotron Nano 9B v2 with 32 sequences on
# an older server shows 5.4 GiB besides weights and KV cache.
_STATES_IN_THE_POOL = (0, 11)
_LAST_WITH_SORT = "0.19.0"

# Before 0.12 Qwen3-VL was profiled with a video of full-size frames (vllm qwen3_vl.py of September 2025). Two logs of
# 0.11.0 show 3.6 GiB (30B, A100) and 5.6 GiB (235B on 8 A100, QwenLM/Qwen3-VL#1684) beyond one image.
_IMAGES_ALONE = (0, 12)
_VIDEO_FAMILY, _VIDEO_GIB = "qwen3-vl", 4.6


@dataclass(frozen=True, kw_only=True)
class Band:
    """GiB on each GPU that may be taken beyond, or left below, the best estimate."""

    more_gib: float
    less_gib: float


def common_gib(gpu_gib: float) -> float:
    """Return what any estimate may be off on a GPU of that size."""
    return _FIXED_GIB + _SHARE_OF_GPU * gpu_gib


def doubts_gib(weights: Weights, rest: Overhead) -> tuple[float, float, float]:
    """Return how far each term may be off that does not depend on the GPU's size: weights, activations, graphs."""
    return (
        weights.uncertainty_gib,
        _SHARE_OF_ACTIVATION * rest.activation_gib,
        _SHARE_OF_GRAPHS * rest.counted_graphs_gib,
    )


def context_doubt_gib(rest: Overhead, gpu_gib: float) -> float:
    """Return how far the context may be off on a GPU of that size."""
    return _SHARE_OF_CONTEXT * rest.context_on(gpu_gib)


def beyond_gib(request: FitRequest, rest: Overhead, layout: CacheLayout) -> float:
    """Return what may be taken on top of all doubts: by a release that is not known, by videos."""
    return _of_old_releases_gib(request, rest, layout) + _of_videos_gib(request)


def _of_videos_gib(request: FitRequest) -> float:
    profiled = request.has_encoder and request.model.family == _VIDEO_FAMILY
    return _VIDEO_GIB if profiled and request.rules.number < _IMAGES_ALONE else 0.0


def _of_old_releases_gib(request: FitRequest, rest: Overhead, layout: CacheLayout) -> float:
    """Return the GiB that an older release would take on top, where it is not known which one runs."""
    number = version_number(request.model.min_vllm) if request.release_unknown else None
    if number is None:
        return 0.0
    beyond = 0.0
    if number < _STATES_IN_THE_POOL:
        states = sum(group.count for group in layout.groups if isinstance(group.spec, StateSpec))
        beyond += request.max_num_seqs * states * layout.bytes_per_block / GIB
    if release_rules(request.model.min_vllm).sampler_sorts:
        sorting = replace(request, vllm=_LAST_WITH_SORT)
        beyond += max(0.0, overhead(sorting).activation_gib - rest.activation_gib)
    return beyond
