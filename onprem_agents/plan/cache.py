"""Where a role's weights are kept between starts: what is derived of it, and what cannot work.

A cache is known by what fills it: with another source or revision, or another volume, it is a new one, filled anew
while the servers still read the old one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from onprem_agents.errors import Problem
from onprem_agents.plan.pool import Pool
from onprem_agents.stack.cache import HostPathCache, PvcCache
from onprem_agents.stack.settings import ModelRole

AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]

_COMPILED_GIB = 16
"""Room for what vLLM's releases compile, a few GiB each."""
_SPARE = 1.05
"""A file system's own needs."""


@dataclass(frozen=True, kw_only=True)
class ClaimCache:
    """A claim and the Job that fills it, which share their name."""

    name: str
    storage_class: str | None
    access_mode: AccessMode
    size_gib: int


@dataclass(frozen=True, kw_only=True)
class FolderCache:
    """A folder of each node; `folder` is the role's own below `path`."""

    name: str
    path: str
    folder: str


@dataclass(frozen=True, kw_only=True)
class KServeCache:
    """KServe's cache of local models: `nodes` of its group must have the weights first."""

    name: str
    node_group: str
    nodes: int
    service_account: str | None
    size_gib: int


Cache = ClaimCache | FolderCache | KServeCache


def cache_of(
    role: ModelRole, uri: str, *, namespace: str, pool: Pool, replicas: int, weights_gib: float
) -> Cache | None:
    """Return where a role keeps the weights that come from `uri`; None where each pod downloads its own."""
    if role.cache is None:
        return None
    (asked,) = role.cache.places
    if isinstance(asked, PvcCache):
        return _claim(role, asked, uri, pool=pool, replicas=replicas, weights_gib=weights_gib)
    name = _name(role, uri)
    if isinstance(asked, HostPathCache):
        return FolderCache(name=name, path=asked.path, folder=f"{namespace}/{name}")
    return KServeCache(
        name=name,
        node_group=asked.node_group,
        nodes=asked.nodes or pool.nodes,
        service_account=asked.service_account,
        size_gib=_least_gib(weights_gib),
    )


def _claim(
    role: ModelRole, asked: PvcCache, uri: str, *, pool: Pool, replicas: int, weights_gib: float
) -> ClaimCache:
    access_mode = asked.access_mode or _access_mode(pool, replicas)
    size_gib = asked.size_gib or _least_gib(weights_gib) + _COMPILED_GIB
    return ClaimCache(
        name=_name(role, uri, asked.storage_class, access_mode, size_gib),
        storage_class=asked.storage_class,
        access_mode=access_mode,
        size_gib=size_gib,
    )


def on_one_node(cache: Cache | None, pool: Pool) -> bool:
    """Return whether the pods that share a cache must run on one node of several."""
    return isinstance(cache, ClaimCache) and cache.access_mode == "ReadWriteOnce" and pool.nodes > 1


def cache_problems(
    cache: Cache | None, *, where: str, pool: Pool, replicas: int, weights_gib: float
) -> Iterator[Problem]:
    """Yield why a claim cannot hold the weights, or not be mounted by all replicas; `where` is the role's key."""
    if not isinstance(cache, ClaimCache):
        return
    least_gib = _least_gib(weights_gib)
    if cache.size_gib < least_gib:
        yield Problem(
            where=f"{where}.cache.pvc.sizeGib",
            cause="bad-value",
            found=f"{cache.size_gib} GiB",
            why=f"the weights alone take {least_gib} GiB, and what vLLM compiles some more",
            fix=f"set {where}.cache.pvc.sizeGib to {least_gib + _COMPILED_GIB}, or leave it out",
        )
    if on_one_node(cache, pool) and replicas > 1:
        yield Problem(
            where=f"{where}.cache.pvc.accessMode",
            cause="contradiction",
            found=f"ReadWriteOnce for {replicas} replicas on {pool.nodes} nodes",
            why="one node at a time mounts such a claim: replicas elsewhere would never start",
            fix=f"set {where}.cache.pvc.accessMode to ReadWriteMany with a storage class that has it, or use "
            f"{where}.cache.hostPath",
        )


def cache_notes(cache: Cache | None) -> Iterator[str]:
    """Yield what a cache asks of the cluster, or gives up."""
    if isinstance(cache, FolderCache):
        yield (
            f"the weights are kept in {cache.path} of each node: make it there for user 1000; Pod Security forbids "
            "hostPath volumes, so the namespace enforces no level any more (warnings and audit stay at restricted), "
            "where platform.models[].cache.pvc with a storage class of the nodes' disks needs no exception"
        )
    elif isinstance(cache, KServeCache):
        yield (
            "KServe keeps no kernels: what vLLM compiles is compiled at each start; platform.serving.storageSecret "
            "is not used, its download has the credentials of platform.models[].cache.localModelCache.serviceAccount"
        )


def _access_mode(pool: Pool, replicas: int) -> AccessMode:
    return "ReadWriteMany" if pool.nodes > 1 and replicas > 1 else "ReadWriteOnce"


def _least_gib(weights_gib: float) -> int:
    return math.ceil(weights_gib * _SPARE) + 1


def _name(role: ModelRole, uri: str, *volume: str | int | None) -> str:
    """Return a name that changes with what makes other weights of it, or another volume."""
    text = json.dumps([uri, *volume])
    return f"{role.role}-weights-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
