"""eager-mode-is-off, chunked-prefill-is-on, prefix-caching-is-on: what vLLM does by default, and agents need."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Conflict, load_catalog
from onprem_agents.vllm import conflicts_met

from ..graph import Graph, Violation
from ..known import model_of
from ..serving import Server, servers, servers_for_agents
from ..words import argument_of
from .known_conflicts import met, reader_of

_CACHE, _CHUNKS = "--enable-prefix-caching", "--enable-chunked-prefill"
# vLLM 0.12 to 0.33, config/vllm.py, read 2026-11-29: level 0 neither compiles nor captures graphs.
_LEVEL, _NONE = "--optimization-level", "0"
# Options by which servers hand their KV caches to each other: who fills one and who answers are set up apart.
_SHARED = "--kv-transfer-config"


def eager_mode_is_off(graph: Graph) -> list[Violation]:
    """No vLLM server runs eagerly. Advisory: it answers all the same, only slowly.

    A draft may run eagerly (`enforce_eager` within --speculative-config). What is only known at run time says nothing.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has {how}, so that vLLM compiles nothing and captures no CUDA graphs: each"
            " token takes longer, and agents wait for thousands of them.",
            change=f"Remove {argument_of(server, option)}; a start that is too long is kept short by a cache of"
            " what was compiled, on a volume that outlives the pod.",
        )
        for server in servers(graph)
        for option, how in _eager(server)
    ]


def chunked_prefill_is_on(graph: Graph) -> list[Violation]:
    """No vLLM server has chunked prefill switched off. Advisory, and silent where vLLM itself refuses it.

    What is only known at run time says nothing.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has {_CHUNKS} off: the prompt of one agent, often above 100,000 tokens, then"
            " runs in one piece, and all others wait for their next token meanwhile.",
            change=f"Remove {argument_of(server, '--no-enable-chunked-prefill')}: it is on by default.",
        )
        for server in servers(graph)
        if server.parsed.read("enable_chunked_prefill") is False and not _refused(server)
    ]


def prefix_caching_is_on(graph: Graph) -> list[Violation]:
    """No server for agents has prefix caching switched off without a reason. Advisory.

    A reason is a conflict that the catalogue knows of its model, release and speculation. A server that speculates,
    or may, with a model that the catalogue does not know may have one too, so has a server that hands its cache on.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has {_CACHE} off: agents send their whole conversation with each turn, and"
            " it is computed anew each time, where nine tokens in ten would lie in the cache.",
            change=f"Set {server.change('enable_prefix_caching', 'prefixCaching')} to on, or leave it out: it is on"
            " by default.",
        )
        for server in servers_for_agents(graph)
        if server.parsed.read("enable_prefix_caching") is False and not _has_a_reason(server)
    ]


def _eager(server: Server) -> Iterator[tuple[str, str]]:
    if server.parsed.read("enforce_eager") is True:
        yield "--enforce-eager", "--enforce-eager"
    elif server.parsed.other.get(_LEVEL) == (_NONE,):
        yield _LEVEL, f"{_LEVEL} {_NONE}"


def _refused(server: Server) -> bool:
    """Whether a conflict that stops the server names its chunks: then that is said, and this no second time."""
    return any(conflict.effect == "stops-at-start" and _names(conflict, _CHUNKS) for conflict in met(server))


def _has_a_reason(server: Server) -> bool:
    if _SHARED in server.parsed.other:
        return True
    known = model_of(server)
    read = reader_of(server)
    if known is None:
        return read("speculative_config") is not None

    def with_cache(field: str) -> object:
        return True if field == "enable_prefix_caching" else read(field)

    found = conflicts_met(load_catalog().conflicts, known.model, server.release, with_cache)
    return read("speculative_config") == "unreadable" or any(_names(conflict, _CACHE) for conflict in found)


def _names(conflict: Conflict, option: str) -> bool:
    return any(side.option == option for side in conflict.sides)
