"""This machine's configuration of each agent: as the agent would merge it, against what the platform publishes.

What an agent reads, and in which order, is its own matter (`Agent.reads`); each later source wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from onprem_agents.agents import Agent, obstacle
from onprem_agents.agents.causes import again
from onprem_agents.agents.config import Values, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.machine import Machine, Source
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import EnvironmentProblem, InvalidInput, OnpremError
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.changes import find
from onprem_agents.setup.installed import Installed, install_command
from onprem_agents.setup.key_store import by_store, kept
from onprem_agents.setup.merge import read
from onprem_agents.setup.wanted import wanted
from onprem_agents.stack.untrusted import shown

_SHOWN_DRIFTS = 4
_OF_ADDRESS = frozenset(
    {"not-set-up", "url-other", "url-with-v1", "url-without-v1", "model", "window", "output-cap"}
)
_SECRET_NAME = re.compile(r"(?i)key|token(?!s|_limit)|secret|password")


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What an agent reads and heeds from weak to strong, and all of it merged."""

    agent: Agent
    read: tuple[tuple[Source, Values], ...]
    values: Values

    def source(self, *path: str) -> Source | None:
        """Return the one that decides about a value, or None when none does."""
        found = [source for source, values in self.read if at(values, *path) is not None]
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
        if named or any(source.origin == "user" for source, _ in layers.read):
            fix = f"install it: {install_command(agent, connection)}"
            evidence = f"{agent.title} is not on PATH"
            yield verdict(agent.name, Diagnosis(cause="agent-missing", evidence=evidence, fix=fix))
        if not layers.read:
            return
    else:
        tested = connection.tested_agents.get(agent.name)
        yield verdict(agent.name, fine(f"{installed.text} is installed, {tested or 'no release'} was tested"))
    elsewhere = list(_redirected(layers, machine, connection))
    causes = list(agent.causes(layers.values, connection, machine.variables, machine.key_file))
    causes = [_with_file(found, layers, machine) for found in causes]
    if elsewhere:  # then a wrong address or model has been named with the file that it is from
        causes = [found for found in causes if found.cause not in _OF_ADDRESS]
    elsewhere += _left_over(layers, machine, connection)
    if reason := obstacle(connection, agent):
        yield verdict(
            probe, _unsupported(reason, set_up=all(found.cause != "not-set-up" for found in causes))
        )
        return
    causes = [*elsewhere, *causes] or list(_drift(layers, connection, installed, machine))
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
    # Whom to ask stands in no file of an agent's.
    changed = sorted(key for key in now if key != "support" and kept.get(key) != now[key])
    if not changed:
        return verdict("drift", fine("the platform publishes what this machine was set up from"))
    evidence = f"the platform changed since this machine was set up: {', '.join(changed)}"
    return verdict("drift", Diagnosis(cause="drift", evidence=evidence, fix=again(connection)))


def _layers(agent: Agent, machine: Machine) -> Layers:
    read_in_turn: list[tuple[Source, Values]] = []
    merged: Values = {}
    for source in agent.reads(machine):
        text = source.text
        if text is None:
            found = find(source.place.path)
            text = found.text if found.content is not None else None
        if text is None or not agent.heeds(source, merged, machine):
            continue
        values = read(text, source.place.form, str(source.place.path))
        ignored = agent.ignored_in_project if source.origin == "project" else ()
        heeded = {key: value for key, value in values.items() if key not in ignored}
        read_in_turn.append((source, heeded))
        merged = _over(merged, heeded)
    return Layers(agent=agent, read=tuple(read_in_turn), values=merged)


def _over(weak: Values, strong: Mapping[str, Any]) -> Values:
    result = dict(weak)
    for key, value in strong.items():
        present = result.get(key)
        both = isinstance(present, dict) and isinstance(value, dict)
        result[key] = _over(present, value) if both else value  # type: ignore[arg-type] # both are dicts
    return result


def _redirected(layers: Layers, machine: Machine, connection: Connection) -> Iterator[Diagnosis]:
    """Yield what sends prompts elsewhere and is stronger than the file that setup writes."""
    paths, address = layers.agent.asks(layers.values)
    if urlsplit(address).netloc == urlsplit(connection.base_url).netloc:
        return
    own = layers.agent.place(machine, "user").path
    deciding = [source for path in paths if (source := layers.source(*path)) is not None]
    source = next((source for source in deciding if source.place.path != own), None)
    what = f"sends prompts and key to {shown(address or 'a provider of its own')}"
    if source is None or source.origin == "managed":
        return
    if source.origin == "project":
        yield _by_repository(source, what)
    elif source.variable is not None:
        fix = f"unset {source.variable} where your shell exports it"
        yield Diagnosis(cause="leftover", evidence=f"{_named(source)} {what}", fix=fix)
    else:
        settings = " and ".join(".".join(path) for path in paths if layers.source(*path) is source)
        fix = f"take {settings} out of it: it is stronger than {own}"
        yield Diagnosis(cause="leftover", evidence=f"{source.place.path} {what}", fix=fix)


def _left_over(layers: Layers, machine: Machine, connection: Connection) -> Iterator[Diagnosis]:
    """Yield the settings of other providers that beat the platform's address, or travel along to it."""
    agent = layers.agent
    for item in agent.leftovers:
        source = layers.source(*item.path) if item.path else None
        value = at(layers.values, *item.path) if item.path else None
        if source is not None and item.path:
            if item.counts(value):
                what = f"sets {'.'.join(item.path)}, which {item.does}"
                if source.origin == "project":
                    yield _by_repository(source, what)
                    continue
                fix = f"take it out of {source.place.path}"
                if source.origin == "user":
                    fix = f"{again(connection)} (it empties the setting)"
                yield Diagnosis(cause="leftover", evidence=f"{source.place.path} {what}", fix=fix)
            if item.emptied:
                continue  # the file's entry beats the shell's variable
        if item.variable and item.counts(machine.variables.get(item.variable)):
            evidence = f"the variable {item.variable} of this shell {item.does}"
            empties = (
                f", or {again(connection)} (its file beats the shell)" if item.path and item.emptied else ""
            )
            yield Diagnosis(
                cause="leftover",
                evidence=evidence,
                fix=f"unset {item.variable} where your shell exports it{empties}",
            )


def _with_file(found: Diagnosis, layers: Layers, machine: Machine) -> Diagnosis:
    """Return the diagnosis with the file that decides about its setting, where that is not setup's own."""
    name = found.evidence.partition(" is ")[0]
    paths = [(table, name) for table in (layers.agent.env_table,) if table] + [tuple(name.split("."))]
    source = next((source for path in paths if (source := layers.source(*path)) is not None), None)
    if source is None or source.place.path == layers.agent.place(machine, "user").path:
        return found
    return replace(found, evidence=f"{found.evidence} ({source.variable or source.place.path} says so)")


def _by_repository(source: Source, what: str) -> Diagnosis:
    return Diagnosis(
        cause="repository-redirect",
        evidence=f"{source.place.path} of this repository {what}",
        fix="do not work here before you know why; --scope managed makes such files powerless",
    )


def _named(source: Source) -> str:
    if source.text is not None:
        return f"the variable {source.variable}"
    return f"{source.place.path}, which the variable {source.variable} names,"


def _drift(
    layers: Layers, connection: Connection, installed: Installed, machine: Machine
) -> Iterator[Diagnosis]:
    agent = installed.agent
    item = by_store(
        wanted(connection, installed), kept(machine), key_env=connection.auth.key_env, agent=agent.title
    )
    target = agent.adapted(item, layers.values, machine, "user").leaving(layers.values)
    differing = list(_differences(target.values, layers.values, ()))
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
