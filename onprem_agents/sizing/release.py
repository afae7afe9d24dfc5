"""How the memory arithmetic of vLLM changed from release to release.

What each release does stands in its own folder, `onprem_agents/vllm/releases`; a release before the oldest of them
does what the oldest does, a newer one what the newest does, and what differs from both stands here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from onprem_agents.vllm import nearest_release, newest_release

# From 0.8 on the V1 engine is the default (vLLM 0.8.0 release notes, March 2025).
_FIRST_V1_BY_DEFAULT = (0, 8)
# Every V0 engine, those started on purpose by a later release as well (vLLM wheels to 0.10).
_V0_GPU_MEMORY_UTILIZATION = 0.90
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
    number = version_number(version)
    facts = nearest_release(None if number is None else version)
    memory, utilization = facts.memory, facts.default("--gpu-memory-utilization")
    if not isinstance(utilization, float):
        raise TypeError(f"vLLM {facts.release}: the default of --gpu-memory-utilization is no number")
    number = number or version_number(newest_release()) or _OLDEST
    return ReleaseRules(
        number=number,
        is_v0=v0 or number < _FIRST_V1_BY_DEFAULT,
        graphs_are_counted=memory.graphs_are_counted and not v0,
        default_gpu_memory_utilization=_V0_GPU_MEMORY_UTILIZATION if v0 else utilization,
        batches_in_flight=memory.batches_in_flight,
        hybrid_prefix_caching=memory.hybrid_prefix_caching,
        prefill_checkpoints=memory.prefill_checkpoints,
        batch_holds_one_item=memory.batch_holds_one_item,
        tokens_are_concurrency=memory.tokens_are_concurrency,
        sampler_sorts=memory.sampler_sorts,
    )
