"""`onprem plan STACK`: what fits where, before anything is built or applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from onprem.cli.options import json_option, stack_argument, stacks_option
from onprem.report import report
from onprem.stack_file import plan_stack_file


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
        print_report(result, Console(soft_wrap=True), explain=explain)


def print_report(result: dict[str, Any], console: Console, *, explain: bool = False) -> None:
    """Print the sizing report as tables."""
    pool = result["pool"]
    console.print(
        f"[bold]Stack {result['stack']}[/bold]: {pool['nodes']} × {pool['gpusPerNode']} {pool['accelerator']}, "
        f"{pool['freeGpus']} of {pool['gpus']} GPUs free · {result['developers']} developers · "
        f"{result['sessions']} full-context sessions"
    )
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title, justify in (
        ("role", "left"),
        ("model", "left"),
        ("replicas × GPUs", "right"),
        ("context", "right"),
        ("sessions", "right"),
        ("KV GiB (each)", "right"),
        ("tool / reasoning parser", "left"),
        ("rollout", "left"),
    ):
        table.add_column(title, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for role in result["models"]:
        memory = role["memory"]
        table.add_row(
            role["role"],
            f"{role['model']} ({role['precision']})",
            f"{role['replicas']} × {role['gpusPerReplica']}",
            f"{role['contextTokens']:,}",
            str(role["sessions"]),
            f"{memory['kvPoolGib']:.1f} ({memory['kvPerSessionGib']:.2f})",
            f"{role['toolCallParser']} / {role['reasoningParser'] or 'none'}",
            role["rollout"]["kind"] + (" (downtime)" if role["rollout"]["downtime"] else ""),
        )
    console.print(table)
    if explain:
        for role in result["models"]:
            console.print(_account(role))


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
