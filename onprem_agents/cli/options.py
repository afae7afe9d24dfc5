"""Arguments and options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from click.decorators import FC

_JSON = f"{__name__}.json"
stack_argument = click.argument("stack")
stacks_option = click.option(
    "--stacks",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("stacks"),
    show_default=True,
    help="Folder of the Pulumi.<stack>.yaml files.",
)


def root_option(told: str) -> Callable[[FC], FC]:
    """Return the option that names the root of a repository to write into; `told` is its help."""
    return click.option(
        "--into",
        "root",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        default=Path(),
        show_default=True,
        help=told,
    )


def wants_json(context: click.Context) -> bool:
    """Tell whether the command that ran was asked for JSON, so that its errors come as JSON too."""
    return bool(context.meta.get(_JSON))


def note_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    """Note whether a command is asked for JSON, and return it: the callback of its option."""
    context.meta[_JSON] = value
    return value


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=note_json,
    help="Print JSON instead of text; what is wrong with the input too.",
)
