"""From a contract to the list of files to write for one machine; reads, and writes nothing."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onprem_agents.agents import AGENTS, Agent, obstacle, unused
from onprem_agents.agents.chosen import NONE_CHOSEN, ChosenRoles
from onprem_agents.agents.config import Premade, Wanted, at
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, OnpremError
from onprem_agents.setup import start_files
from onprem_agents.setup.certificates import Certificates, certificates
from onprem_agents.setup.changes import Change, find
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.setup.installed import Installed, install_command
from onprem_agents.setup.key_store import KeyStore, by_store
from onprem_agents.setup.merge import merged_text, read
from onprem_agents.setup.outdated import contract_of_before, outdated
from onprem_agents.setup.shell import Shell
from onprem_agents.setup.wanted import redirections, shell_lines, stronger_variables, wanted

_FILES = {
    "user": "file of the user's own",
    "project": "file of a repository",
    "managed": "file for the whole machine",
}


NOT_HERE = "not on PATH; onprem-agents setup NAME prepares one of them and tells how to install it"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a run would do: changes in order, and sentences to show."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def choose(
    connection: Connection,
    named: Agent | None,
    found: Sequence[Installed],
    scope: Scope,
    roles: ChosenRoles = NONE_CHOSEN,
) -> tuple[tuple[Agent, ...], dict[str, str]]:
    """Return which agents to configure, and why the others are left out.

    Without a name: those that are installed, that the platform is for and that the model can serve; when none is
    installed, or for the files of a whole machine, all of the others too. A named one is never left out here.
    """
    if named is not None:
        return (named,), {}
    left_out: dict[str, str] = {}
    prepare_all = scope == "managed" or not any(item.path for item in found)
    for installed in found:
        agent = installed.agent
        if (
            (reason := unused(connection, agent))
            or (reason := useless_in(scope, agent))
            or (reason := obstacle(roles.seen_by(agent, connection), agent))
        ):
            left_out[agent.name] = reason
        elif installed.path is None and not prepare_all:
            left_out[agent.name] = NOT_HERE
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


def prepare(  # noqa: PLR0913 - each is a choice of its own
    connection: Connection,
    agents: Sequence[Installed],
    machine: Machine,
    scope: Scope,
    *,
    key: DeveloperKey | None,
    ca_file: Path | None = None,
    shell: Shell | None = None,
    store: KeyStore | None = None,
    through_proxy: bool = False,
    roles: ChosenRoles = NONE_CHOSEN,
) -> Setup:
    """Return the changes for these agents. `shell` None leaves the shells' start files alone; `ca_file` is copied, and
    no matter of a project's. `store` is where the key lies, for a user; `through_proxy` leaves NO_PROXY alone,
    and `roles` are those that the developer chose.

    Raises `InvalidInput` with the problems of every file at once, `EnvironmentProblem` for unreadable ones.
    """
    chosen = tuple(item.agent for item in agents)
    served = _served(connection, chosen, machine, scope, roles)
    trusted = _certificates(served, machine, scope, ca_file)
    store = store if store is not None and scope == "user" else KeyStore()
    before = contract_of_before(machine) if scope == "user" else None
    changes, failures, wanteds = [], [], []
    for installed in agents:
        item = _stored(
            installed.agent,
            wanted(roles.seen_by(installed.agent, connection), installed, ca_file=trusted.added),
            connection,
            store,
        )
        try:
            item = _adapted(installed, item, machine, scope, before)
            changes += agent_changes(installed.agent.places(machine, scope), item)
            changes += [_premade_change(file) for file in installed.agent.premade(machine, scope)]
        except OnpremError as error:
            failures.append(error)
        wanteds.append(item)
    if failures:
        raise _together(failures)
    notes = [*trusted.notes, *(note for item in wanteds for note in item.notes)]
    notes += [missing(item, connection) for item in agents if item.path is None]
    changes += trusted.changes
    wanteds += [
        _stored(agent, agent.wanted(roles.seen_by(agent, connection), None, trusted.added), connection, store)
        for agent in served
        if agent not in chosen
    ]
    by_variable = any(item.by_variable for item in wanteds)

    def lines(kind: Shell) -> str:
        return shell_lines(
            connection,
            served,
            kind,
            trusted,
            by_variable=by_variable and scope == "user",
            store=store,
            through_proxy=through_proxy,
            roles=roles,
        )

    if scope == "user":
        changes += _introductions(chosen, machine)
        changes += [_kept_contract(connection, machine), *store.changes(machine, key)]
    if shell is not None and scope == "user":
        names = [agent.name for agent in served]
        changes += start_files.of_user(machine, shell, names, lines(shell))
    if shell is not None and scope == "managed":
        changes += start_files.of_machine(machine, lines)
        notes += start_files.by_hand(machine)
    notes += (*redirections(scope, chosen, machine), *stronger_variables(chosen, machine))
    if scope != "managed" and key is None and store.kind != "command":
        notes.append(
            f"There is no key yet ({connection.auth.key_hint}). Put it in place with:"
            " onprem-agents setup --key-file FILE"
        )
    return Setup(changes=tuple(changes), notes=tuple(dict.fromkeys(notes)))


def _served(
    connection: Connection, chosen: Sequence[Agent], machine: Machine, scope: Scope, roles: ChosenRoles
) -> tuple[Agent, ...]:
    """Return the agents that a shell must serve: the chosen ones and, of a user's, those that were set up before."""
    before = start_files.served(machine) if scope == "user" else ()
    return tuple(
        agent
        for agent in AGENTS
        if agent in chosen or (agent.name in before and not obstacle(roles.seen_by(agent, connection), agent))
    )


def _stored(agent: Agent, item: Wanted, connection: Connection, store: KeyStore) -> Wanted:
    return by_store(item, store, key_env=connection.auth.key_env, agent=agent.title)


def _adapted(
    installed: Installed, item: Wanted, machine: Machine, scope: Scope, before: Connection | None
) -> Wanted:
    agent, found = installed.agent, []
    for place in agent.places(machine, scope):
        text = find(place.path, within=place.within).text
        found.append(read(text, place.form, str(place.path)))
    item = agent.adapted(item, found[0], machine, scope)
    present = {key: value for values in reversed(found) for key, value in values.items()}
    former = outdated(before, installed, machine, item.values, present)
    return replace(item, former=(*item.former, *former))


def agent_changes(places: Sequence[Place], item: Wanted) -> list[Change]:
    """Return the changes of one agent's files."""
    return [_agent_change(place, part) for place, part in parts(places, item)]


def parts(places: Sequence[Place], item: Wanted) -> list[tuple[Place, Wanted]]:
    """Return what each of an agent's files must say: the keys that belong there, the first one all others."""
    first, *others = places
    own = [(place, item.of(re.compile(place.keys).fullmatch)) for place in others if place.keys]
    taken = {key for _, part in own for key in part.values}
    return [
        *((place, part) for place, part in own if part.values),
        (first, item.of(lambda key: key not in taken)),
    ]


def _agent_change(place: Place, item: Wanted) -> Change:
    found = find(place.path, within=place.within)
    text = merged_text(found.text, place.form, item, source=str(place.path))
    return Change(found=found, content=found.with_text(text), kind=place.form)


def _introductions(agents: Sequence[Agent], machine: Machine) -> Iterator[Change]:
    """Yield the mark that an agent's first pages were seen, where it is not; a file that is broken stays as it is."""
    for agent in agents:
        if agent.introduction is None:
            continue
        place, values = agent.introduction(machine)
        with contextlib.suppress(OnpremError):
            found = find(place.path)
            if any(name not in found.text for name in values):
                text = merged_text(found.text, place.form, Wanted(values=values), source=str(place.path))
                yield Change(found=found, content=found.with_text(text), kind=place.form)


def _premade_change(file: Premade) -> Change:
    return Change(found=find(file.path), content=file.content.encode(), summary=file.why)


def _kept_contract(connection: Connection, machine: Machine) -> Change:
    return Change(
        found=find(machine.contract_file),
        content=connection.to_json().encode(),
        summary="what the platform says, for onprem-agents doctor",
    )


def _certificates(
    agents: Sequence[Agent], machine: Machine, scope: Scope, ca_file: Path | None
) -> Certificates:
    if scope == "project":
        return Certificates()
    image = scope == "managed" and machine.root != Path("/")  # whose shells are not this one
    told: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for agent in agents for name in agent.ca_variables):
        own = [_setting(agent, name, machine, scope) for agent in agents if agent.env_table]
        told[name] = [file for file in (None if image else machine.variables.get(name), *own) if file]
    return certificates(machine, scope, ca_file, agents, told)


def _setting(agent: Agent, name: str, machine: Machine, scope: Scope) -> str | None:
    """Return what the table of variables in the agent's own file says now; broken files are told of elsewhere."""
    place = agent.place(machine, scope)
    try:
        value = at(read(find(place.path).text, place.form, str(place.path)), agent.env_table or "", name)
    except OnpremError:
        return None
    return value if isinstance(value, str) else None


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
