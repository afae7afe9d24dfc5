"""`onprem plan STACK`: what fits where, before anything is built or applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from onprem.cli.options import json_option, stack_argument, stacks_option
from onprem.report import report
from onprem.stack_file import plan_stack_file

_BAR_CELLS = 48
# Colours of the terms of the memory account; the terms not named here are the runtime's.
_WEIGHTS, _RUNTIME, _CACHE, _FREE = "blue", "yellow", "green", "bright_black"
_STYLES = {"weights": _WEIGHTS, "KV cache": _CACHE, "headroom": _FREE, "outside the budget": _FREE}


@click.command()
@stack_argument
@stacks_option
@json_option
@click.option("--explain", is_flag=True, help="Show each term of the memory account.")
def plan(stack: str, folder: Path, as_json: bool, explain: bool) -> None:
    """Show what a stack's settings lead to: models, GPUs, context, sessions, parsers, memory."""
    result = report(plan_stack_file(folder, stack))
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        print_report(result, Console(highlight=False), explain=explain)


def print_report(result: dict[str, Any], console: Console, *, explain: bool = False) -> None:
    """Print the sizing report: a few lines and a bar of GPU memory for each role."""
    pool = result["pool"]
    console.print(
        f"[bold]Stack {result['stack']}[/]: {_count(pool['nodes'], 'node')} with {pool['gpusPerNode']} × "
        f"{pool['accelerator']}, {pool['freeGpus']} of {pool['gpus']} GPUs free; "
        f"{_count(result['developers'], 'developer')}, {result['sessions']} full-context sessions",
        soft_wrap=True,
    )
    for role in result["models"]:
        for line in _role_lines(role):
            console.print(line, soft_wrap=True)
        console.print(_bar(role["memory"]), soft_wrap=True)
        if explain:
            console.print(_account(role))


def _role_lines(role: dict[str, Any]) -> list[str]:
    memory = role["memory"]
    downtime = ", with downtime" if role["rollout"]["downtime"] else ""
    return [
        (
            f"  [bold]{role['role']}[/]: {role['model']} ({role['precision']}), "
            f"{_count(role['replicas'], 'replica')} on {_count(role['gpusPerReplica'], 'GPU')} each"
        ),
        (
            f"    context {role['contextTokens']:,} tokens, {role['sessions']} sessions at once "
            f"(KV cache {memory['kvPoolGib']:.1f} GiB in {role['kvCacheDtype']}, "
            f"{memory['kvPerSessionGib']:.2f} a session)"
        ),
        (
            f"    tool parser {role['toolCallParser']}, reasoning parser {role['reasoningParser'] or 'none'}, "
            f"chat template {role['chatTemplate'] or 'of the model'}"
        ),
        f"    rollout {role['rollout']['kind']}{downtime}: {role['rollout']['reason']}",
    ]


def _bar(memory: dict[str, Any]) -> Text:
    """Draw one GPU's memory: weights, runtime, KV cache, and what stays free."""
    total = memory["gpuTotalGib"]
    shares = dict.fromkeys((_WEIGHTS, _RUNTIME, _CACHE, _FREE), 0.0)
    for term in memory["terms"]:
        shares[_STYLES.get(term["name"], _RUNTIME)] += term["gib"]
    bar = Text("    ")
    drawn, filled_gib = 0, 0.0
    for style in (_WEIGHTS, _RUNTIME, _CACHE):
        filled_gib += shares[style]
        upto = min(_BAR_CELLS, round(filled_gib / total * _BAR_CELLS))
        bar.append("█" * (upto - drawn), style=style)
        drawn = upto
    bar.append("░" * (_BAR_CELLS - drawn), style=_FREE)
    bar.append(f" {total:.1f} GiB: ")
    bar.append(f"weights {shares[_WEIGHTS]:.1f}", style=_WEIGHTS)
    bar.append(f", runtime {shares[_RUNTIME]:.1f}", style=_RUNTIME)
    bar.append(f", KV {shares[_CACHE]:.1f}", style=_CACHE)
    bar.append(f", free {shares[_FREE]:.1f}", style=_FREE)
    return bar


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _account(role: dict[str, Any]) -> Table:
    table = Table(title=f"{role['role']}: memory of one GPU, GiB", show_edge=False, title_justify="left")
    table.add_column("term")
    table.add_column("GiB", justify="right")
    table.add_column("why", overflow="fold")
    memory = role["memory"]
    for term in memory["terms"]:
        table.add_row(term["name"], f"{term['gib']:.2f}", term["explanation"])
    table.add_row("total", f"{memory['gpuTotalGib']:.2f}", "as the driver reports it", style="bold")
    return table
