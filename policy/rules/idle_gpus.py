"""gpus-are-used: GPUs that a pod holds and its server does not touch."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.vllm import UNREADABLE

from ..graph import UNKNOWN, Graph, Violation
from ..launch import is_followed
from ..memory import gpus_needed
from ..serving import Server, servers

_SIZES = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
# Options that give GPUs other work, or take more of them (vLLM 0.12 to 0.33, config/parallel.py, read 2026-11-29).
_OTHER_WORK = ("--prefill-context-parallel-size", "--device-ids", "--enable-elastic-ep")


def gpus_are_used(graph: Graph) -> list[Violation]:
    """A vLLM server uses all GPUs that its pod asks for. Advisory.

    A model that is spread over pods takes part of its ranks from others, so its pods are left alone. A number that is
    only known at run time says nothing. More GPUs than the pod has are the matter of memory-headroom-is-left.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} asks for {server.gpus} GPUs and uses {used}: vLLM takes one GPU unless it is"
            " told more, and nobody else gets the rest.",
            change=f"Set {server.change(_SIZES[0], 'tensorParallel')} to {server.gpus}, or"
            f" let the pod ask for fewer ({used}).",
        )
        for server in servers(graph)
        for used in _idle(server)
    ]


def _idle(server: Server) -> Iterator[int]:
    """Yield how many GPUs a server uses where it leaves some alone."""
    told = is_followed(server) and all(server.parsed.read(field) != UNREADABLE for field in _SIZES)
    other = any(option in server.parsed.other for option in _OTHER_WORK)
    if server.gpus in (None, UNKNOWN) or server.multi_node or other or not told:
        return
    used = gpus_needed(server)
    if 0 < used < int(server.gpus):
        yield used
