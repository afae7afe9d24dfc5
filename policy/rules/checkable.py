"""serving-can-be-checked: say what the other rules can't judge, so that silence never reads as approval."""

from __future__ import annotations

from ..graph import Graph, Violation
from ..memory import sized
from ..serving import servers


def serving_can_be_checked(graph: Graph) -> list[Violation]:
    """Every vLLM server names a model, checkpoint and GPU of the catalogue, used in ways the engine models.

    Advisory. What is only known at run time is not repeated here: the mandatory rules refuse it.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} can't be checked as a whole: {reason}.",
        )
        for server in servers(graph)
        for reason in sized(server).unchecked
    ]
