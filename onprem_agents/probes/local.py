"""This machine's configuration of each agent: as the agent would merge it, against what the platform publishes.

The order of the files is that of the scopes and of `Agent.places`, each later one winning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onprem_agents.agents import Agent, obstacle
from onprem_agents.agents.causes import again
from onprem_agents.agents.config import Values, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.machine import Machine, Scope
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import EnvironmentProblem, InvalidInput, OnpremError
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.changes import find
from onprem_agents.setup.installed import Installed, install_command
from onprem_agents.setup.merge import read
from onprem_agents.setup.wanted import wanted
from onprem_agents.stack.untrusted import shown

_SCOPES: tuple[Scope, ...] = ("user", "project", "managed")
_SHOWN_DRIFTS = 4
_SECRET_NAME = re.compile(r"(?i)key|token(?!s|_limit)|secret|password")


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The values of an agent's files from weak to strong, and all of them merged."""

    agent: Agent
    files: tuple[tuple[Scope, Path, Values], ...]
    values: Values

    def source(self, *path: str) -> tuple[Scope, Path] | None:
        """Return the file that decides about a value, or None when none does."""
        found = [(scope, file) for scope, file, values in self.files if at(values, *path) is not None]
        return found[-1] if found else None


def examine(
    connection: Connection,
    installed: Installed,
    machine: Machine,
    *,
    named: bool = False,
    fresh: bool = True,
) -> Iterator[Verdict]:
    """Yield what is wrong with one agent on this machine; nothing at all for one that is not used here.

    `fresh` tells whether the contract is the platform's present one.
    """
    agent = installed.agent
    probe = f"{agent.name} configuration"
    try:
        layers = _layers(agent, machine)
    except OnpremError as error:
        yield verdict(probe, _broken(error))
        return
    if installed.path is None:
        if named or any(scope == "user" for scope, _, _ in layers.files):
            fix = f"install it: {install_command(agent, connection)}"
            evidence = f"{agent.title} is not on PATH"
            yield verdict(agent.name, Diagnosis(cause="agent-missing", evidence=evidence, fix=fix))
        if not layers.files:
            return
    else:
        tested = connection.tested_agents.get(agent.name)
        yield verdict(agent.name, fine(f"{installed.text} is installed, {tested or 'no release'} was tested"))
    causes = list(agent.causes(layers.values, connection, machine.variables, machine.key_file))
    if reason := obstacle(connection, agent):
        yield verdict(
            probe, _unsupported(reason, set_up=all(found.cause != "not-set-up" for found in causes))
        )
        return
    causes += _redirected(layers, connection)
    causes = causes or list(_drift(layers, connection, installed))
    for found in causes:
        yield verdict(probe, found)
    if not causes:
        said = "publishes" if fresh else "published when this machine was set up"
        yield verdict(probe, fine(f"it is what the platform {said}"))


def settings(agent: Agent, machine: Machine) -> Values:
    """Return what an agent's files say, merged; nothing where there are none or one is broken."""
    try:
        return _layers(agent, machine).values
    except OnpremError:
        return {}


def drift_of_contract(connection: Connection, machine: Machine) -> Verdict | None:
    """Compare the contract of the last setup with the present one; None when setup never ran here."""
    found = find(machine.contract_file)
    if found.content is None:
        return None
    try:
        kept = parse(found.text, str(machine.contract_file)).to_wire()
    except InvalidInput as error:
        return verdict("drift", _broken(error))
    now = connection.to_wire()
    changed = sorted(key for key in now if kept.get(key) != now[key])
    if not changed:
        return verdict("drift", fine("the platform publishes what this machine was set up from"))
    evidence = f"the platform changed since this machine was set up: {', '.join(changed)}"
    return verdict("drift", Diagnosis(cause="drift", evidence=evidence, fix=again(connection)))


def _layers(agent: Agent, machine: Machine) -> Layers:
    files = []
    for scope in _SCOPES:
        for place in agent.places(machine, scope) if scope in agent.scopes else ():
            found = find(place.path)
            if found.content is not None:
                files.append((scope, place.path, read(found.text, place.form, str(place.path))))
    merged: Values = {}
    for scope, _, values in files:
        ignored = agent.ignored_in_project if scope == "project" else ()
        merged = _over(merged, {key: value for key, value in values.items() if key not in ignored})
    return Layers(agent=agent, files=tuple(files), values=merged)


def _over(weak: Values, strong: Mapping[str, Any]) -> Values:
    result = dict(weak)
    for key, value in strong.items():
        present = result.get(key)
        both = isinstance(present, dict) and isinstance(value, dict)
        result[key] = _over(present, value) if both else value  # type: ignore[arg-type] # both are dicts
    return result


def _redirected(layers: Layers, connection: Connection) -> Iterator[Diagnosis]:
    path = layers.agent.address_at
    decides = layers.source(*path)
    address = at(layers.values, *path)
    ours = (connection.base_url, connection.anthropic_base_url)
    if decides and decides[0] == "project" and address not in ours:
        yield Diagnosis(
            cause="repository-redirect",
            evidence=f"{decides[1]} of this repository sends prompts and key to {shown(address)}",
            fix="do not work here before you know why; --scope managed makes such files powerless",
        )


def _drift(layers: Layers, connection: Connection, installed: Installed) -> Iterator[Diagnosis]:
    target = wanted(connection, installed)
    ours = target.beside(layers.values)
    differing = list(_differences(ours.values, layers.values, ()))
    if differing:
        evidence = f"differs from what the platform publishes: {'; '.join(differing[:_SHOWN_DRIFTS])}"
        more = len(differing) - _SHOWN_DRIFTS
        yield Diagnosis(
            cause="drift",
            evidence=evidence + (f" and {more} more" if more > 0 else ""),
            fix=again(connection),
        )


def _differences(target: Any, present: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(target, dict):
        for key, value in target.items():
            inner = present.get(key) if isinstance(present, dict) else None
            yield from _differences(value, inner, (*path, key))
    elif isinstance(target, list) and isinstance(present, list) and all(item in present for item in target):
        return
    elif target != present:
        name = ".".join(path)
        secret = _SECRET_NAME.search(path[-1])
        yield f"{name} is {'another one (not shown)' if secret and present else shown(present)}"


def _unsupported(reason: str, *, set_up: bool) -> Diagnosis:
    if not set_up:
        return fine(f"the platform does not serve this agent: {reason}", cause="unsupported")
    fix = "use another agent, or have the platform serve a role that supports this one"
    return Diagnosis(
        cause="unsupported", evidence=f"the platform no longer serves this agent: {reason}", fix=fix
    )


def _broken(error: OnpremError) -> Diagnosis:
    fix = "mend the file; setup does not touch a broken one"
    if isinstance(error, InvalidInput):
        problem = error.problems[0]
        evidence = f"{error.source}, {problem.where}: {problem.found}"
        return Diagnosis(cause="config-broken", evidence=evidence, fix=fix)
    name = "config-unreadable" if isinstance(error, EnvironmentProblem) else "config-broken"
    return Diagnosis(cause=name, evidence=str(error), fix=fix)
