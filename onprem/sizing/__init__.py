"""Does this model fit this GPU, with how many sessions of which context? All figures are per GPU.

    result = fit(FitRequest(model=model, variant=model.variant("fp8"), accelerator=gpu, tensor_parallel=1,
                            context_tokens=131072, max_num_seqs=16, kv_cache_dtype="fp8",
                            max_num_batched_tokens=2048, gpu_memory_utilization=0.92))
    result.fits, result.sessions, result.largest_context_tokens, result.problems

The engine is careful, never optimistic: estimates err against us and `HEADROOM` stays free on top.
"""

from onprem.sizing.divisibility import (
    candidate_tensor_parallel,
    needs_expert_parallel,
    tensor_parallel_problems,
)
from onprem.sizing.fit import Fit, Term, fit
from onprem.sizing.kv_cache import CacheLayout, cache_layout
from onprem.sizing.nearest import Hardware, nearest_tier_that_fits
from onprem.sizing.overhead import HEADROOM
from onprem.sizing.request import FitRequest

__all__ = [
    "HEADROOM",
    "CacheLayout",
    "Fit",
    "FitRequest",
    "Hardware",
    "Term",
    "cache_layout",
    "candidate_tensor_parallel",
    "fit",
    "nearest_tier_that_fits",
    "needs_expert_parallel",
    "tensor_parallel_problems",
]
