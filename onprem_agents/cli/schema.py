"""`onprem-agents schema`: the JSON Schema of the stack config, for editors."""

from __future__ import annotations

import json

import click

from onprem_agents.stack.schema import stack_file_schema
from onprem_agents.stack.settings_page import settings_page


@click.command()
@click.option(
    "--page", is_flag=True, help="Print the page of all settings instead; docs/settings.md is a copy."
)
def schema(page: bool) -> None:
    """Print the JSON Schema of a stack file; stacks/stack.schema.json is a copy of it."""
    click.echo(settings_page() if page else json.dumps(stack_file_schema(), indent=2) + "\n", nl=False)
