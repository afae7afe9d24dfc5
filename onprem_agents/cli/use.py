"""`onprem-agents use ROLE`: the agents on this machine, or one of them, work with another role."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from onprem_agents.agents import AGENTS, Agent, agent_named, obstacle
from onprem_agents.agents.chosen import with_main
from onprem_agents.agents.machine import Machine
from onprem_agents.cli.contract_source import contract_of_last_setup, proxy_option
from onprem_agents.cli.options import json_option
from onprem_agents.cli.setup_view import agreed, tell
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import read
from onprem_agents.errors import InvalidInput, OnpremError, Problem, nearest_hint
from onprem_agents.probes.in_use import is_set_up
from onprem_agents.setup import changes, installed, journal, key_store, role_choice
from onprem_agents.setup.certificates import kept
from onprem_agents.setup.prepare import prepare
from onprem_agents.setup.start_files import shell_of_setup, spares_proxy


def _roles(_context: click.Context, _parameter: click.Parameter, word: str) -> list[str]:
    """Return what ROLE completes to: the roles of the last setup. A shell that completes asks no gateway."""
    machine = Machine(home=Path.home(), project=Path.cwd(), variables=dict(os.environ))
    found = changes.find(machine.contract_file)
    if found.content is None:
        return []
    try:
        contract = read(found.text, str(machine.contract_file)).connection
    except OnpremError:
        return []
    return [each.role for each in contract.roles if each.role.startswith(word)]


@click.command()
@click.argument("role", shell_complete=_roles)
@click.option(
    "--agent",
    "name",
    type=click.Choice([agent.name for agent in AGENTS]),
    help="Switch this agent alone; without it, every one that is set up.",
)
@proxy_option
@click.option("--dry-run", is_flag=True, help="Show what would be written; no file is.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@json_option
def use(role: str, name: str | None, proxy: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Let the agents of this machine work with ROLE, with its own window, output cap and thinking.

    The choice stands until the next one, over every later setup; the platform's main role takes it back. An agent that
    cannot work with ROLE keeps what it has; where none can, or the one that was named cannot, nothing is written.
    Take it back: onprem-agents setup --undo.
    """
    machine = Machine(home=Path.home(), project=Path.cwd(), variables=dict(os.environ))
    ca_file = kept(machine, "user")
    contract = contract_of_last_setup(machine, ca_file, proxy=proxy)
    if role not in (known := [each.role for each in contract.roles]):
        raise InvalidInput("use", [_unknown(role, known)])
    there = [agent for agent in AGENTS if is_set_up(agent, contract, machine)]
    named = agent_named(name) if name is not None else None
    chosen, left_out = _choose(contract, role, there, named)
    before, gone = role_choice.kept(machine).usable(contract)
    roles = before
    for agent in chosen:
        roles = roles.with_choice(agent, None if role == contract.main_role else role)
    # All that are set up: the shell's file holds the variables of each.
    served = [agent for agent in there if obstacle(roles.seen_by(agent, contract), agent) is None]
    shell = shell_of_setup(machine)
    store = key_store.kept(machine)
    prepared_with = partial(
        prepare,
        contract,
        installed.find_all(served, machine.variables),
        machine,
        "user",
        key=store.read(machine) if store.kind != "command" else None,
        ca_file=ca_file,
        shell=shell,
        store=store,
        through_proxy=proxy is not None or not spares_proxy(machine, shell),
    )
    prepared = prepared_with(roles=roles)
    known_notes = prepared_with(roles=before).notes
    remembered = role_choice.change(machine, roles)
    if roles.by_agent or remembered.found.content is not None:
        prepared = replace(prepared, changes=(*prepared.changes, remembered))
    # What setup said of the agents already holds as before: only what the switch changes is news.
    news = [note for note in prepared.notes if note not in known_notes]
    prepared = replace(prepared, notes=(*gone, *news))
    written = agreed(prepared, left_out, dry_run=dry_run, yes=yes, as_json=as_json)
    if written:
        journal.apply(prepared.changes, machine.history)
    tell(prepared, left_out, written=written, dry_run=dry_run, as_json=as_json)


def _choose(
    contract: Connection, role: str, there: Sequence[Agent], named: Agent | None
) -> tuple[list[Agent], dict[str, str]]:
    """Return which agents to switch, and why others keep what they have. Raises `InvalidInput` for nobody."""
    seen = with_main(contract, role)
    reasons = {agent.name: reason for agent in AGENTS if (reason := obstacle(seen, agent))}
    wanted = [named] if named is not None else list(there)
    if not wanted or named not in (None, *there):
        which = named.name if named is not None else "all"
        fix = f"run: onprem-agents setup {which}"
        raise InvalidInput(
            "use", [_refused(which, "not set up for the platform", "use changes what is set up", fix)]
        )
    able = [agent for agent in wanted if agent.name not in reasons]
    if not able:
        fix = "choose another role; onprem-agents status lists them with the agents that each serves"
        raise InvalidInput(
            "use", [_refused(agent.name, f"role {role}", reasons[agent.name], fix) for agent in wanted]
        )
    return able, {agent.name: reasons[agent.name] for agent in wanted if agent not in able}


def _unknown(role: str, known: Sequence[str]) -> Problem:
    return Problem(
        where="ROLE",
        cause="unknown-name",
        found=ascii(role),
        why="the platform serves no role of that name",
        fix=nearest_hint(role, known),
    )


def _refused(where: str, found: str, why: str, fix: str) -> Problem:
    return Problem(where=where, cause="not-supported", found=found, why=why, fix=fix)
