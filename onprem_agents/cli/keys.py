"""`onprem-agents keys`: the developers of a stack and their keys."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from onprem_agents.cli.options import json_option, stacks_option
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.stack import keys as stack_keys

_stack = click.option("--stack", required=True, help="The stack whose file is changed.")
_name = click.argument("name")
_key_file = click.option(
    "--key-file", type=click.Path(path_type=Path), help="Put the new key into this new file, mode 600."
)


@click.group()
def keys() -> None:
    """Give developers their keys, exchange them, take them away.

    Every command changes the stack file alone; 'pulumi up' makes it count. A new key is shown once, on a
    terminal, or put into a file: nobody can read it later.
    """


@keys.command()
@_name
@_stack
@stacks_option
@click.option("--team", help="The developer's team.")
@_key_file
def add(name: str, stack: str, folder: Path, team: str | None, key_file: Path | None) -> None:
    """Add a developer and make the first key."""
    _hand_over(key_file, lambda key: stack_keys.add(folder, stack, name, key, team=team))
    _next(f"{name} has a key", stack)


@keys.command()
@_name
@_stack
@stacks_option
@_key_file
@click.option("--finish", is_flag=True, help="End the exchange: the old key is no longer valid.")
def rotate(name: str, stack: str, folder: Path, key_file: Path | None, finish: bool) -> None:
    """Make a second key for a developer; both are valid until --finish."""
    if finish:
        stack_keys.finish(folder, stack, name)
        _next(f"{name}'s old key is gone", stack)
        return
    _hand_over(key_file, lambda key: stack_keys.rotate(folder, stack, name, key))
    _next(
        f"{name} has two keys; once the new one is in use: onprem-agents keys rotate {name} --finish", stack
    )


@keys.command()
@_name
@_stack
@stacks_option
def revoke(name: str, stack: str, folder: Path) -> None:
    """Remove a developer with all keys."""
    stack_keys.revoke(folder, stack, name)
    _next(f"{name} and all keys of {name} are gone", stack)


@keys.command("list")
@_stack
@stacks_option
@json_option
def list_(stack: str, folder: Path, as_json: bool) -> None:
    """List developers and how many keys each has; never a key."""
    found = stack_keys.holders(folder, stack)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(holder) for holder in found], indent=2))
        return
    for holder in found:
        team = f", team {holder.team}" if holder.team else ""
        hint = "" if holder.listed else ", not in platform.access.developers"
        if holder.keys == 0:
            hint = f", needs one: onprem-agents keys add {holder.name} --stack {stack}"
        click.echo(f"{holder.name}: {holder.keys} key{'' if holder.keys == 1 else 's'}{team}{hint}")


def _hand_over(key_file: Path | None, store: Callable[[str], None]) -> None:
    """Make a key, store it, and give it to whoever asked: on the terminal, or in a file that was not there."""
    if key_file is None and not sys.stdout.isatty():
        raise click.UsageError(
            "the key would end up in a pipe or log; run this on a terminal or add --key-file FILE"
        )
    key = stack_keys.new_key()
    if key_file is None:
        store(key)
        click.echo(f"The key, shown this once:\n\n  {key}\n")
        return
    try:
        handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{key}\n")
    except OSError as error:
        raise EnvironmentProblem(
            f"the key file {key_file} cannot be made: {error.strerror}; nothing was changed; name a new file"
        ) from error
    try:
        store(key)
    except BaseException:
        key_file.unlink(missing_ok=True)
        raise
    click.echo(f"The key is in {key_file}; hand it over and delete the file.")


def _next(what: str, stack: str) -> None:
    click.echo(f"{what}. It counts after: pulumi up --stack {stack}")
