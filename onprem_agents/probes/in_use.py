"""Which agents of this machine are set up for a platform, and with which of its roles each starts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from onprem_agents.agents import AGENTS, Agent, obstacle
from onprem_agents.agents.chosen import ChosenRoles, model_in_use, with_main
from onprem_agents.agents.config import Values
from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.probes.local import settings
from onprem_agents.setup.start_files import served


@dataclass(frozen=True, kw_only=True)
class InUse:
    """One agent here: `role` is the one whose model it starts with, `wanted` the one that setup would write.

    `model` is what its settings name, a role's or not; both are None where it is not set up.
    """

    agent: Agent
    path: str | None
    set_up: bool
    model: str | None = None
    role: str | None = None
    wanted: str
    chosen: bool = False

    @property
    def is_foreign(self) -> bool:
        """Whether it is set up and starts with a model that the platform does not serve."""
        return self.set_up and self.role is None and self.model is not None

    @property
    def differs(self) -> bool:
        """Whether it starts with another role than setup would write."""
        return self.role is not None and self.role != self.wanted


def is_set_up(agent: Agent, connection: Connection, machine: Machine) -> bool:
    """Tell whether the user's own settings of an agent lead to the platform, whatever a repository's say."""
    outside = replace(machine, project=machine.own_folder)
    return _leads_to(connection, agent, settings(agent, outside), machine)


def in_use(connection: Connection, machine: Machine, roles: ChosenRoles) -> tuple[InUse, ...]:
    """Return what each agent does in the working folder, where a repository's settings count too."""
    return tuple(_of(agent, connection, machine, roles) for agent in AGENTS)


def serves(connection: Connection, role: Role) -> tuple[str, ...]:
    """Return the names of the agents that can work with a role."""
    seen = with_main(connection, role.role)
    return tuple(agent.name for agent in AGENTS if obstacle(seen, agent) is None)


def _of(agent: Agent, connection: Connection, machine: Machine, roles: ChosenRoles) -> InUse:
    path = shutil.which(agent.name, path=machine.variables.get("PATH"))
    values = settings(agent, machine)
    there = is_set_up(agent, connection, machine)
    model = model_in_use(agent, connection, values, machine.variables) if there else None
    return InUse(
        agent=agent,
        path=path,
        set_up=there,
        model=model,
        role=next((role.role for role in connection.roles if role.model == model), None),
        wanted=roles.seen_by(agent, connection).main_role,
        chosen=agent.name in roles.by_agent,
    )


def _leads_to(connection: Connection, agent: Agent, values: Values, machine: Machine) -> bool:
    _, address = agent.asks(values)
    if address:
        return urlsplit(address).netloc == urlsplit(connection.base_url).netloc
    # An agent without a setting for it is told by its environment, which setup's file for the shell holds.
    by_environment = connection.base_url in agent.environment(connection).values.values()
    return by_environment and agent.name in served(machine)
