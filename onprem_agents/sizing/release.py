"""How the memory arithmetic of vLLM changed from release to release.

What each release does stands in its own folder, `onprem_agents/vllm/releases`; a release before the oldest of them
does what the oldest does, a newer one what the newest does, and what differs from both stands here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from onprem_agents.vllm import MemoryRules, known_releases, nearest_release, newest_release, version_key

# From 0.8 on the V1 engine is the default (vLLM 0.8.0 release notes, March 2025).
_FIRST_V1_BY_DEFAULT = (0, 8)
# Every V0 engine, those started on purpose by a later release as well (vLLM wheels to 0.10).
_V0_GPU_MEMORY_UTILIZATION = 0.90
_OLDEST = (0, 3)

# States of linear attention come out of the KV pool since 0.11 (vLLM 0.11.0, v1/core/kv_cache_utils.py).
_STATES_IN_THE_POOL = (0, 11)
# Up to 0.11 FlashInfer samples wherever it is installed, as in the project's images; from 0.12 on only where it is
# asked for (v1/sample/ops/topk_topp_sampler.py of vLLM 0.10.2, 0.11.0, 0.12.0).
_FLASHINFER_WHERE_INSTALLED = (0, 11)
# Inductor measures combined kernels since 0.12, the first with a torch that can (config/compilation.py, absent in
# 0.10.2, there in 0.12.0 to 0.33.0).
_MEASURES_KERNELS = (0, 12)
# "GPU KV cache size" changed its meaning with the patch 0.20.2 (vllm 0.20.0 and 0.20.2, v1/core/kv_cache_utils.py).
_TOKENS_ARE_CONCURRENCY = (0, 20, 2)

# The oldest release that a log of today is taken to come from where it does not say: the last ones with a V0 engine.
_OLDEST_IN_USE = "0.10.0"

_NUMBER = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:\.|$|[^\d])")


@dataclass(frozen=True, kw_only=True)
class ReleaseRules:
    """What one release does. `number` is (major, minor), `memory` what its folder says."""

    number: tuple[int, int]
    is_v0: bool
    memory: MemoryRules
    graphs_are_counted: bool
    tokens_are_concurrency: bool
    default_gpu_memory_utilization: float

    @property
    def states_in_the_pool(self) -> bool:
        """Whether states of linear attention come out of the KV pool."""
        return self.number >= _STATES_IN_THE_POOL

    @property
    def flashinfer_where_installed(self) -> bool:
        """Whether FlashInfer samples if it is there, which a version number does not tell."""
        return self.number <= _FLASHINFER_WHERE_INSTALLED

    @property
    def measures_kernels(self) -> bool:
        """Whether a start that compiles measures kernels on tensors of its own."""
        return self.number >= _MEASURES_KERNELS

    @property
    def sampler_sorts(self) -> bool:
        """Whether the sampler sorts the logits, as far as is known."""
        return self.memory.sampler_sorts and not self.flashinfer_where_installed


def version_number(version: str | None) -> tuple[int, int] | None:
    """Return (major, minor) of a release, None where the name tells nothing, as of builds called 0.1.dev."""
    match = _NUMBER.match(version or "")
    number = (int(match[1]), int(match[2])) if match else None
    return number if number is not None and number >= _OLDEST else None


@cache
def release_rules(version: str | None, *, v0: bool = False) -> ReleaseRules:
    """Return the rules of a release such as "0.19.1rc1.dev316"; the newest where it is not told.

    Builds from a branch call themselves 0.1.dev; they are taken for the newest, as is any unreadable name. What may
    have run instead is `releases_of`.
    """
    number = version_number(version)
    facts = nearest_release(None if number is None else version)
    utilization = facts.default("--gpu-memory-utilization")
    if not isinstance(utilization, float):
        raise TypeError(f"vLLM {facts.release}: the default of --gpu-memory-utilization is no number")
    exact = _NUMBER.match(version or "") if number is not None else None
    before_the_patch = (
        number == _TOKENS_ARE_CONCURRENCY[:2]
        and exact is not None
        and int(exact[3] or 0) < _TOKENS_ARE_CONCURRENCY[2]
    )
    number = number or version_number(newest_release()) or _OLDEST
    return ReleaseRules(
        number=number,
        is_v0=v0 or number < _FIRST_V1_BY_DEFAULT,
        memory=facts.memory,
        graphs_are_counted=facts.memory.graphs_are_counted and not v0,
        tokens_are_concurrency=facts.memory.tokens_are_concurrency and not before_the_patch,
        default_gpu_memory_utilization=_V0_GPU_MEMORY_UTILIZATION if v0 else utilization,
    )


@cache
def releases_of(version: str | None, least: str) -> tuple[str, ...]:
    """Return the release of that name; where it tells none, one for each way of counting from `least` to the newest.

    Nobody is taken to run the V0 engine without a word: the oldest is 0.10.
    """
    if version is not None and version_number(version) is not None:
        return (version,)
    first = max(version_key(least), version_key(_OLDEST_IN_USE))
    told = [".".join(str(part) for part in first)]
    told += [release for release in known_releases() if version_key(release) > first]
    found: dict[object, str] = {}
    for release in told:
        rules = release_rules(release)
        counting = rules.memory.model_copy(update={"source": "", "read": ""})
        found.setdefault((counting, rules.states_in_the_pool, rules.flashinfer_where_installed), release)
    return tuple(found.values())
