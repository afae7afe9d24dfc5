"""`onprem-agents policies`: what the policies ask, and those that the API server can ask itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click
from rich.table import Table

from onprem_agents.cli.options import json_option, stacks_option
from onprem_agents.cli.output import Output
from onprem_agents.cli.policy_config import config_of, policy_config_option
from onprem_agents.cli.policy_pack import installed_rules
from onprem_agents.cli.render import yaml_of
from onprem_agents.errors import EnvironmentProblem, needs_platform
from onprem_agents.manifests import render
from onprem_agents.manifests.admission import (
    PREFIX,
    Admission,
    Mode,
    admission_policies,
    policies_with_twin,
    told_by,
)
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.stack_file import stack_path


@click.command()
@click.option(
    "--admission", is_flag=True, help="Print instead what makes the API server ask them, for kubectl apply."
)
@click.option(
    "--stack", metavar="STACK", help="With --admission: for the namespace of a stack, with what it tells."
)
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="With --admission: for this one, without a stack.",
)
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="enforce",
    show_default=True,
    help="With --admission: deny what is mandatory and warn of the rest, or warn of all.",
)
@stacks_option
@policy_config_option
@json_option
def policies(
    admission: bool,
    stack: str | None,
    namespaces: tuple[str, ...],
    mode: Mode,
    folder: Path,
    policy_config: Path | None,
    as_json: bool,
) -> None:
    """List the policies: name, pack, level, and whether the API server can ask them itself.

    With --admission, the latter are printed as ValidatingAdmissionPolicies, for those who use kubectl:

    \b
        onprem-agents policies --admission --stack team | kubectl apply -f -
    """
    path = None if stack is None else stack_path(folder, stack)
    config = policy_config if path is None else config_of(path, policy_config)
    if not admission:
        if stack or namespaces:
            raise click.UsageError("--stack and --namespace say where --admission holds: add it.")
        _show(_rows(config), as_json=as_json)
        return
    if stack is not None and namespaces:
        raise click.UsageError(
            "what --stack tells holds in its own namespace: run the command again for --namespace."
        )
    if stack is None and not namespaces:
        raise click.UsageError(
            "--admission holds in the namespaces that are named: add --stack STACK or --namespace NAME."
        )
    documents = _documents(_rows(config), stack, folder, namespaces, mode)
    if as_json:
        click.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}, indent=2))
    else:
        click.echo(yaml_of(documents), nl=False)


def _rows(config: Path | None) -> list[dict[str, Any]]:
    """Return the policies, each at the level that a configuration gives it; its settings as that tells them."""
    rules = installed_rules()
    if rules is None:
        raise EnvironmentProblem(needs_platform("the policies", "onprem_agents_policy"))
    configuration, twins = rules.configuration(config), policies_with_twin()
    return [
        {
            "name": each.name,
            "pack": each.pack,
            "level": each.level if configuration is None else configuration.said_of(each),
            "description": each.description,
            "admission": each.name in twins,
            "configured": {} if configuration is None else dict(configuration.settings_of(each)),
        }
        for each in rules.policies
    ]


def _documents(
    rows: Sequence[dict[str, Any]], stack: str | None, folder: Path, namespaces: tuple[str, ...], mode: Mode
) -> list[dict[str, Any]]:
    told: dict[str, Any] = {}
    if stack is not None:
        plan = plan_stack_file(folder, stack)
        namespaces = (plan.namespace,)
        told = told_by(render(plan), longest_turn_seconds=plan.settings.timeouts.longest_turn_seconds)
    return admission_policies(
        Admission(
            prefix="-".join((PREFIX, *namespaces)),
            namespaces=namespaces,
            mode=mode,
            levels={row["name"]: row["level"] for row in rows},
            configured={row["name"]: row["configured"] for row in rows},
            told=told,
        )
    )


def _show(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=str))
        return
    table = Table("policy", "pack", "level", "API server", "what holds", show_edge=False)
    for row in rows:
        asked = "asks it too" if row["admission"] else "–"
        table.add_row(row["name"], row["pack"], row["level"], asked, row["description"])
    Output().print(table)
