"""Taking all of it back: every run of setup, and what is left where its records are gone."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.agents import AGENTS, Agent, obstacle
from onprem_agents.agents.chosen import ChosenRoles
from onprem_agents.agents.config import Wanted, at
from onprem_agents.agents.machine import Machine, Place
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import InvalidInput
from onprem_agents.files import write_file
from onprem_agents.setup import journal, key_store, role_choice, start_files
from onprem_agents.setup.certificates import JOINED, WHOLE
from onprem_agents.setup.changes import Found, find
from onprem_agents.setup.merge import merged_text, read
from onprem_agents.setup.prepare import parts
from onprem_agents.setup.shell import MARK, SHELL_FILES
from onprem_agents.setup.unmerge import without_ours

_NEW_FILE_MODE = 0o644


@dataclass(frozen=True, kw_only=True)
class Uninstalled:
    """What was changed or removed, and what lies in setup's own folder that setup never wrote."""

    paths: tuple[Path, ...]
    kept: tuple[Path, ...]


def installed_paths(machine: Machine) -> tuple[Path, ...]:
    """Return all that `uninstall` would touch, in order."""
    records = [entry.path for record in journal.records(machine.history) for entry in record.entries]
    agents = [path for path, _ in _agents_files(machine, _contracts(machine))]
    own = [path for path in (*_own_files(machine), *_laid_down(machine)) if path.exists()]
    starts = [path for path in _start_files(machine) if MARK.encode() in (find(path).content or b"")]
    history = [machine.history] if machine.history.exists() else []
    return tuple(dict.fromkeys((*records, *agents, *starts, *own, *history)))


def uninstall(machine: Machine, *, force: bool = False) -> Uninstalled:
    """Take back every run, newest first, then what no record knows: agents' keys, shell lines, own files, history.

    Raises `InvalidInput` for a file of which our part cannot be told, before any later step is taken.
    """
    touched = installed_paths(machine)
    contracts = _contracts(machine)
    while (record := journal.latest(machine.history)) is not None:
        journal.undo(record, force=force)
    for path, rest in _agents_files(machine, contracts):
        _replace(path, rest)
    for path in _start_files(machine):
        found = find(path)
        if found.content is not None and MARK.encode() in found.content:
            lines = found.content.splitlines(keepends=True)
            _replace(path, b"".join(line for line in lines if MARK.encode() not in line))
    for path in _laid_down(machine):
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a folder that is empty now was made for it
            path.parent.rmdir()
    key_store.kept(machine).forget()
    for path in _own_files(machine):
        path.unlink(missing_ok=True)
    if machine.history.exists():
        shutil.rmtree(machine.history)
    kept = tuple(sorted(machine.own_folder.iterdir())) if machine.own_folder.exists() else ()
    if machine.own_folder.exists() and not kept:
        machine.own_folder.rmdir()
    return Uninstalled(paths=touched, kept=kept)


def _own_files(machine: Machine) -> tuple[Path, ...]:
    shells = (machine.own_folder / name for name in dict.fromkeys(SHELL_FILES.values()))
    bundles = (machine.own_folder / name for name in (JOINED, WHOLE))
    return (machine.key_file, machine.ca_file, machine.contract_file, machine.roles_file, *bundles, *shells)


def _laid_down(machine: Machine) -> tuple[Path, ...]:
    """Return the further files of agents that still are as setup writes them."""
    wanted: list[tuple[Path, str]] = []
    for agent in AGENTS:
        wanted += [(file.path, file.content) for file in agent.premade(machine, "user")]
        if agent.introduction is not None:
            place, values = agent.introduction(machine)
            wanted.append(
                (place.path, merged_text("", place.form, Wanted(values=values), source=str(place.path)))
            )
    return tuple(path for path, text in wanted if find(path).content == text.encode())


def _start_files(machine: Machine) -> Iterator[Path]:
    found = (start_files.start_file(shell, machine) for shell in SHELL_FILES)
    yield from (path for path in found if path is not None)


def _contracts(machine: Machine) -> dict[str, Connection]:
    """Return the contract of the last setup as each agent that it serves sees it, with the role that was chosen."""
    found = find(machine.contract_file)
    if found.content is None:
        return {}
    try:
        contract = parse(found.text, str(machine.contract_file))
    except InvalidInput:
        return {}
    try:
        roles, _ = role_choice.kept(machine).usable(contract)
    except InvalidInput:
        roles = ChosenRoles()
    seen = {agent: roles.seen_by(agent, contract) for agent in AGENTS}
    return {agent.name: view for agent, view in seen.items() if not obstacle(view, agent)}


def _agents_files(
    machine: Machine, contracts: Mapping[str, Connection]
) -> Iterator[tuple[Path, bytes | None]]:
    """Yield the user's files of agents that still name the platform of the kept contract, each without our part."""
    served = start_files.served(machine)
    for agent in AGENTS:
        contract = contracts.get(agent.name)
        places = agent.places(machine, "user")
        if contract is None or not (agent.name in served or _names(contract, agent, places)):
            continue
        ca_file = str(machine.ca_file) if machine.ca_file.exists() else None
        for place, part in parts(places, agent.wanted(contract, None, ca_file)):
            found = find(place.path)
            if found.content is not None:
                yield found.path, _without(found, place, part)


def _names(contract: Connection, agent: Agent, places: Sequence[Place]) -> bool:
    """Tell whether one of the files names the platform."""
    read_values = [
        read(found.text, place.form, str(place.path))
        for place in places
        if (found := find(place.path)).content is not None
    ]
    asked = [at(values, *agent.address_at) for values in read_values]
    return bool(set(asked) & {contract.base_url, contract.anthropic_base_url})


def _without(found: Found, place: Place, part: Wanted) -> bytes | None:
    """Return the file without all values that setup would write there; what stood there before is not known."""
    written = merged_text("", place.form, part, source=str(found.path))
    rest = without_ours(found.text, None, written, place.form, source=str(found.path))
    return found.with_text(rest) if rest is not None else None


def _replace(path: Path, content: bytes | None) -> None:
    if content is None or not content.strip():
        path.unlink(missing_ok=True)
    else:
        write_file(path, content, find(path).mode or _NEW_FILE_MODE)
