"""`onprem-agents explain STACK`: where one GPU's memory goes, which limit bites, and what would help."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from onprem_agents.catalog import load_catalog
from onprem_agents.cli.agents_view import agents_line
from onprem_agents.cli.fit import fit_values
from onprem_agents.cli.fit_changes import headline
from onprem_agents.cli.memory_view import account, bar
from onprem_agents.cli.options import json_option, stack_argument, stacks_option
from onprem_agents.cli.report_text import count
from onprem_agents.errors import Problem
from onprem_agents.plan import RoleDecision, pools_of, servers_of
from onprem_agents.plan.agents_served import agents_of
from onprem_agents.plan.agents_used import agents_used
from onprem_agents.plan.choice import Choice
from onprem_agents.plan.limit import limit_of
from onprem_agents.stack.settings import Platform
from onprem_agents.stack.settings_reader import parse_platform
from onprem_agents.stack.stack_file import read_stack_file

_SHOWN_CHANGES = 3


@click.command()
@stack_argument
@stacks_option
@json_option
def explain(stack: str, folder: Path, as_json: bool) -> None:
    """Show each model's memory on one GPU, the limit that bites and the cheapest change that would make it fit.

    Works for stacks that do not fit as well.
    """
    file = read_stack_file(folder, stack)
    settings = parse_platform(file.platform, file.path.name)
    catalog = load_catalog()
    pools = pools_of(settings, catalog)
    roles = [_role(settings, decision) for decision in servers_of(settings, pools, catalog).role_decisions()]
    if as_json:
        click.echo(json.dumps({"stack": stack, "models": roles}, indent=2))
        return
    console = Console(highlight=False)
    nodes = (f"{pool.nodes} × {pool.gpus_per_node} {pool.accelerator.name}" for pool in pools)
    console.print(f"[bold]Stack {stack}[/]: {', '.join(nodes)}")
    for role in roles:
        _print(role, console)


def _role(settings: Platform, decision: RoleDecision) -> dict[str, Any]:
    values: dict[str, Any] = {
        "role": decision.role.role,
        "replicas": decision.replicas,
        "problems": [dataclasses.asdict(problem) for problem in decision.problems],
        "notes": list(decision.notes),
    }
    nearest = decision.nearest
    if nearest is None:
        return values
    return values | {
        "fit": fit_values(nearest.request, nearest.fit),
        "limit": limit_of(nearest),
        "agents": _agents(settings, decision, nearest),
        "changes": [
            {
                "setting": headline(way.setting),
                "text": way.text,
                "contextTokens": way.choice.request.context_tokens,
                "sessions": way.choice.fit.sessions,
            }
            for way in decision.ways
        ],
    }


def _agents(settings: Platform, decision: RoleDecision, nearest: Choice) -> list[dict[str, Any]]:
    """Return each agent that developers use as that candidate would serve it."""
    served = agents_of(
        nearest.model,
        context_tokens=nearest.request.context_tokens,
        tool_calling=(decision.role.tool_call_parser or nearest.model.tool_call_parser) is not None,
        version=decision.vllm,
        translation=settings.translation,
    )
    return [each.as_json() for each in served if each.agent in agents_used(settings)]


def _print(role: dict[str, Any], console: Console) -> None:
    refused: Problem | None = None
    console.print(f"[bold]{role['role']}[/]", soft_wrap=True)
    if "fit" in role:
        fit = role["fit"]
        console.print(
            f"  {fit['model']} ({fit['precision']}) on {fit['gpus']} × {fit['gpu']}, "
            f"{fit['contextTokens']:,} tokens, KV cache {fit['kvCacheDtype']}: {fit['verdict'].replace('_', ' ')}",
            soft_wrap=True,
        )
        console.print(bar(fit["memory"]), soft_wrap=True)
        console.print(account(role["role"], fit["memory"]))
        refused = _refused(role)
        limit = f"limit: {role['limit']}" if refused is None else f"{refused.where}: {refused.why}"
        console.print(f"  {limit}", soft_wrap=True, markup=False)
        console.print(f"  {agents_line(role['agents'])}", soft_wrap=True, markup=False)
        for change in role["changes"][:_SHOWN_CHANGES]:
            console.print(
                f"  it would fit: {change['text']} "
                f"({count(change['sessions'], 'session')} of {change['contextTokens']:,} tokens)",
                soft_wrap=True,
                markup=False,
            )
        if refused is not None and not role["changes"]:
            console.print(f"  {refused.fix}", soft_wrap=True, markup=False)
    for note in role["notes"]:
        console.print(f"  note: {note}", soft_wrap=True, markup=False)
    for problem in role["problems"]:
        if Problem(**problem) != refused:
            console.print(textwrap.indent(str(Problem(**problem)), "  "), soft_wrap=True, markup=False)


def _refused(role: dict[str, Any]) -> Problem | None:
    """Return the problem of not fitting, which the account, the limit and the changes tell already."""
    problems = (Problem(**problem) for problem in role["problems"])
    return next(
        (problem for problem in problems if problem.cause in ("does-not-fit", "does-not-split")), None
    )
