"""Does this model fit this GPU, with how many sessions of which context? All figures are per GPU.

    result = fit(FitRequest(model=model, variant=model.variant("fp8"), accelerator=gpu, tensor_parallel=1,
                            context_tokens=131072, max_num_seqs=16, kv_cache_dtype="fp8",
                            max_num_batched_tokens=2048, gpu_memory_utilization=0.92))
    result.fits, result.sessions, result.largest_context_tokens, result.problems

`memory_of` gives best estimates with an error band; `fit` is careful, never optimistic: it takes the end of the
band that errs against us.
"""

from onprem_agents.sizing.changes import Change, changes_that_fit
from onprem_agents.sizing.checkpoint import Checkpoint, checkpoint_named
from onprem_agents.sizing.divisibility import (
    candidate_tensor_parallel,
    needs_expert_parallel,
    tensor_parallel_problems,
)
from onprem_agents.sizing.fit import Fit, Term, fit
from onprem_agents.sizing.gpu_names import accelerator_named
from onprem_agents.sizing.kv_cache import CacheLayout, cache_layout
from onprem_agents.sizing.memory import Memory, Outlook, memory_of
from onprem_agents.sizing.nearest import Hardware, nearest_tier_that_fits
from onprem_agents.sizing.printed import prediction
from onprem_agents.sizing.refusals import Cause, Refusal, Setting
from onprem_agents.sizing.release import ReleaseRules, release_rules
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.speed import Speed, speed_of
from onprem_agents.sizing.throughput import DECODE_FORMULA, PREFILL_FORMULA, Bounds, bounds_of
from onprem_agents.sizing.weights import checkpoint_gib

__all__ = [
    "DECODE_FORMULA",
    "PREFILL_FORMULA",
    "Bounds",
    "CacheLayout",
    "Cause",
    "Change",
    "Checkpoint",
    "Fit",
    "FitRequest",
    "Hardware",
    "Memory",
    "Outlook",
    "Refusal",
    "ReleaseRules",
    "Setting",
    "Speed",
    "Term",
    "accelerator_named",
    "bounds_of",
    "cache_layout",
    "candidate_tensor_parallel",
    "changes_that_fit",
    "checkpoint_gib",
    "checkpoint_named",
    "fit",
    "memory_of",
    "nearest_tier_that_fits",
    "needs_expert_parallel",
    "prediction",
    "release_rules",
    "speed_of",
    "tensor_parallel_problems",
]
