"""serving-can-be-checked: say what the other rules can't judge, so that silence never reads as approval."""

from __future__ import annotations

from collections.abc import Iterator

from ..graph import Graph, Resource, Violation
from ..memory import SIZED_BY, sized
from ..serving import servers, unread

# What the mandatory rules read.
_JUDGED_BY = (*SIZED_BY, "enable_auto_tool_choice", "tool_call_parser", "reasoning_parser")

_SHOW_IT = "Declare it in this program, with vLLM's arguments as plain values, or look at it yourself."
_SIZE_IT = (
    "Tell it in the object where it only is not told; what the catalogue or the sizing does not know, size yourself:"
    " 'onprem-agents fit' does it for models by their config.json."
)


def serving_can_be_checked(graph: Graph) -> list[Violation]:
    """Every vLLM server names a model, checkpoint and GPU of the catalogue, used in ways the engine models.

    And what declares a model server can be read. Advisory. What is only known at run time is not repeated here: the
    mandatory rules refuse it.
    """
    found: dict[str, Violation] = {}
    for resource, reason, change in _reasons(graph):
        message = f"{resource} can't be checked as a whole: {reason}."
        found.setdefault(message, Violation(resource=resource, message=message, change=change))
    return list(found.values())


def _reasons(graph: Graph) -> Iterator[tuple[Resource, str, str]]:
    """Yield what can't be judged of which resource, and how it could be."""
    for server in servers(graph):
        if any(server.left_open(field) for field in _JUDGED_BY):
            yield server.resource, server.unseen, _SHOW_IT
        for reason in sized(server).unchecked:
            yield server.resource, reason, _SIZE_IT
    for each in unread(graph):
        yield each.resource, each.reason, _SHOW_IT
