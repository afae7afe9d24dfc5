"""From a contract to the list of files to write for one machine; reads, and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onprem_agents.agents import Agent, obstacle
from onprem_agents.agents.config import Wanted
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, OnpremError
from onprem_agents.setup.changes import KEY_MODE, Change, find
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.setup.installed import Installed, install_command
from onprem_agents.setup.merge import merged_text
from onprem_agents.setup.shell import MARK, SHELL_FILES, SHELL_START, Shell, start_line
from onprem_agents.setup.wanted import redirections, shell_lines, wanted

_FILES = {
    "user": "file of the user's own",
    "project": "file of a repository",
    "managed": "file for the whole machine",
}


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a run would do: changes in order, and sentences to show."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def choose(
    connection: Connection, named: Agent | None, found: Sequence[Installed], scope: Scope
) -> tuple[tuple[Agent, ...], dict[str, str]]:
    """Return which agents to configure, and why the others are left out.

    Without a name: those that are installed and that the model can serve; when none is installed, or for the
    files of a whole machine, all that the model can serve. A named one is never left out here.
    """
    if named is not None:
        return (named,), {}
    left_out: dict[str, str] = {}
    prepare_all = scope == "managed" or not any(item.path for item in found)
    for installed in found:
        agent = installed.agent
        if (reason := useless_in(scope, agent)) or (reason := obstacle(connection, agent)):
            left_out[agent.name] = reason
        elif installed.path is None and not prepare_all:
            left_out[agent.name] = (
                f"{missing(installed, connection)}, then run: onprem-agents setup {agent.name}"
            )
    return tuple(item.agent for item in found if item.agent.name not in left_out), left_out


def useless_in(scope: Scope, agent: Agent) -> str | None:
    """Return why a file of that scope cannot point that agent at a platform, or None if it can."""
    if scope not in agent.scopes:
        return f"{agent.title} reads no {_FILES[scope]}; use --scope {' or '.join(agent.scopes)}"
    if scope != "project" or not agent.ignored_in_project:
        return None
    keys = " and ".join(agent.ignored_in_project)
    return f"{agent.title} ignores {keys} in a repository's own file; use --scope user, or managed as root"


def missing(installed: Installed, connection: Connection) -> str:
    """Return the sentence for an agent that is not on PATH."""
    command = install_command(installed.agent, connection)
    return f"{installed.agent.title} is not on PATH; install it with: {command}"


def prepare(
    connection: Connection,
    agents: Sequence[Installed],
    machine: Machine,
    scope: Scope,
    *,
    key: DeveloperKey | None,
    ca_file: Path | None = None,
    shell: Shell | None = None,
) -> Setup:
    """Return the changes for these agents. `shell` None leaves the shell's start file alone; `ca_file` is copied
    for a user, named as it is for a whole machine, and no matter of a project's.

    Raises `InvalidInput` with the problems of every file at once, `EnvironmentProblem` for unreadable ones.
    """
    own_ca = (
        machine.ca_file if scope == "user" else ca_file.resolve() if scope == "managed" and ca_file else None
    )
    ca_text = str(own_ca) if ca_file is not None and own_ca is not None else None
    wanteds = tuple(wanted(connection, item, ca_file=ca_text) for item in agents)
    chosen = tuple(item.agent for item in agents)
    changes, failures = [], []
    for installed, item in zip(agents, wanteds, strict=True):
        try:
            changes += agent_changes(installed.agent.places(machine, scope), item)
        except OnpremError as error:
            failures.append(error)
    if failures:
        raise _together(failures)
    notes = [note for item in wanteds for note in item.notes]
    notes += [missing(item, connection) for item in agents if item.path is None]
    if scope == "user":
        if ca_file is not None:
            content = find(ca_file).content or b""
            changes.append(
                Change(found=find(machine.ca_file), content=content, summary="your copy of the CA file")
            )
        changes += _own_files(connection, machine, key=key)
        if shell is not None:
            by_variable = any(item.by_variable for item in wanteds)
            lines = shell_lines(connection, chosen, shell, ca_text, by_variable=by_variable)
            changes += _shell_files(machine, shell, lines)
    notes += redirections(scope, chosen, machine)
    if scope != "managed" and key is None:
        notes.append(
            f"There is no key yet ({connection.auth.key_hint}). Put it in place with:"
            " onprem-agents setup --key-file FILE"
        )
    return Setup(changes=tuple(changes), notes=tuple(dict.fromkeys(notes)))


def agent_changes(places: Sequence[Place], item: Wanted) -> list[Change]:
    """Return the changes of one agent's files: each takes the keys that belong there, the first one all others."""
    first, *others = places
    parts = [(place, item.of(re.compile(place.keys).fullmatch)) for place in others if place.keys]
    taken = {key for _, part in parts for key in part.values}
    return [
        _agent_change(first, item.of(lambda key: key not in taken)),
        *(_agent_change(place, part) for place, part in parts),
    ]


def _agent_change(place: Place, item: Wanted) -> Change:
    found = find(place.path, within=place.within)
    text = merged_text(found.text, place.form, item, source=str(place.path))
    return Change(found=found, content=found.with_text(text))


def _own_files(connection: Connection, machine: Machine, *, key: DeveloperKey | None) -> list[Change]:
    changes = [
        Change(
            found=find(machine.contract_file),
            content=connection.to_json().encode(),
            summary="what the platform says, for onprem-agents doctor",
        )
    ]
    if key is not None:
        content = f"{key.value}\n".encode()
        changes.append(
            Change(
                found=find(machine.key_file),
                content=content,
                mode=KEY_MODE,
                summary="your key, not shown; mode 600",
            )
        )
    return changes


def _shell_files(machine: Machine, shell: Shell, lines: str) -> list[Change]:
    changes = [Change(found=find(machine.own_folder / SHELL_FILES[shell]), content=lines.encode())]
    if shell in SHELL_START:
        start = find(machine.home / SHELL_START[shell])
        changes.append(Change(found=start, content=_with_line(start.content or b"", start_line(shell))))
    return changes


def _with_line(content: bytes, line: str) -> bytes:
    if MARK.encode() in content:
        return content
    gap = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + gap + line.encode() + b"\n"


def _together(failures: list[OnpremError]) -> OnpremError:
    if len(failures) == 1:
        return failures[0]
    problems = []
    for failure in failures:
        if not isinstance(failure, InvalidInput):
            return failure
        problems += [
            replace(problem, where=f"{failure.source}, {problem.where}") for problem in failure.problems
        ]
    return InvalidInput("setup", problems)
