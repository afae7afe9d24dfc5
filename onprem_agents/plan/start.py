"""Whether a role's servers start cold or warm: without, or with, what an earlier start compiled.

A cold start compiles while vLLM measures what it needs, so that the KV cache gets less for as long as the server runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onprem_agents.stack.cache import HostPathCache, PvcCache
from onprem_agents.stack.settings import ModelRole

# vLLM 0.33.0, envs.py, read 2026-11: any number but 0 turns the cache off.
_CACHE_OFF = "VLLM_DISABLE_COMPILE_CACHE"


@dataclass(frozen=True, kw_only=True)
class Start:
    """The start that the memory is sized for, and what decides it."""

    kind: Literal["cold", "warm"]
    because: str


def start_of(role: ModelRole) -> Start:
    """Return how a role's servers start: warm where what vLLM compiles outlives the pod, else cold.

    The first of all starts is cold even then: where it leaves too little, its container ends and starts once more, and
    finds what was compiled.
    """
    if role.env.get(_CACHE_OFF, "0").strip() != "0":
        return Start(kind="cold", because=f"{_CACHE_OFF} in env has each start compile anew")
    for place in role.cache.places if role.cache is not None else ():
        if isinstance(place, PvcCache | HostPathCache):
            kept = "on its claim" if isinstance(place, PvcCache) else f"in {place.path} of each node"
            return Start(
                kind="warm",
                because=f"what vLLM compiles is kept {kept}; the very first start compiles, and may start over once",
            )
        return Start(kind="cold", because="KServe's cache keeps the weights and nothing that vLLM compiles")
    return Start(
        kind="cold", because="what vLLM compiles goes with the pod; cache.pvc or cache.hostPath keeps it"
    )
