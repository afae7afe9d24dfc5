"""The agents that a stack's developers use: known names, and at least one of them served, or what would serve it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.catalog import Catalog
from onprem_agents.errors import Problem, nearest_hint
from onprem_agents.plan.agent_changes import Unserved, cheapest, dearer_changes, setting_changes
from onprem_agents.plan.agents_served import agents_served
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.stack.settings import Platform

_KEY = "platform.access.agents"
# What a setting can change without another model.
_SETTINGS = ("context", "wire")
_NOBODY = f"set {_KEY} to [] where nobody works with an agent"


class Plans(Protocol):
    """Plans other settings, to see whether they hold."""

    def __call__(self, settings: Platform, /) -> Sequence[ServingPlan]:
        """Return every role of a stack that holds, none where anything is wrong with it."""


def agents_used(settings: Platform) -> tuple[Agent, ...]:
    """Return the agents that the stack's developers use, in their fixed order; all where it says nothing."""
    named = settings.access.agents
    return AGENTS if named is None else tuple(agent for agent in AGENTS if agent.name in named)


def unknown_agents(settings: Platform) -> Iterator[Problem]:
    """Yield names that no agent has, and names that stand there twice."""
    known, seen = [agent.name for agent in AGENTS], set[str]()
    for index, name in enumerate(settings.access.agents or ()):
        where = f"{_KEY}[{index}]"
        if name not in known:
            yield Problem(
                where=where,
                cause="unknown-name",
                found=repr(name),
                why="the product knows no agent of that name, so nothing can be said of it",
                fix=nearest_hint(name, known),
            )
        elif name in seen:
            yield Problem(
                where=where,
                cause="repeated",
                found=repr(name),
                why="an agent is used or it is not",
                fix=f"leave out {where}",
            )
        seen.add(name)


def unserved_stack(
    settings: Platform, roles: Sequence[ServingPlan], plans: Plans, *, catalog: Catalog
) -> Iterator[Problem]:
    """Yield that no role serves any of the agents that are used, with the cheapest change after which one does."""
    agents = agents_used(settings)
    unserved = _unserved(settings, roles, agents)
    if not agents or _some_served(agents, unserved):
        return

    def holds(changed: Platform) -> bool:
        planned = plans(changed)
        return bool(planned) and _some_served(agents, _unserved(changed, planned, agents))

    change = cheapest(setting_changes(settings, roles, agents, unserved), holds) or cheapest(
        dearer_changes(settings, roles, agents, catalog=catalog), holds
    )
    way = change.text if change is not None else "take another model ('onprem-agents advise' ranks them)"
    yield Problem(
        where=_where(settings, unserved),
        cause="not-supported",
        found=", ".join(f"{role.role} with {role.context_tokens} tokens" for role in roles),
        why=f"it serves none of the agents that developers use: {_why(agents, roles, unserved)}",
        fix=f"{way}; or {_NOBODY}",
    )


def with_notes(settings: Platform, roles: Sequence[ServingPlan], plans: Plans) -> tuple[ServingPlan, ...]:
    """Return the roles, the first with notes of the agents that no role serves, and of those that only others do."""
    agents = agents_used(settings)
    unserved = _unserved(settings, roles, agents)
    notes = (
        *_of_no_role(settings, roles, plans, agents, unserved),
        *_of_another_role(roles, agents, unserved),
    )
    return (replace(roles[0], notes=(*roles[0].notes, *notes)), *roles[1:])


def _of_no_role(
    settings: Platform,
    roles: Sequence[ServingPlan],
    plans: Plans,
    agents: Sequence[Agent],
    unserved: Sequence[Unserved],
) -> Iterator[str]:
    """Yield which agents no role serves, of those that the stack names or that a change of settings would serve."""
    missed = [agent for agent in agents if all(agent.name in obstacles for obstacles in unserved)]
    open_to_settings = [
        agent for agent in missed if any(found[agent.name].lies_in in _SETTINGS for found in unserved)
    ]

    def holds(changed: Platform) -> bool:
        planned = plans(changed)
        found = _unserved(changed, planned, open_to_settings)
        return bool(planned) and all(
            any(agent.name not in obstacles for obstacles in found) for agent in open_to_settings
        )

    change = cheapest(setting_changes(settings, roles, open_to_settings, unserved), holds)
    helped = open_to_settings if change is not None else []
    told = helped if settings.access.agents is None else missed
    if told:
        whom = "" if helped == told else f" for {_titles(helped)}"
        way = f"; {change.text}{whom}" if change is not None else ""
        yield f"no role serves {_why(told, roles, unserved)}{way}"


def _of_another_role(
    roles: Sequence[ServingPlan], agents: Sequence[Agent], unserved: Sequence[Unserved]
) -> Iterator[str]:
    """Yield which agents only another role serves than the first: setup gives an agent the first one."""
    first, *others = unserved
    for role, obstacles in zip(roles[1:], others, strict=True):
        only_here = [agent for agent in agents if agent.name in first and agent.name not in obstacles]
        if only_here:
            yield (
                f"the first role does the work, and {roles[0].role} does not serve {_titles(only_here)}, as "
                f"{role.role} does: put {role.role} first in platform.models, or change {roles[0].role}"
            )
            return


def _unserved(
    settings: Platform, roles: Sequence[ServingPlan], agents: Sequence[Agent]
) -> tuple[Unserved, ...]:
    return tuple(
        {
            each.agent.name: each.obstacle
            for each in agents_served(role, settings.translation)
            if each.obstacle is not None and each.agent in agents
        }
        for role in roles
    )


def _some_served(agents: Sequence[Agent], unserved: Sequence[Unserved]) -> bool:
    return any(agent.name not in obstacles for obstacles in unserved for agent in agents)


def _why(agents: Sequence[Agent], roles: Sequence[ServingPlan], unserved: Sequence[Unserved]) -> str:
    """Return the agents with what keeps them from each role, those with the same words together."""
    titles: dict[str, list[str]] = {}
    for agent in agents:
        briefs = [obstacles[agent.name].brief for obstacles in unserved]
        told = (
            briefs[0]
            if len(set(briefs)) == 1
            else ", ".join(f"{role.role}: {brief}" for role, brief in zip(roles, briefs, strict=True))
        )
        titles.setdefault(told, []).append(agent.title)
    return "; ".join(f"{', '.join(names)} ({told})" for told, names in titles.items())


def _titles(agents: Sequence[Agent]) -> str:
    return ", ".join(agent.title for agent in agents)


def _where(settings: Platform, unserved: Sequence[Unserved]) -> str:
    """Return the key at fault: the window where it keeps any agent away, else the release, else the model."""
    first = {obstacle.lies_in for obstacle in unserved[0].values()}
    if "context" in first and settings.models[0].context is not None:
        return "platform.models[0].context"
    if first == {"wire"}:
        return "platform.serving.vllm"
    return "platform.models[0].model"
