"""speculation-can-start: a --speculative-config that vLLM refuses whatever the model is."""

from __future__ import annotations

from ..graph import Graph, Violation
from ..serving import servers
from ..speculation import refused_speculation


def speculation_can_start(graph: Graph) -> list[Violation]:
    """No vLLM server has a speculative configuration that vLLM refuses at start.

    Only what is written out can be refused: one that is only known at run time may be any.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has a --speculative-config that {fault[0]}: vLLM stops at start.",
            change=f"In {server.change('speculative_config', 'speculativeTokens')}, {fault[1]}.",
        )
        for server in servers(graph)
        if (fault := refused_speculation(server.parsed.flags.speculative_config)) is not None
    ]
