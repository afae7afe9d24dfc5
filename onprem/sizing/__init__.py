"""Does this model fit this GPU, with how many sessions of which context? All figures are per GPU.

    result = fit(FitRequest(model=model, variant=model.variant("fp8"), accelerator=gpu, tensor_parallel=1,
                            context_tokens=131072, max_num_seqs=16, kv_cache_dtype="fp8",
                            max_num_batched_tokens=2048, gpu_memory_utilization=0.92))
    result.fits, result.sessions, result.largest_context_tokens, result.problems

`memory_of` gives best estimates with an error band; `fit` is careful, never optimistic: it takes the end of the
band that errs against us.
"""

from onprem.sizing.divisibility import (
    candidate_tensor_parallel,
    needs_expert_parallel,
    tensor_parallel_problems,
)
from onprem.sizing.fit import Fit, Term, fit
from onprem.sizing.kv_cache import CacheLayout, cache_layout
from onprem.sizing.nearest import Hardware, nearest_tier_that_fits
from onprem.sizing.memory import Memory, Verdict, memory_of
from onprem.sizing.request import FitRequest

__all__ = [
    "CacheLayout",
    "Fit",
    "FitRequest",
    "Hardware",
    "Memory",
    "Term",
    "Verdict",
    "cache_layout",
    "candidate_tensor_parallel",
    "fit",
    "memory_of",
    "nearest_tier_that_fits",
    "needs_expert_parallel",
    "tensor_parallel_problems",
]
