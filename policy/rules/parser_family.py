"""parser-fits-the-model: a parser of another family leaves tool calls and thinking in the plain text."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Model
from onprem_agents.errors import nearest_hint
from onprem_agents.vllm import UNREADABLE, load_release, same_tool_parser

from ..graph import Graph, Violation
from ..known import model_of, only_known_at_run_time
from ..serving import Server, servers_for_agents

# What is there and why it fails, without the server's name; and what to change.
_Told = tuple[str, str]


def parser_fits_the_model(graph: Graph) -> list[Violation]:
    """Tool and reasoning parser are those of the model's family, as the catalogue names them.

    Names of one parser class count as equal. A missing or misspelt tool parser is left to tool-calling-is-on.
    A model that can think needs its reasoning parser, because a client can switch thinking on per request;
    where the catalogue names none for such a model, any that the release knows is accepted. Needs literals: a
    model or parser that is only known at run time is a violation. What a runtime outside the program may bring, and a
    model that the catalogue does not know, is left to the advisory serving-can-be-checked.
    """
    return [
        Violation(resource=server.resource, message=f"{server.resource} {message}", change=change)
        for server in servers_for_agents(graph)
        for message, change in _messages(server)
    ]


def _messages(server: Server) -> Iterator[_Told]:
    if only_known_at_run_time(server):
        yield (
            "serves a model that is only known at run time, so its parsers can't be checked.",
            f"Write the model as a plain value: {server.key('model')} (the model argument or storageUri).",
        )
        return
    known = model_of(server)
    if known is not None:
        yield from _tool_parser(server, known.model)
        yield from _reasoning_parser(server, known.model)


def _tool_parser(server: Server, model: Model) -> Iterator[_Told]:
    parser = server.parsed.read("tool_call_parser")
    if parser in (None, UNREADABLE) or server.parsed.flags.tool_parser_plugin:
        return
    misspelt = parser not in load_release(server.parsed.judged_by).tool_parsers
    if model.tool_call_parser is None or misspelt:
        return
    if not same_tool_parser(parser, model.tool_call_parser):
        yield (
            (
                f"serves {model.name} with --tool-call-parser {parser}, but that family writes its calls for"
                f" {model.tool_call_parser}: they would stay in the text and no tool would run."
            ),
            f"Set {server.change('tool_call_parser', 'toolCallParser')} to {model.tool_call_parser}.",
        )


def _reasoning_parser(server: Server, model: Model) -> Iterator[_Told]:
    if server.left_open("reasoning_parser"):
        return
    parser = server.parsed.read("reasoning_parser")
    fix = server.change("reasoning_parser", "reasoningParser")
    wanted = model.reasoning_parser
    if parser == UNREADABLE:
        yield (
            f"serves {model.name} with a reasoning parser that can't be read before it runs.",
            f"Write it out as a plain value: {fix}.",
        )
    elif parser and server.parsed.flags.reasoning_parser_plugin:
        return
    elif parser and parser not in (registered := load_release(server.parsed.judged_by).reasoning_parsers):
        yield (
            f"sets --reasoning-parser {parser}, which vLLM {server.judged} does not have, so it stops at start.",
            f"Change {fix}: {nearest_hint(parser, registered)}",
        )
    elif wanted and not parser:
        yield (
            (
                f"serves {model.name}, which can think, without --reasoning-parser: thoughts would reach agents"
                " as their answer, and Claude Code's thinking budget is refused with 400."
            ),
            f"Set {fix} to {wanted}.",
        )
    elif parser and not model.reasoning:
        yield (
            (
                f"serves {model.name}, which does not think, with --reasoning-parser {parser}: answers may be"
                " taken for thoughts and come back empty."
            ),
            f"Remove {fix}.",
        )
    elif parser and wanted and parser != wanted:
        yield (
            (
                f"serves {model.name} with --reasoning-parser {parser}, but that family marks its thoughts for"
                f" {wanted}: they would reach agents as their answer."
            ),
            f"Set {fix} to {wanted}.",
        )
