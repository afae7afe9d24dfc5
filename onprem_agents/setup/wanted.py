"""What an agent's configuration must say on one machine, and what must stand in the shell's environment.

Every agent can read a key from a file or a command, so the key lies in one file alone, and an exchange of the
key changes that file alone. Run with Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33, 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onprem_agents.agents import Agent, Target, obstacle
from onprem_agents.agents.chosen import NONE_CHOSEN, ChosenRoles
from onprem_agents.agents.config import Wanted
from onprem_agents.agents.machine import Machine, Scope
from onprem_agents.agents.start import environment
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.setup.certificates import Certificates
from onprem_agents.setup.installed import Installed
from onprem_agents.setup.key_store import KeyStore, in_environment, in_script
from onprem_agents.setup.shell import Shell, script


def refuse_unserved(connection: Connection, *targets: Target) -> None:
    """Raise `InvalidInput` when the main model does not serve one of them."""
    problems = [
        Problem(
            where=f"setup for {target.name}",
            cause="not-supported",
            found=f"role {connection.main_role} serves {connection.main.model_id}",
            why=reason,
            fix="use another agent, or have the platform serve a role that supports this one",
        )
        for target in targets
        if (reason := obstacle(connection, target))
    ]
    if problems:
        raise InvalidInput("the connection contract", problems)


def wanted(connection: Connection, installed: Installed, *, ca_file: str | None = None) -> Wanted:
    """Return what that agent's file must say. Raises `InvalidInput` when the model cannot serve the agent."""
    agent = installed.agent
    refuse_unserved(connection, agent)
    item = agent.wanted(connection, installed.release, ca_file)
    tested = connection.tested_agents.get(agent.name)
    if not (installed.release and tested and installed.text != tested):
        return item
    note = f"{agent.name} {installed.text} is installed; the platform was tested with {tested}."
    return replace(item, notes=(note, *item.notes))


def shell_lines(
    connection: Connection,
    agents: Sequence[Agent],
    shell: Shell,
    trusted: Certificates,
    *,
    by_variable: bool,
    store: KeyStore,
    through_proxy: bool = False,
    roles: ChosenRoles = NONE_CHOSEN,
) -> str:
    """Return the variables that no configuration file can hold: switches, CA files, NO_PROXY, the key where needed.

    `by_variable` says that one of the agents takes the key from its variable, `through_proxy` that the gateway is
    reached by the shell's own proxy.
    """
    whole = environment(connection, *agents, ca_file=trusted.added, whole_ca_file=trusted.whole, roles=roles)
    notes = tuple(note for note in whole.notes if not note.startswith("Where to get the key"))
    keys = whole.keys if by_variable else {}
    whole = replace(whole, no_proxy=()) if through_proxy else whole
    whole = in_environment(replace(whole, keys=keys, copies={}, removed=(), notes=notes), store)
    return in_script(script(whole, shell), store)


def redirections(scope: Scope, agents: Sequence[Agent], machine: Machine) -> tuple[str, ...]:
    """Return what the scope does not protect from."""
    files = sorted(
        str(agent.place(machine, "project").path.relative_to(machine.project))
        for agent in agents
        if "project" in agent.scopes and not agent.ignored_in_project
    )
    if scope == "managed" or not files:
        return ()
    note = (
        f"A repository's own {' or '.join(files)} is stronger than this and can send prompts"
        " and the key elsewhere. --scope managed writes the files that no repository can override (as root)."
    )
    return (note,)


def stronger_variables(agents: Sequence[Agent], machine: Machine) -> tuple[str, ...]:
    """Return what the shell holds that no file of setup's beats."""
    left = [item for agent in agents for item in agent.leftovers if item.path is None]
    names = [item.variable for item in left if item.counts(machine.variables.get(item.variable or ""))]
    names += [source.variable for agent in agents for source in agent.reads(machine)]
    return tuple(
        f"The variable {name} of this shell is stronger than these files: onprem-agents doctor tells where it leads."
        for name in dict.fromkeys(names)
        if name is not None
    )
