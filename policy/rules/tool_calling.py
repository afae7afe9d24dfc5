"""tool-calling-is-on: without it an agent can chat, but neither edit files nor run commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onprem_agents.vllm import UNREADABLE, known_releases, load_release, unknown_value_hint

from ..graph import Graph, Violation
from ..serving import Server, servers_for_agents

# What may stand out of sight.
_OPEN = "open"


def tool_calling_is_on(graph: Graph) -> list[Violation]:
    """Every vLLM server for agents has `--enable-auto-tool-choice` and a parser that its release knows.

    Needs literals: a switch or parser that is only known at run time is a violation, and so is a server whose
    arguments can't be followed (a variable, a config file, a script). What a runtime outside the program may bring
    is left to the advisory serving-can-be-checked. A parser name is taken on trust when `--tool-parser-plugin`
    brings it. A release without facts is judged by the nearest older one; where nothing tells the release, a parser
    counts that any release knows.
    """
    return [
        Violation(resource=server.resource, message=f"{server.resource} {message}", change=change)
        for server in servers_for_agents(graph)
        for message, change in _messages(server)
    ]


def _messages(server: Server) -> Iterator[tuple[str, str]]:
    """Yield what is there and why it fails, without the server's name; and what to change."""
    switch, parser = _read(server, "enable_auto_tool_choice"), _read(server, "tool_call_parser")
    fix = server.change("tool_call_parser", "toolCallParser")
    if UNREADABLE in (switch, parser):
        yield (
            (
                "starts vLLM with arguments that can't be read before it runs, so nothing proves that tool"
                " calling is on."
            ),
            f"Write --enable-auto-tool-choice and --tool-call-parser out as plain values: {fix}.",
        )
    elif not switch and switch != _OPEN:
        yield (
            (
                "starts vLLM without --enable-auto-tool-choice: agents can chat but neither edit files nor run"
                " commands."
            ),
            f"Add --enable-auto-tool-choice and a parser; a stack sets both with {fix}.",
        )
    elif not parser:
        yield (
            "has --enable-auto-tool-choice but no --tool-call-parser: vLLM stops at start with a TypeError.",
            f"Set {fix}.",
        )
    elif parser != _OPEN and not server.parsed.flags.tool_parser_plugin:
        facts = load_release(server.parsed.judged_by)
        if parser not in facts.tool_parsers and not _known_to_another(server, parser):
            hint = unknown_value_hint(str(parser), facts.release, lambda release: release.tool_parsers)
            yield (
                f"sets --tool-call-parser {parser}, which vLLM {server.judged} does not have, so it stops at start.",
                f"Change {fix}: {hint}{'' if hint.endswith('?') else '.'}",
            )


def _read(server: Server, field: str) -> Any:
    return _OPEN if server.left_open(field) else server.parsed.read(field)


def _known_to_another(server: Server, parser: str) -> bool:
    """Whether some release knows a parser, where nothing tells which release is in the image."""
    return server.release is None and any(
        parser in load_release(release).tool_parsers for release in known_releases()
    )
