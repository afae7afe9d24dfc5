"""How the memory arithmetic of vLLM changed from release to release.

Sources: every minor wheel from 0.9.2 to 0.33.0 scanned for its defaults, planner and profiler (November 2026),
and the start-up logs of the calibration cases where code alone does not tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

NEWEST = (0, 33)

# vLLM wheels: the profile run subtracts a graph estimate, and the default share rose, in one release (0.20).
_GRAPHS_COUNTED = (0, 20)
_LARGER_DEFAULT_SHARE = (0, 20)
# Asynchronous scheduling is planned with two batches in flight since 0.26; before, a window holds one batch.
_TWO_BATCHES_IN_FLIGHT = (0, 26)
# Prefix caching of hybrid models is on by default since 0.26; without it a sequence holds one state, not two.
_HYBRID_PREFIX_CACHING = (0, 26)
# The Mamba 2 kernels write a checkpoint of the state from inside a prefill since 0.29: one block more.
_PREFILL_CHECKPOINTS = (0, 29)
# A batch is raised to hold one item of a model that attends to whole images; 2496 was printed for one video of
# Gemma 4 12B (public log, RTX 3090, June 2026), not yet for Gemma 4 E2B on 0.21.
_BATCH_HOLDS_ONE_ITEM = (0, 23)
# "GPU KV cache size" is concurrency x max-model-len since 0.21 (vllm-project/vllm#51041); before, blocks were
# shared out over the layer groups (vllm-project/vllm#43308: 55k tokens in 0.20, 525k in 0.21 from one pool).
_TOKENS_ARE_CONCURRENCY = (0, 21)
# Top-k/top-p without sorting the logits: logs of 0.21 and later show the logits alone.
FIRST_WITHOUT_SORT = (0, 20)
_FIRST_V1_BY_DEFAULT = (0, 8)
_OLDEST = (0, 3)

_NUMBER = re.compile(r"v?(\d+)\.(\d+)(?:\.|$|[^\d])")


@dataclass(frozen=True, kw_only=True)
class ReleaseRules:
    """What one release does. `number` is (major, minor)."""

    number: tuple[int, int]
    is_v0: bool
    graphs_are_counted: bool
    default_gpu_memory_utilization: float
    batches_in_flight: int
    hybrid_prefix_caching: bool
    prefill_checkpoints: bool
    batch_holds_one_item: bool
    tokens_are_concurrency: bool
    sampler_sorts: bool


def version_number(version: str | None) -> tuple[int, int] | None:
    """Return (major, minor) of a release, None where the name tells nothing, as of builds called 0.1.dev."""
    match = _NUMBER.match(version or "")
    number = (int(match[1]), int(match[2])) if match else None
    return number if number is not None and number >= _OLDEST else None


@cache
def release_rules(version: str | None, *, v0: bool = False) -> ReleaseRules:
    """Return the rules of a release such as "0.19.1rc1.dev316"; the newest where it is not told.

    Builds from a branch call themselves 0.1.dev; they are taken for the newest, as is any unreadable name.
    """
    number = version_number(version) or NEWEST
    return ReleaseRules(
        number=number,
        is_v0=v0 or number < _FIRST_V1_BY_DEFAULT,
        graphs_are_counted=number >= _GRAPHS_COUNTED and not v0,
        default_gpu_memory_utilization=0.92 if number >= _LARGER_DEFAULT_SHARE and not v0 else 0.90,
        batches_in_flight=2 if number >= _TWO_BATCHES_IN_FLIGHT else 1,
        hybrid_prefix_caching=number >= _HYBRID_PREFIX_CACHING,
        prefill_checkpoints=number >= _PREFILL_CHECKPOINTS,
        batch_holds_one_item=number >= _BATCH_HOLDS_ONE_ITEM,
        tokens_are_concurrency=number >= _TOKENS_ARE_CONCURRENCY,
        sampler_sorts=number < FIRST_WITHOUT_SORT,
    )
