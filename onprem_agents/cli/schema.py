"""`onprem-agents schema`: the JSON Schema of the stack config, for editors."""

from __future__ import annotations

import json

import click

from onprem_agents.stack.schema import stack_file_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of a stack file; stacks/stack.schema.json is a copy of it."""
    click.echo(json.dumps(stack_file_schema(), indent=2))
