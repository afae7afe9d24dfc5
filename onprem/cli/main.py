"""The command group: subcommands, and errors as sentences instead of tracebacks."""

from __future__ import annotations

import sys
from typing import Any

import click

from onprem import __version__
from onprem.cli.catalog import catalog
from onprem.cli.doctor import doctor
from onprem.cli.keys import keys
from onprem.cli.plan import plan
from onprem.cli.preflight import preflight
from onprem.cli.render import render
from onprem.cli.schema import schema
from onprem.cli.setup import setup
from onprem.cli.smoke import smoke
from onprem.errors import OnpremError


class _Group(click.Group):
    """Prints the product's own errors to stderr and exits with 1; everything else is a bug and stays loud."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OnpremError as error:
            click.echo(str(error), err=True)
            sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="onprem")
def main() -> None:
    """Coding agents on models served on your own GPUs.

    Platform engineers: plan, render, preflight, keys, catalog, schema. Developers: setup,
    doctor, smoke.
    """


for _command in (plan, render, preflight, keys, catalog, schema, setup, doctor, smoke):
    main.add_command(_command)
