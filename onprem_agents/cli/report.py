"""`onprem-agents report STACK`: what a platform gives its developers, for who pays for it and who runs it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from onprem_agents.cli.json_values import camel
from onprem_agents.cli.options import json_option, stack_argument, stacks_option
from onprem_agents.cli.output import Output
from onprem_agents.cli.pages.place import check_place, write_page
from onprem_agents.cli.pages.report import page
from onprem_agents.cli.plan import today
from onprem_agents.cli.policy_config import config_of
from onprem_agents.cli.report_checks import Checks, checks_of
from onprem_agents.cli.report_limits import limits
from onprem_agents.cli.report_text import lines
from onprem_agents.cli.report_values import StackValues, values_of
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.stack_file import stack_path

REPORT_VERSION = 1


@click.command("report")
@stack_argument
@stacks_option
@click.option(
    "--html",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Write the report with plots as one page.  [default: report-STACK.html]",
)
@json_option
def report_command(stack: str, folder: Path, html: str | None, as_json: bool) -> None:
    """Tell what a stack gives its developers, what it cannot do, and what that follows from.

    The page loads nothing from elsewhere and can be printed: it begins with a summary, the details come after it.
    """
    plan = plan_stack_file(folder, stack)
    place = None if html is None else Path(html or f"report-{stack}.html")
    check_place(place)
    values, checks = values_of(plan), checks_of(plan, config_of(stack_path(folder, stack)))
    if place is not None:
        write_page(place, page(values, checks, today()))
    if as_json:
        click.echo(json.dumps(json_values(values, checks), indent=2))
    elif place is not None:
        click.echo(f"Report: {place}")
    else:
        output = Output()
        for line in lines(values, checks):
            output.print(line, soft_wrap=True, markup=False)


def json_values(values: StackValues, checks: Checks) -> dict[str, Any]:
    """Return the report as JSON values; GiB a GPU, tokens and seconds as the keys say."""
    told = {"version": REPORT_VERSION, **asdict(values), "limits": limits(values), **asdict(checks)}
    values_told: dict[str, Any] = camel(told)
    return values_told
