"""arguments-reach-vllm: arguments beside a script that does not hand them on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onprem_agents.vllm import HOLE, load_release
from onprem_agents.vllm.options import Option, resolve
from onprem_agents.vllm.shell import script_of

from ..graph import Graph, Violation
from ..readers.commands import argv_of
from ..serving import Server, servers

# What a script calls its arguments by.
_REFERENCE = re.compile(r"\$\{?[@*#1-9]|\bshift\b|\bgetopts\b")

# Two dashes and as many letters as the shortest option has, as any beginning of an option stands for it.
_SHORTEST = len("--dtype") - 2


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Options that stand behind a script: `all_of_them`, or but the first word, which the script gets as its name."""

    options: tuple[str, ...]
    all_of_them: bool


def arguments_reach_vllm(graph: Graph) -> list[Violation]:
    """No vLLM server has options of vLLM beside a script that drops them.

    `sh -c SCRIPT a b c` runs the script with a as its $0 and b c as its "$@". Mandatory, as each option is lost on
    every cluster. Words that are only known at run time may be anything, and a script that is only known then may
    hand them on.
    """
    return [
        Violation(
            resource=server.resource, message=f"{server.resource} {_message(lost)}", change=_change(lost)
        )
        for server in servers(graph)
        for lost in lost_options(server)
    ]


def lost_options(server: Server) -> Iterator[Lost]:
    """Yield, once, the options of vLLM that the script of a server drops."""
    argv = argv_of(server.container)
    script = script_of(argv)
    if script is None or not server.parsed.command or HOLE in script[0]:
        return
    behind = argv[argv.index(script[0]) + 1 :]
    options = tuple(_options(server, behind))
    if _REFERENCE.search(script[0]) is None:
        if options and "vllm" in script[0]:
            yield Lost(options=options, all_of_them=True)
    elif "$0" not in script[0] and "${0" not in script[0]:
        for option in _options(server, behind[:1]):
            yield Lost(options=(option,), all_of_them=False)


def _options(server: Server, words: Sequence[str]) -> Iterator[str]:
    facts = load_release(server.parsed.judged_by)
    for word in words:
        name = word.partition("=")[0].partition(".")[0]
        if name.startswith("--") and len(name) >= _SHORTEST and isinstance(resolve(name, facts), Option):
            yield word.partition("=")[0]


def _message(lost: Lost) -> str:
    listed = ", ".join(lost.options)
    if lost.all_of_them:
        return f"has {listed} beside a script that does not pass its arguments on: vLLM never sees them."
    return f"has {listed} in the place of its script's name ($0): vLLM gets what stands behind, and not that."


def _change(lost: Lost) -> str:
    if lost.all_of_them:
        return 'End the line that starts vLLM with "$@" and let the arguments begin with --, or write them into it.'
    return "Let the arguments begin with a word for the name, such as --."
