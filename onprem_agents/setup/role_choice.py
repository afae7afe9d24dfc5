"""The developer's own choice of roles, kept beside the key: what `use` writes and every later setup holds to."""

from __future__ import annotations

import json

from onprem_agents.agents.chosen import ChosenRoles
from onprem_agents.agents.machine import Machine
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.setup.changes import Change, find


def kept(machine: Machine) -> ChosenRoles:
    """Return the roles that were chosen on this machine; raises `InvalidInput` for a file that tells none."""
    found = find(machine.roles_file)
    if found.content is None:
        return ChosenRoles()
    try:
        data = json.loads(found.text)
    except ValueError:
        data = None
    if isinstance(data, dict) and all(isinstance(role, str) for role in data.values()):
        return ChosenRoles(by_agent=data)
    problem = Problem(
        where="whole text",
        cause="unreadable",
        found="no roles by the names of agents",
        why="onprem-agents use wrote it, and something changed it since",
        fix="remove the file, and choose again with onprem-agents use ROLE",
    )
    raise InvalidInput(str(found.path), [problem])


def change(machine: Machine, roles: ChosenRoles) -> Change:
    """Return the file that remembers these roles."""
    chosen = ", ".join(f"{agent}: {role}" for agent, role in roles.by_agent.items())
    return Change(
        found=find(machine.roles_file),
        content=(json.dumps(dict(roles.by_agent), indent=2, sort_keys=True) + "\n").encode(),
        summary=f"your choice of roles, {chosen or 'the main role for all'}",
    )
