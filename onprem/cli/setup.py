"""`onprem setup --print [TARGET]`: the agents' configuration, from the contract to the terminal."""

from __future__ import annotations

import json
from typing import get_args

import click

from onprem.agents import AGENTS, AgentFile, obstacle, render
from onprem.agents.environment import Shell
from onprem.cli.contract_source import connection_option, read_contract
from onprem.cli.options import json_option
from onprem.connection import Connection, Target
from onprem.errors import InvalidInput, Problem

ALL = "all"


@click.command()
@click.argument("target", type=click.Choice([*get_args(Target), ALL]), default=ALL)
@click.option("--print", "printing", is_flag=True, help="Print the configuration; no file is written.")
@connection_option
@click.option("--stack", help="Take the contract from the outputs of this stack, with the pulumi command.")
@click.option("--shell", type=click.Choice(get_args(Shell)), default="bash", show_default=True)
@click.option("--ca-file", metavar="FILE", help="Where the CA file of a private issuer is on this machine.")
@json_option
def setup(
    target: str,
    printing: bool,
    connection: str | None,
    stack: str | None,
    shell: Shell,
    ca_file: str | None,
    as_json: bool,
) -> None:
    """Print the configuration of opencode, Codex CLI and Claude Code (all), or of one TARGET.

    ccr and litellm are translation proxies for Claude Code on one's own machine; all leaves them out. What is
    printed never holds a key.
    """
    if not printing:
        raise click.UsageError(
            "this release prints configuration and does not write it yet; add --print and copy each part"
            " into the file that is named above it"
        )
    if ca_file is not None and not ca_file.isprintable():
        problem = Problem(
            where="--ca-file",
            found=ascii(ca_file),
            why="control characters would break the shell's start file",
            fix="give a path of printable characters",
        )
        raise InvalidInput("setup", [problem])
    contract = read_contract(connection, stack)
    targets, skipped = _targets(contract, target)
    files = render(contract, *targets, shell=shell, ca_file=ca_file)
    if as_json:
        click.echo(json.dumps({"files": [_wire(file) for file in files], "skipped": skipped}, indent=2))
        return
    click.echo("\n".join(_text(file) for file in files), nl=False)
    for name, reason in skipped.items():
        click.echo(f"left out {name}: {reason}", err=True)


def _targets(contract: Connection, wanted: str) -> tuple[list[Target], dict[str, str]]:
    """Return what to render, and why the rest of "all" is left out; a target that was named always stays."""
    if wanted != ALL:
        return [name for name in get_args(Target) if name == wanted], {}
    skipped: dict[str, str] = {agent: reason for agent in AGENTS if (reason := obstacle(contract, agent))}
    return [agent for agent in AGENTS if agent not in skipped] or list(AGENTS), skipped


def _wire(file: AgentFile) -> dict[str, object]:
    return {"path": file.path_hint, "format": file.format, "content": file.content, "notes": list(file.notes)}


def _text(file: AgentFile) -> str:
    head = [f"belongs in {file.path_hint}", *file.notes]
    return "".join(f"# {line}\n" for line in head) + file.content
