"""`onprem-agents status`: the platform, its roles, which one each agent uses, and what the gateway tells of a key."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from onprem_agents.agents.chosen import ChosenRoles
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.agents.machine import Machine
from onprem_agents.cli.contract_source import contract_of_last_setup, proxy_option
from onprem_agents.cli.options import json_option
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.errors import OnpremError
from onprem_agents.probes.in_use import InUse, in_use, serves
from onprem_agents.probes.standing import Standing, standing
from onprem_agents.setup import developer_key, key_store, role_choice
from onprem_agents.setup.certificates import kept
from onprem_agents.setup.developer_key import DeveloperKey

_UNTOLD = "the gateway does not tell"


@dataclass(frozen=True, kw_only=True)
class _Status:
    """All that is shown. `key_source` and `standing` are None without a key, `standing` also without a platform."""

    connection: Connection
    reachable: bool
    agents: tuple[InUse, ...]
    key_source: str | None
    key_fault: str | None
    standing: Standing | None
    notes: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """The worst of it."""
        if not self.reachable:
            return Severity.UNREACHABLE
        of_key = self.standing.found.severity if self.standing is not None else Severity.BROKEN
        there = [agent for agent in self.agents if agent.set_up]
        of_agents = any(agent.is_foreign for agent in there) or not there
        return max(of_key, Severity.BROKEN if of_agents else Severity.OK)


@click.command()
@proxy_option
@json_option
def status(proxy: str | None, as_json: bool) -> None:
    """Show the platform that this machine is set up for, and what you have there.

    Is it in reach, which roles with which windows, which role each agent uses here, and your key: whose, until when,
    what is used of which quota, as far as the gateway tells. No token is spent. Exit code: 0 all well, 1 no key, a
    refused one, or an agent without a role; 3 the platform cannot be reached.
    """
    machine = Machine(home=Path.home(), project=Path.cwd(), variables=dict(os.environ))
    ca_file = kept(machine, "user")
    stale: list[Connection] = []
    contract = contract_of_last_setup(machine, ca_file, stale=stale, proxy=proxy)
    roles, gone = role_choice.kept(machine).usable(contract)
    key, fault = _key(contract, machine)
    found = _Status(
        connection=contract,
        reachable=not stale,
        agents=in_use(contract, machine, roles),
        key_source=key.source if key is not None else None,
        key_fault=fault,
        standing=standing(contract, key, ca_file=ca_file, proxy=proxy)
        if key is not None and not stale
        else None,
        notes=gone,
    )
    if as_json:
        click.echo(json.dumps(_wire(found, roles), indent=2))
    else:
        click.echo("".join(f"{line}\n" for line in _lines(found)), nl=False)
    sys.exit(found.severity)


def _key(contract: Connection, machine: Machine) -> tuple[DeveloperKey | None, str | None]:
    """Return the key that agents would send, or why there is none."""
    try:
        stored = key_store.kept(machine).read(machine)
        key = stored or developer_key.from_variables(machine.variables, contract.auth.key_env)
    except OnpremError as error:
        return None, str(error)
    missing = f"there is none; {contract.auth.key_hint}, then: onprem-agents setup --key-file FILE"
    return key, None if key is not None else missing


def _lines(found: _Status) -> Iterator[str]:
    contract = found.connection
    state = "in reach" if found.reachable else "NOT in reach; the rest is as of the last setup"
    yield f"platform  {contract.stack} at {contract.base_url}: {state}"
    yield from (f"          {line}" for line in contract.support_lines)
    for number, role in enumerate(contract.roles):
        yield f"{'roles' if not number else '':<10}{_role_text(contract, role)}"
    shown = [agent for agent in found.agents if agent.set_up or agent.path]
    for number, agent in enumerate(shown):
        yield f"{'agents' if not number else '':<10}{_agent_text(agent, found.connection)}"
    if not shown:
        yield "agents    none is on PATH or set up"
    yield from (f"          note: {note}" for note in found.notes)
    yield from _key_lines(found)


def _role_text(contract: Connection, role: Role) -> str:
    marks = [
        word
        for word, name in (("main", contract.main_role), ("small calls", contract.small_role))
        if name == role.role
    ]
    thinking = f", thinking {role.thinking.default}" if role.thinking is not None else ""
    who = ", ".join(serves(contract, role)) or "no agent"
    mark = f" ({' and '.join(marks)})" if marks else ""
    return (
        f"{role.role}{mark}: {role.model_id}, window {role.context_tokens:,} tokens,"
        f" answers up to {role.max_output_tokens:,}{thinking}; for {who}"
    )


def _agent_text(agent: InUse, connection: Connection) -> str:
    if not agent.set_up:
        return f"{agent.agent.name}: not set up; onprem-agents setup {agent.agent.name}"
    here = "" if agent.path else ", not on PATH"
    if agent.role is None:
        named = (
            f"the model {agent.model}, which is no role"
            if agent.model
            else "no model in this shell; start a new one, or run"
        )
        host = connection.anthropic_base_url.removeprefix("https://")
        return f"{agent.agent.name}: {named}{here}; onprem-agents setup --host {host}"
    chosen = " (your choice)" if agent.chosen and not agent.differs else ""
    other = f", setup would write {agent.wanted}" if agent.differs else ""
    return f"{agent.agent.name}: {agent.role}{chosen}{other}{here}"


def _key_lines(found: _Status) -> Iterator[str]:
    if found.key_source is None:
        yield f"key       {found.key_fault}"
        return
    told = found.standing
    if told is None:
        yield f"key       from {found.key_source}; not tried, for the platform is not in reach"
        return
    taken = "taken" if told.found.severity is Severity.OK else f"{told.found.evidence}; {told.found.fix}"
    yield f"key       from {found.key_source}: {taken}"
    yield f"          whose: {told.owner or _UNTOLD}; until when: {told.expires or _UNTOLD}"
    lines = [f"{name}: {value}" for name, value in told.quota.items()] or [_UNTOLD]
    for number, line in enumerate(lines):
        yield f"{'quota' if not number else '':<10}{line}"


def _wire(found: _Status, roles: ChosenRoles) -> dict[str, Any]:
    contract, told = found.connection, found.standing
    support = {"support": list(contract.support_lines)} if contract.support_lines else {}
    return {
        "platform": {
            "stack": contract.stack,
            "url": contract.base_url,
            "reachable": found.reachable,
            **support,
        },
        "roles": [
            {
                "role": role.role,
                "model": role.model,
                "modelId": role.model_id,
                "contextTokens": role.context_tokens,
                "maxOutputTokens": role.max_output_tokens,
                "thinking": role.thinking.default if role.thinking is not None else None,
                "main": role.role == contract.main_role,
                "small": role.role == contract.small_role,
                "agents": list(serves(contract, role)),
            }
            for role in contract.roles
        ],
        "agents": [
            {
                "agent": agent.agent.name,
                "path": agent.path,
                "setUp": agent.set_up,
                "model": agent.model,
                "role": agent.role,
                "chosen": roles.by_agent.get(agent.agent.name),
                "wanted": agent.wanted,
            }
            for agent in found.agents
        ],
        "key": {
            "source": found.key_source,
            "state": told.found.cause if told is not None else ("untried" if found.key_source else "missing"),
            "evidence": told.found.evidence if told is not None else found.key_fault,
            "owner": told.owner if told is not None else None,
            "expires": told.expires if told is not None else None,
        },
        "quota": told.quota if told is not None else {},
        "notes": list(found.notes),
        "exitCode": int(found.severity),
    }
