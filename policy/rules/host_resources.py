"""host-memory-lasts, host-resources-are-sized: what a server takes of its node beside the GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from onprem_agents.units import format_cpu, format_gib

from ..containers import named_container
from ..graph import UNKNOWN, Graph, Value, Violation, dig
from ..operation import (
    Told,
    about_each,
    gib,
    is_completed_elsewhere,
    number,
    runtime_beside,
    workers_of,
)
from ..serving import Server, servers

# Measured 2026-11 with vLLM 0.32: its API server, imported and nothing else, holds 0.53 GiB that no kernel can take
# back (0.85 GiB in all); the engine, CUDA's context and pinned buffers come on top.
LEAST_GIB = 1.0
# API server and engine, and a worker for each GPU; by the same figures with CUDA beside them. vLLM's own minimum of
# cores is 2 + GPUs (its guide "Optimization and Tuning"; a server in little use gets by with one less).
_BASE_GIB, _GIB_PER_GPU, _BASE_CPUS = 2.0, 2.0, 1
# What KServe gives a container of an InferenceService that says nothing (v0.20.0, ConfigMap inferenceservice-config),
# and what its own runtimes bring (kserve-vllmserver, kserve-huggingfaceserver).
_KSERVE = {"memory": "2Gi", "cpu": "1"}
_CONFIG = "inferenceservice-config"


def host_memory_lasts(graph: Graph) -> list[Violation]:
    """No memory limit is below what vLLM's processes take before they load anything. Needs a literal."""
    return about_each(servers(graph), _dies)


def host_resources_are_sized(graph: Graph) -> list[Violation]:
    """Memory and CPU hold vLLM's processes, KServe's own limits where none is said among them. Advisory.

    What is only known at run time, or may come from a runtime that is not in the program, proves nothing.
    """
    return about_each(servers(graph), partial(_small, graph))


def _dies(server: Server) -> Iterator[Told]:
    limits = dig(server.container.get("resources"), "limits")
    limit = dig(limits, "memory")
    if (
        limit is UNKNOWN and limits is not UNKNOWN
    ):  # where all of it is unknown, memory-headroom-is-left says so
        yield Told(
            "leaves its memory limit to be known at run time, so nothing proves that it holds vLLM",
            f"Write {format_gib(_wanted_gib(server))} or more as resources.limits.memory.",
        )
        return
    amount = gib(limit)
    if amount is not None and amount < LEAST_GIB:
        bytes_ = " (a number without a unit counts bytes)" if str(limit).isdigit() else ""
        yield Told(
            f"has a memory limit of {limit}{bytes_}: vLLM's processes are killed before they load anything",
            f"Set resources.limits.memory to {format_gib(_wanted_gib(server))} or more.",
        )


def _small(graph: Graph, server: Server) -> Iterator[Told]:
    if server.gpus is None or server.gpus is UNKNOWN:
        return
    given = _kserves(graph, server)
    parts = {"memory": _little_memory(graph, server, given), "cpu": _few_cpus(server, given)}
    wanted = {
        "memory": f"{format_gib(max(_wanted_gib(server), _request_gib(server) or 0))} or more of memory",
        "cpu": f"{_BASE_CPUS + 1 + workers_of(server)} or more of cpu",
    }
    found = {name: part for name, part in parts.items() if part}
    if found:
        yield Told(
            ", and ".join(found.values()),
            f"Set resources.requests and resources.limits to {' and '.join(wanted[name] for name in found)}.",
        )


def _little_memory(graph: Graph, server: Server, given: Mapping[str, Value]) -> str:
    said, by_kserve = _limit(server, "memory", given)
    amount = gib(said)
    request = _request_gib(server)
    if amount is not None and by_kserve and request is not None and request > amount:
        return f"asks for {format_gib(request)} of memory and no limit, and KServe adds one of {said}: no pod starts"
    if amount is not None and LEAST_GIB <= amount < _wanted_gib(server):
        has = "has no memory limit, so that KServe adds one of" if by_kserve else "has a memory limit of"
        return f"{has} {said}, too little for the processes of vLLM: they are killed while they load"
    if said is None and request is None and not given and not _is_unseen(graph, server):
        return "asks for no memory of its node: it lands where there is none, and is the first to be killed"
    return ""


def _few_cpus(server: Server, given: Mapping[str, Value]) -> str:
    said, by_kserve = _limit(server, "cpu", given)
    cores, least = number(said), _BASE_CPUS + workers_of(server)
    if cores is None or cores >= least:
        return ""
    has = "has no CPU limit, so that KServe adds one of" if by_kserve else "has a CPU limit of"
    return f"{has} {format_cpu(cores)}, below the {least} that vLLM's processes keep busy: each token waits for them"


def _limit(server: Server, name: str, given: Mapping[str, Value]) -> tuple[Value, bool]:
    """Return a limit, and whether KServe set it."""
    resources = server.container.get("resources")
    said = UNKNOWN if resources is UNKNOWN else dig(resources, "limits", name)
    return (given.get(name), True) if said is None else (said, False)


def _kserves(graph: Graph, server: Server) -> Mapping[str, Value]:
    """Return the limits that KServe puts where a server has none; nothing where the program or its cluster tells."""
    if server.resource.kind != "InferenceService" or not server.takes_requests:
        return {}
    if any(config.object_name == _CONFIG for config in graph.of_kind("core", "ConfigMap")):
        return {}
    runtime = runtime_beside(graph, server)
    if runtime is None:
        custom = dig(server.resource.props, "spec", "predictor", "containers") is not None
        return _KSERVE if custom and not server.unseen else {}
    if not runtime.of_the_program:
        return _KSERVE if runtime.name.startswith("kserve-") else {}
    container = named_container(dig(runtime.spec, "containers"), "kserve-container") or {}
    limits = dig(container.get("resources"), "limits")
    return limits if isinstance(limits, Mapping) else {}


def _is_unseen(graph: Graph, server: Server) -> bool:
    """Whether what it asks for may stand elsewhere: in a runtime, or as UNKNOWN."""
    resources = server.container.get("resources")
    parts = [dig(resources, part) for part in ("limits", "requests")]
    unknown = resources is UNKNOWN or UNKNOWN in parts or UNKNOWN in (dig(part, "memory") for part in parts)
    return unknown or is_completed_elsewhere(graph, server)


def _request_gib(server: Server) -> float | None:
    return gib(dig(server.container.get("resources"), "requests", "memory"))


def _wanted_gib(server: Server) -> float:
    return _BASE_GIB + _GIB_PER_GPU * workers_of(server)
