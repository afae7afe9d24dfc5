"""Which role a developer chose for which agent, and the contract as an agent sees it that has one of its own.

To an agent the role of its own is the one that does the work, so window, output cap, thinking and every other limit
follow from it as they do from the platform's main role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from onprem_agents.agents.agent import Agent, Target
from onprem_agents.agents.config import KeyPath, Values
from onprem_agents.agents.registry import AGENTS, obstacle
from onprem_agents.contract.connection import Connection

_MARK = "onprem-agents-looks-for-the-model"


@dataclass(frozen=True, kw_only=True)
class ChosenRoles:
    """Roles by the agent's name; an agent without one has the platform's main role."""

    by_agent: Mapping[str, str] = field(default_factory=dict)

    def seen_by(self, target: Target, connection: Connection) -> Connection:
        """Return the contract as that agent sees it."""
        role = self.by_agent.get(target.name)
        return connection if role is None else with_main(connection, role)

    def with_choice(self, agent: Agent, role: str | None) -> ChosenRoles:
        """Return these with another role for that agent; None for the platform's main role, whichever it is."""
        rest = {name: chosen for name, chosen in self.by_agent.items() if name != agent.name}
        return ChosenRoles(by_agent=rest if role is None else {**rest, agent.name: role})

    def usable(self, connection: Connection) -> tuple[ChosenRoles, tuple[str, ...]]:
        """Return those that the platform still serves to their agents, and a sentence for each other one."""
        kept, notes = {}, []
        for agent in AGENTS:
            role = self.by_agent.get(agent.name)
            if role is None:
                continue
            if reason := _unusable(connection, agent, role):
                notes.append(
                    f"{agent.title} has the main role, {connection.main_role}, and not {role}, which you chose:"
                    f" {reason}."
                )
            else:
                kept[agent.name] = role
        return ChosenRoles(by_agent=kept), tuple(notes)


NONE_CHOSEN = ChosenRoles()


def with_main(connection: Connection, role: str) -> Connection:
    """Return the contract with another of its roles as the one that does the work."""
    return connection.model_copy(update={"main_role": role})


def _unusable(connection: Connection, agent: Agent, role: str) -> str | None:
    if role not in {each.role for each in connection.roles}:
        return "the platform serves no such role any more"
    return obstacle(with_main(connection, role), agent)


def model_in_use(
    agent: Agent, connection: Connection, values: Values, variables: Mapping[str, str]
) -> str | None:
    """Return the name of the model that an agent's settings start it with, None where they name none.

    Where it stands is found by what setup would write: the first setting that holds a made-up name of the main model.
    """
    marked = _with_marked_model(connection)
    for path, text in _texts(agent.wanted(marked, None, None).values, ()):
        if _MARK in text:
            found: object = values
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            return _between(text, found)
    for name, text in agent.environment(marked).values.items():
        if _MARK in text:
            return _between(text, variables.get(name))
    return None


def _with_marked_model(connection: Connection) -> Connection:
    main = connection.main.model_copy(update={"model": _MARK})
    roles = tuple(main if role.role == connection.main_role else role for role in connection.roles)
    return connection.model_copy(update={"roles": roles})


def _texts(values: Values, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _texts(value, (*path, key))
        elif isinstance(value, str):
            yield (*path, key), value


def _between(marked: str, found: object) -> str | None:
    """Return what stands in place of the mark; another text as it is, for it names another provider's model."""
    if not isinstance(found, str) or not found:
        return None
    before, _, after = marked.partition(_MARK)
    return (
        found[len(before) : len(found) - len(after)]
        if found.startswith(before) and found.endswith(after)
        else found
    )
