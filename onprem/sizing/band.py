"""How far the best estimate may be off.

The two ends are what a careful and a hopeful reader would take: `more_gib` further use, `less_gib` less use than
estimated. Widths come from the residuals of the calibration logs, see `docs/sizing.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem.sizing.overhead import Overhead
from onprem.sizing.request import FitRequest
from onprem.sizing.weights import Weights

_FIXED_GIB = 0.15
_SHARE_OF_GPU = 0.005
_SHARE_OF_ACTIVATION = 0.25
_SHARE_OF_GRAPHS = 0.3
_SHARE_OF_CONTEXT = 0.3


@dataclass(frozen=True, kw_only=True)
class Band:
    """GiB on each GPU that may be taken beyond, or left below, the best estimate."""

    more_gib: float
    less_gib: float


def band(request: FitRequest, weights: Weights, rest: Overhead) -> Band:
    """Return the band around the best estimate of everything that is not KV cache."""
    common_gib = _FIXED_GIB + _SHARE_OF_GPU * request.accelerator.total_gib
    uncertain_gib = (
        weights.uncertainty_gib
        + _SHARE_OF_ACTIVATION * rest.activation_gib
        + _SHARE_OF_GRAPHS * rest.counted_graphs_gib
        + _SHARE_OF_CONTEXT * rest.non_torch_gib
    )
    return Band(more_gib=common_gib + uncertain_gib, less_gib=common_gib + uncertain_gib)
