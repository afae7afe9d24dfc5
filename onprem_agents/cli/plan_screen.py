"""A plan on one screen of a terminal: what developers get and what the reader should do, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from onprem_agents.cli.agents_view import agents_line
from onprem_agents.cli.cost_view import cost_lines
from onprem_agents.cli.load_view import load_brief
from onprem_agents.cli.memory_view import drawn, legend
from onprem_agents.cli.speed_view import brief_pace, first_tokens

COLUMNS = 80
_LABEL = 11
_SMALL_BAR = 12


def screen(result: dict[str, Any]) -> Iterator[Text]:
    """Yield the lines for the JSON values of a plan's report, none wider than 80 columns."""
    pools = "; ".join(
        f"{_count(pool['nodes'], 'node')} with {pool['gpusPerNode']} × {pool['accelerator']}, {pool['freeGpus']} of "
        f"{pool['gpus']} GPUs free"
        for pool in result["pools"]
    )
    yield from _title(f"Stack {result['stack']}: {_count(result['developers'], 'developer')} on {pools}")
    for line in result["site"]:
        yield from _row("site", line)
    if result["cost"]:
        for number, line in enumerate(cost_lines(result["cost"])):
            yield from _row("" if number else "cost", line)
    roles = result["models"]
    together = len(roles) > 1 and all(role["agents"] == roles[0]["agents"] for role in roles)
    for role in roles:
        yield from _role(role, beside=len(roles) > 1, agents=not together)
    stack = result["stack"]
    if together:
        yield from _row("agents", f"of each role: {_agents(roles[0])}")
    yield from _row("more", f"plan {stack} --all; a page with plots: report {stack} --html")


def _role(role: dict[str, Any], *, beside: bool, agents: bool) -> Iterator[Text]:
    """Yield a role's lines; `beside` others it draws its memory smaller, `agents` tells whether it names them."""
    memory, speed, thinking = role["memory"], role["speed"], role["thinking"]
    servers = (
        f"{_count(role['replicas'], 'replica')} on {_count(role['gpusPerReplica'], 'GPU')}"
        f"{' each' if role['replicas'] > 1 else ''}"
    )
    yield from _title(f"{role['role']}: {role['model']} ({role['precision']}), {servers}")
    update = "updates with downtime" if role["rollout"]["downtime"] else "updates without downtime"
    yield from _row(
        "holds", f"{role['sessions']} sessions at once of {role['contextTokens']:,} tokens each; {update}"
    )
    if speed:
        yield from _row("speed", brief_pace(speed))
        yield from _row("wait", first_tokens(speed))
    if agents:
        yield from _row("agents", _agents(role))
    parsers = f"tools {role['toolCallParser']}, reasoning {role['reasoningParser'] or 'none'}"
    yield from _row("parsers", parsers + (f"; thinking {thinking['said']}" if thinking is not None else ""))
    yield from _row("load", load_brief(role["loading"]))
    if beside:
        yield (
            Text(f"  {'memory':<{_LABEL - 2}}")
            .append(drawn(memory, _SMALL_BAR))
            .append(" ")
            .append(legend(memory))
        )
    else:
        for label, line in (("memory", drawn(memory)), ("", legend(memory))):
            yield Text(f"  {label:<{_LABEL - 2}}").append(line)
    if role["because"] is not None:
        yield from _row("asked", f"{role['asked']}; --all says why another is served")
    for note in role["notes"]:
        if role["because"] is None or not note.endswith(role["because"]):
            yield from _row("note:", note)


def _agents(role: dict[str, Any]) -> str:
    return agents_line(role["agents"]).removeprefix("agents ")


def _title(text: str) -> Iterator[Text]:
    for line in textwrap.wrap(text, COLUMNS, subsequent_indent="  ", break_on_hyphens=False):
        yield Text(line, style="bold")


def _row(label: str, text: str) -> Iterator[Text]:
    """Yield a labelled text, broken between words and indented behind its label."""
    lines = textwrap.wrap(text, COLUMNS - _LABEL, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield Text(f"  {label if number == 0 else '':<{_LABEL - 2}}{line}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
