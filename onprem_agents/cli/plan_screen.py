"""A plan on one screen of a terminal: what developers get and what the reader should do, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from onprem_agents.cli.agents_view import agents_line
from onprem_agents.cli.cost_view import cost_lines
from onprem_agents.cli.memory_view import drawn, legend
from onprem_agents.cli.speed_view import first_tokens, pace
from onprem_agents.units import rough_time

COLUMNS = 80
_LABEL = 11


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
    for role in result["models"]:
        yield from _role(role)
    stack = result["stack"]
    yield from _row("more", f"plan {stack} --all; a page with plots: report {stack} --html")


def _role(role: dict[str, Any]) -> Iterator[Text]:
    memory, rollout, speed = role["memory"], role["rollout"], role["speed"]
    servers = (
        f"{_count(role['replicas'], 'replica')} on {_count(role['gpusPerReplica'], 'GPU')}"
        f"{' each' if role['replicas'] > 1 else ''}"
    )
    yield from _title(f"{role['role']}: {role['model']} ({role['precision']}), {servers}")
    yield from _row("holds", f"{role['sessions']} sessions at once of {role['contextTokens']:,} tokens each")
    if speed:
        yield from _row("speed", pace(speed))
        yield from _row("wait", first_tokens(speed))
    yield from _row("agents", agents_line(role["agents"]).removeprefix("agents "))
    if role["thinking"] is not None:
        yield from _row("thinking", role["thinking"]["said"])
    yield from _row(
        "parsers", f"tools {role['toolCallParser']}, reasoning {role['reasoningParser'] or 'none'}"
    )
    update = "with downtime" if rollout["downtime"] else "without downtime"
    yield from _row("load", f"{_loading(role['loading'])}; an update {update}")
    for label, line in (("memory", drawn(memory)), ("", legend(memory))):
        yield Text(f"  {label:<{_LABEL - 2}}").append(line)
    for note in role["notes"]:
        yield from _row("note:", note)


def _loading(loading: dict[str, Any]) -> str:
    seconds = loading["startSeconds"]
    if loading["keptIn"] is None:
        seconds += loading["downloadSeconds"]
    return f"about {rough_time(seconds)} of {rough_time(loading['budgetSeconds'])} that it may take"


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
