"""serving-can-be-checked: say what the other rules can't judge, so that silence never reads as approval."""

from __future__ import annotations

from collections.abc import Iterator

from ..graph import Graph, Resource, Violation
from ..memory import SIZED_BY, sized
from ..serving import servers, unread

# What the mandatory rules read.
_JUDGED_BY = (*SIZED_BY, "enable_auto_tool_choice", "tool_call_parser", "reasoning_parser")


def serving_can_be_checked(graph: Graph) -> list[Violation]:
    """Every vLLM server names a model, checkpoint and GPU of the catalogue, used in ways the engine models.

    And what declares a model server can be read. Advisory. What is only known at run time is not repeated here: the
    mandatory rules refuse it.
    """
    found = {
        f"{resource} can't be checked as a whole: {reason}.": resource for resource, reason in _reasons(graph)
    }
    return [Violation(resource=resource, message=message) for message, resource in found.items()]


def _reasons(graph: Graph) -> Iterator[tuple[Resource, str]]:
    for server in servers(graph):
        if any(server.left_open(field) for field in _JUDGED_BY):
            yield server.resource, server.unseen
        for reason in sized(server).unchecked:
            yield server.resource, reason
    for each in unread(graph):
        yield each.resource, each.reason
