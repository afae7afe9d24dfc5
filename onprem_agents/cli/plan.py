"""`onprem-agents plan STACK`: what fits where, before anything is built or applied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from onprem_agents.agents import AGENTS
from onprem_agents.catalog import load_catalog
from onprem_agents.catalog.agent_check import summary
from onprem_agents.cli.agents_view import agents_line
from onprem_agents.cli.asked_policies import REFUSED, ask_policies
from onprem_agents.cli.cost_view import cost_lines
from onprem_agents.cli.load_view import load_line
from onprem_agents.cli.memory_view import account, bar
from onprem_agents.cli.options import json_option, stack_argument, stacks_option
from onprem_agents.cli.output import Output
from onprem_agents.cli.plan_screen import screen
from onprem_agents.cli.policy_config import policy_config_option
from onprem_agents.cli.speed_view import speed_line
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from onprem_agents.plan.report import report
from onprem_agents.sizing.shown import gib
from onprem_agents.stack.stack_file import stack_path


@click.command()
@stack_argument
@stacks_option
@json_option
@policy_config_option
@click.option("--all", "whole", is_flag=True, help="Show everything that was decided, not one screen of it.")
@click.option("--explain", is_flag=True, help="Show everything, with each term of the memory account.")
@click.option("--images", is_flag=True, help="Show every image instead: its name, and what pods name it by.")
@click.pass_context
def plan(
    context: click.Context,
    stack: str,
    folder: Path,
    policy_config: Path | None,
    as_json: bool,
    whole: bool,
    explain: bool,
    images: bool,
) -> None:
    """Show what a stack's settings lead to: models, GPUs, context, sessions, parsers, memory.

    What the policies find stands below; where they refuse the stack, the exit code is 1. With --images, each line has
    what a mirror copies and where pods look for it, and no policy is asked.
    """
    planned = plan_stack_file(folder, stack)
    result = report(planned)
    if images:
        _print_images(result["images"], as_json=as_json)
        return
    asked = ask_policies(render(planned), stack_path(folder, stack), policy_config)
    if as_json:
        click.echo(json.dumps(result | {"findings": asked.as_json}, indent=2))
    elif whole or explain:
        print_report(result, Output(), explain=explain)
        checked = summary(load_catalog().agent_checks, today(), [agent.name for agent in AGENTS])
        Output().print(checked, soft_wrap=True, markup=False)
    else:
        print_screen(result, Output())
    for told in () if as_json else asked.blocks():
        Output().print(f"\n{told}", soft_wrap=True, markup=False)
    context.exit(REFUSED if asked.refusals else 0)


def _print_images(images: Sequence[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(images, indent=2))
        return
    for image in images:
        click.echo(f"{image['name']} {image['reference']}")


def today() -> date:
    """Return the day that ages are counted from."""
    return datetime.now(tz=UTC).date()


def print_screen(result: dict[str, Any], console: Console) -> None:
    """Print what fits one screen of a terminal, of one model at least."""
    for line in screen(result):
        console.print(line, soft_wrap=True)


def print_report(result: dict[str, Any], console: Console, *, explain: bool = False) -> None:
    """Print the sizing report: a few lines and a bar of GPU memory for each role."""
    pools = (
        f"{_count(pool['nodes'], 'node')} with {pool['gpusPerNode']} × {pool['accelerator']}, {pool['freeGpus']} of "
        f"{pool['gpus']} GPUs free"
        for pool in result["pools"]
    )
    console.print(
        f"[bold]Stack {result['stack']}[/]: {'; '.join(pools)}; "
        f"{_count(result['developers'], 'developer')}, {result['sessions']} full-context sessions",
        soft_wrap=True,
    )
    for line in result["site"]:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    if result["cost"]:
        for number, line in enumerate(cost_lines(result["cost"])):
            console.print(f"  {'     ' if number else 'cost '}{line}", soft_wrap=True, markup=False)
    for role in result["models"]:
        for line in _role_lines(role):
            console.print(line, soft_wrap=True)
        console.print(bar(role["memory"], console.width), soft_wrap=True)
        if explain:
            console.print(account(role["role"], role["memory"]))
            for remark in role["remarks"]:
                console.print(f"    {remark}", soft_wrap=True, markup=False)


def _role_lines(role: dict[str, Any]) -> list[str]:
    memory, rollout = role["memory"], role["rollout"]
    downtime = ", with downtime" if rollout["downtime"] else ""
    return [
        (
            f"  [bold]{role['role']}[/]: {role['model']} ({role['precision']}), "
            f"{_count(role['replicas'], 'replica')} on {_count(role['gpusPerReplica'], 'GPU')} each"
        ),
        (
            f"    context {role['contextTokens']:,} tokens, {role['sessions']} sessions at once "
            f"(KV cache {gib(memory['kvPoolGib'])} GiB in {role['kvCacheDtype']}, "
            f"{memory['kvPerSessionGib']:.2f} a session)"
            + (f"; {speed_line(role['speed'], loads=False)}" if role["speed"] else "")
        ),
        (
            f"    tool parser {role['toolCallParser']}, reasoning parser {role['reasoningParser'] or 'none'}, "
            f"chat template {role['chatTemplate'] or 'of the model'}; {agents_line(role['agents'])}"
        ),
        *_behaviour(role),
        f"    {load_line(role['loading'])}; {_start(role['loading'])}",
        f"    rollout {rollout['kind']}{downtime}: {rollout['reason']}; {rollout['onModeChange']}",
        *(f"    note: {note}" for note in role["notes"]),
    ]


def _behaviour(role: dict[str, Any]) -> Iterator[str]:
    """Yield how the model thinks and samples where a request says nothing."""
    thinking, sampling = role["thinking"], role["sampling"]
    if thinking is not None:
        yield f"    thinking: {thinking['said']}, because {thinking['because']}"
    if sampling["values"]:
        values = ", ".join(f"{name} {value:g}" for name, value in sampling["values"].items())
        yield f"    sampling: {values}, because {sampling['because'] or 'the stack says so'}"


def _start(loading: dict[str, Any]) -> str:
    return f"sized for a {loading['start']} start, because {loading['startBecause']}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
