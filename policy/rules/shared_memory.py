"""shared-memory-is-mounted: the GPUs of one pod exchange through /dev/shm, of which a container gets 64 MiB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from onprem_agents.units import format_gib

from ..graph import UNKNOWN, Graph, Value, Violation, dig, items
from ..operation import Told, about_each, gib, is_completed_elsewhere, workers_of
from ..serving import Server, servers

_SHM = "/dev/shm"  # noqa: S108  where POSIX keeps it, in the pod
# vLLM 0.33.0, envs.py and shm_broadcast.py: ten chunks of VLLM_MQ_MAX_CHUNK_BYTES_MB (16) for the workers' queue, and
# NCCL's buffers for each pair of GPUs. KServe's preset mounts 1 GiB (v0.20.0).
LEAST_GIB = 1.0


def shared_memory_is_mounted(graph: Graph, *, least_gib: float = LEAST_GIB) -> list[Violation]:
    """A pod that shards a model over its GPUs has a memory-backed volume at /dev/shm. Advisory.

    GPUs that reach each other by NVLink may do without. What is only known at run time, or may come from a runtime that
    is not in the program, proves nothing; with hostIPC the pod has its node's.
    """
    return about_each(servers(graph), partial(_short, graph, least_gib))


def _short(graph: Graph, least_gib: float, server: Server) -> Iterator[Told]:
    if workers_of(server) <= 1 or not isinstance(server.pod, Mapping) or dig(server.pod, "hostIPC"):
        return
    volumes, mounts = dig(server.pod, "volumes"), server.container.get("volumeMounts")
    if UNKNOWN in (volumes, mounts) or any(dig(mount, "mountPath") is UNKNOWN for mount in items(mounts)):
        return
    mounted = [mount for mount in items(mounts) if str(dig(mount, "mountPath")).rstrip("/") == _SHM]
    wanted = format_gib(max(LEAST_GIB, least_gib))
    change = f"Mount a volume with emptyDir: {{medium: Memory, sizeLimit: {wanted}}} at {_SHM}; memory limits count it."
    if not mounted and not is_completed_elsewhere(graph, server):
        yield Told(
            f"shards its model over {workers_of(server)} GPUs with the 64 MiB of {_SHM} that a container gets: where"
            " NCCL exchanges through it, the server stops at start",
            change,
        )
    for mount in mounted:
        found = _found(volumes, dig(mount, "name"), least_gib)
        if found is not None:
            yield Told(
                f"shards its model over {workers_of(server)} GPUs with {found} at {_SHM}, over which they exchange",
                change,
            )


def _found(volumes: Value, name: Value, least_gib: float) -> str | None:
    """Return what keeps a volume from being enough, None where it is, or where nothing tells."""
    volume = next((each for each in items(volumes) if dig(each, "name") == name), None)
    empty = dig(volume, "emptyDir")
    if empty is None or empty is UNKNOWN or UNKNOWN in (dig(empty, "medium"), dig(empty, "sizeLimit")):
        return None
    if dig(empty, "medium") != "Memory":
        return "the node's disk"
    limit = gib(dig(empty, "sizeLimit"))
    return f"no more than {dig(empty, 'sizeLimit')}" if limit is not None and limit < least_gib else None
