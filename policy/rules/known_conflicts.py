"""options-start-together, options-work-together: what the catalogue knows of options that do harm beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from onprem_agents.catalog import Conflict, Side, load_catalog
from onprem_agents.vllm import UNREADABLE, conflicts_met, field_of

from ..graph import Graph, Violation
from ..known import model_of
from ..serving import Server, servers


def options_start_together(graph: Graph) -> list[Violation]:
    """No vLLM server has options that its release refuses together at start.

    What is only known at run time, or a model that the catalogue does not know, meets no conflict: the other rules
    say so.
    """
    return _violations(graph, "stops-at-start")


def options_work_together(graph: Graph) -> list[Violation]:
    """No vLLM server has options that are reported to spoil answers together. Advisory, as a release may mend it.

    What is only known at run time, or a model that the catalogue does not know, meets no conflict: the other rules
    say so.
    """
    return _violations(graph, "wrong-answers")


def _violations(graph: Graph, effect: Literal["stops-at-start", "wrong-answers"]) -> list[Violation]:
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} {_message(server, conflict)}",
            change=_changes(server, conflict),
        )
        for server in servers(graph)
        for conflict in met(server)
        if conflict.effect == effect
    ]


def met(server: Server) -> Iterator[Conflict]:
    """Yield the conflicts that a server meets."""
    known = model_of(server)
    if known is not None:
        yield from conflicts_met(load_catalog().conflicts, known.model, server.release, reader_of(server))


def reader_of(server: Server) -> Callable[[str], Any]:
    """Return what reads a field of a server, however its speculation is written."""

    def read(field: str) -> Any:
        value = server.parsed.read(field)
        return _written_apart(server) if field == "speculative_config" and value is None else value

    return read


def _written_apart(server: Server) -> Any:
    """Return the speculation of a server that writes it as `--spec-method` and the like."""
    (method,) = server.parsed.other.get("--spec-method", (None,))
    return None if method is None else {"method": method}


def _message(server: Server, conflict: Conflict) -> str:
    met = " and ".join(_state(server, side) for side in conflict.sides)
    met += "" if server.release is not None else f", judged by vLLM {server.judged}"
    return f"has {met}: {conflict.symptom} ({conflict.told_by}); {conflict.advice}."


def _changes(server: Server, conflict: Conflict) -> str:
    changes = " or ".join(_change(server, side.option) for side in conflict.sides)
    return f"Change one of them: {changes}." if len(conflict.sides) > 1 else f"Change {changes}."


def _change(server: Server, option: str) -> str:
    """Return where to change an option: the stack's key, where a setting says it."""
    entry = load_catalog().server_option(option)
    if entry is None or entry.setting is None:
        return f"the argument {option}"
    return server.change(str(field_of(option)), entry.setting)


def _state(server: Server, side: Side) -> str:
    value = server.parsed.read(str(field_of(side.option)))
    if side.switch is not None:
        how = "" if value not in (None, UNREADABLE) else ", by default"
        return f"{side.option} {'on' if side.switch else 'off'}{how}"
    return f"{side.option} {side.method}" if side.method is not None else f"{side.option} {value}"
