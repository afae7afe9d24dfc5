"""`onprem-agents setup [TARGET]`: the agents' own configuration written, printed, or taken back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import assert_never, get_args

import click

from onprem_agents.agents import (
    AGENTS,
    CLIENTS,
    PROXIES,
    TARGETS,
    Agent,
    Client,
    Proxy,
    Target,
    obstacle,
    target_named,
    unused,
)
from onprem_agents.agents.chosen import ChosenRoles
from onprem_agents.agents.machine import Machine, Scope
from onprem_agents.cli.contract_source import ca_file_option, connection_option, host_option, read_contract
from onprem_agents.cli.key_source import KeySource
from onprem_agents.cli.options import json_option
from onprem_agents.cli.setup_view import agreed, tell, tell_left_out
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.probes.discovery import checked_proxy, trusting
from onprem_agents.setup import installed, journal, key_store, role_choice
from onprem_agents.setup.certificates import kept
from onprem_agents.setup.key_store import Kind
from onprem_agents.setup.prepare import choose, prepare, useless_in
from onprem_agents.setup.printed import PrintedFile, printed
from onprem_agents.setup.shell import Shell, start_line
from onprem_agents.setup.start_files import start_file

ALL = "all"
_TITLES = [agent.title for agent in AGENTS]
_HELP = f"""Configure {", ".join(_TITLES[:-1])} and {_TITLES[-1]} (all), or one TARGET, for the platform.

Your settings stay: ours are merged in, the difference is shown first, and --undo takes it back. The key
goes into ~/.config/onprem/key (mode 600) and nowhere else; it comes from --key-file, --key-command, the
variable that the contract names, that file, or a prompt.

{" and ".join(proxy.name for proxy in PROXIES)} are translation proxies on one's own machine,
{", ".join(client.name for client in CLIENTS)} other clients and editors: they can only be printed.
"""


@click.command(help=_HELP)
@click.argument("target", type=click.Choice([*(target.name for target in TARGETS), ALL]), default=ALL)
@host_option
@connection_option
@click.option("--stack", help="Take the contract from the outputs of this stack: for those who deploy it.")
@click.option(
    "--scope",
    type=click.Choice(get_args(Scope)),
    default="user",
    show_default=True,
    help="user: your own files; project: those of this folder; managed: those below /etc, as root, which no"
    " repository can override.",
)
@ca_file_option
@click.option("--key-file", type=click.Path(path_type=Path), help="File that holds your key.")
@click.option(
    "--key-command",
    metavar="COMMAND",
    help="Command that prints your key; run once, without a shell, or by the agents: --key-store command.",
)
@click.option(
    "--key-store",
    "store_kind",
    type=click.Choice(get_args(Kind)),
    help="Where the key lies: a file of yours (the default), the system's keyring, or behind --key-command.",
)
@click.option("--no-check", is_flag=True, help="Store a new key without trying it at the gateway (offline).")
@click.option(
    "--proxy",
    metavar="URL",
    help="Proxy that the gateway is reached by, if not directly; NO_PROXY then stays as it is.",
)
@click.option("--shell", type=click.Choice(get_args(Shell)), help="Default: that of $SHELL, else bash.")
@click.option("--no-shell", is_flag=True, help="Leave the shell's start file alone.")
@click.option("--print", "printing", is_flag=True, help="Print the configuration; no file is written.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; no file is.")
@click.option("--undo", is_flag=True, help="Put back what the last run changed; what came later stays.")
@click.option("--force", is_flag=True, help="With --undo: whole files, also what came later.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path("/"), help="Folder to take for / (images)."
)
@json_option
def setup(  # noqa: PLR0913, PLR0917 - one parameter for each option
    target: str,
    host: str | None,
    connection: str | None,
    stack: str | None,
    scope: Scope,
    ca_file: Path | None,
    key_file: Path | None,
    key_command: str | None,
    store_kind: Kind | None,
    no_check: bool,
    proxy: str | None,
    shell: Shell | None,
    no_shell: bool,
    printing: bool,
    dry_run: bool,
    undo: bool,
    force: bool,
    yes: bool,
    root: Path,
    as_json: bool,
) -> None:
    machine = Machine(home=Path.home(), project=Path.cwd(), root=root, variables=dict(os.environ))
    if undo:
        _undo(machine, force=force, as_json=as_json)
        return
    _check_ca(ca_file)
    _check_key_options(key_file, key_command, store_kind)
    proxy = checked_proxy(proxy) if proxy is not None else None
    if not printing:
        ca_file = ca_file or kept(machine, scope)
        trusting(ca_file)
    contract = read_contract(
        connection, stack, host, ca_file, last=None if printing else machine, proxy=proxy
    )
    shell = shell or _login_shell(machine)
    if printing:
        _print(contract, target, shell, str(ca_file) if ca_file else None, as_json=as_json)
        return
    named = _agent(target)
    found = installed.find_all(AGENTS if named is None else (named,), machine.variables)
    if named is not None and (reason := useless_in(scope, named)):
        raise click.UsageError(reason)
    chosen = role_choice.kept(machine) if scope == "user" else ChosenRoles()
    roles, gone = chosen.usable(contract)
    agents, left_out = choose(contract, named, found, scope, roles)
    if not agents:
        raise InvalidInput("setup", [_nothing(left_out)])
    present = key_store.kept(machine)
    store = key_store.chosen(store_kind, contract.host, key_command) if store_kind else present
    source = KeySource(
        key_file=key_file,
        key_command=key_command,
        check=not no_check and not dry_run,
        ca_file=ca_file,
        proxy=proxy,
    )
    key, note = source.key(contract, machine, present) if scope == "user" else (None, "")
    prepared = prepare(
        contract,
        [item for item in found if item.agent in agents],
        machine,
        scope,
        key=key,
        ca_file=ca_file,
        shell=None if no_shell else shell,
        store=store,
        through_proxy=proxy is not None,
        roles=roles,
    )
    prepared = replace(prepared, notes=(*filter(None, [note]), *gone, *prepared.notes))
    if agreed(prepared, left_out, dry_run=dry_run, yes=yes, as_json=as_json):
        if key is not None and scope == "user":
            store.put(key)
        journal.apply(prepared.changes, machine.history)
        if key is not None and store != present:
            present.forget()
        written = True
    else:
        written = False
    tell(prepared, left_out, written=written, dry_run=dry_run, as_json=as_json)
    if not as_json:
        by_hand = scope == "user" and not no_shell and not dry_run and start_file(shell, machine) is None
        last = [f"Add this line to your shell's start file: {start_line(shell)}"] if by_hand else []
        click.echo("".join(f"{line}\n" for line in (*last, *contract.support_lines)), nl=False)


def _undo(machine: Machine, *, force: bool, as_json: bool) -> None:
    record = journal.latest(machine.history)
    paths = journal.undo(record, force=force) if record is not None else ()
    if as_json:
        click.echo(json.dumps({"restored": [str(path) for path in paths]}, indent=2))
    elif paths:
        click.echo("".join(f"restored {path}\n" for path in paths), nl=False)
    else:
        click.echo("There is nothing to undo.")


def _login_shell(machine: Machine) -> Shell:
    name = Path(machine.variables.get("SHELL", "bash")).name
    return next((shell for shell in get_args(Shell) if shell == name), "bash")


def _check_ca(ca_file: Path | None) -> None:
    if ca_file is not None and not str(ca_file).isprintable():
        problem = Problem(
            where="--ca-file",
            cause="bad-value",
            found=ascii(str(ca_file)),
            why="control characters would break the shell's start file",
            fix="give a path of printable characters",
        )
        raise InvalidInput("setup", [problem])


def _check_key_options(key_file: Path | None, key_command: str | None, store_kind: Kind | None) -> None:
    if key_file is not None and key_command is not None:
        raise click.UsageError("give --key-file or --key-command, not both")
    if store_kind == "command" and key_command is None:
        raise click.UsageError("--key-store command needs --key-command, which the agents then run")


def _nothing(left_out: dict[str, str]) -> Problem:
    return Problem(
        where="setup all",
        cause="not-supported",
        found="no agent to set up",
        why="; ".join(f"{name}: {reason}" for name, reason in left_out.items()),
        fix="have the platform serve a role that supports one of them, or name the agent to set up",
    )


def _print(contract: Connection, target: str, shell: Shell, ca_file: str | None, *, as_json: bool) -> None:
    targets, skipped = _targets(contract, target)
    files = printed(contract, *targets, shell=shell, ca_file=ca_file)
    if as_json:
        click.echo(json.dumps({"files": [_wire(file) for file in files], "skipped": skipped}, indent=2))
        return
    click.echo("\n".join(_text(file) for file in files), nl=False)
    tell_left_out(skipped)


def _agent(name: str) -> Agent | None:
    """Return the agent to set up, None for all of them. Raises `click.UsageError` for a proxy."""
    if name == ALL:
        return None
    target = target_named(name)
    match target:
        case Agent():
            return target
        case Proxy() | Client():
            raise click.UsageError(
                f"{name} is set up by hand: add --print and copy each part where it belongs"
            )
        case _:
            assert_never(target)


def _targets(contract: Connection, wanted: str) -> tuple[tuple[Target, ...], dict[str, str]]:
    """Return what to print, and why the rest of "all" is left out; a target that was named always stays."""
    if wanted != ALL:
        return (target_named(wanted),), {}
    skipped = {
        agent.name: reason
        for agent in AGENTS
        if (reason := unused(contract, agent) or obstacle(contract, agent))
    }
    targets = tuple(agent for agent in AGENTS if agent.name not in skipped)
    if not targets and contract.agents is not None:
        raise InvalidInput("setup", [_nothing(skipped)])
    return targets or AGENTS, skipped


def _wire(file: PrintedFile) -> dict[str, object]:
    return {"path": file.path_hint, "format": file.format, "content": file.content, "notes": list(file.notes)}


def _text(file: PrintedFile) -> str:
    head = [f"belongs in {file.path_hint}", *file.notes]
    return "".join(f"# {line}\n" for line in head) + file.content
