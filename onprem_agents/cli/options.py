"""Arguments and options that several subcommands share."""

from __future__ import annotations

from pathlib import Path

import click

stack_argument = click.argument("stack")
stacks_option = click.option(
    "--stacks",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("stacks"),
    show_default=True,
    help="Folder of the Pulumi.<stack>.yaml files.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
