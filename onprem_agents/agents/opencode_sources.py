"""What opencode reads its settings from, and Kilo CLI, which is made of it (each run 2026-11-28)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onprem_agents.agents.machine import Machine, Origin, Place, Source


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names that one of them gives to its files and variables.

    `of_user` are those in the user's folder of settings, `files` those everywhere else, from weak to strong;
    `folders` are its own in a repository, of which the last is also one in the home. `by_text` tells that a variable
    may hold the settings themselves.
    """

    name: str
    of_user: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...]
    prefix: str
    by_text: bool = True


def sources(machine: Machine, names: Names) -> tuple[Source, ...]:
    """Return all that it reads, from weak to strong.

    It looks in every folder from the root of the repository down to the working one; without a repository, from the
    root of the file system. Sign-ins of an organisation, which opencode asks for settings over the network, are left
    out.
    """
    told = machine.variables.get
    user = machine.folder("XDG_CONFIG_HOME", ".config") / names.name
    found = [_file("user", user / file) for file in names.of_user]
    if file := told(f"{names.prefix}_CONFIG"):
        found.append(_file("shell", machine.project / file, f"{names.prefix}_CONFIG"))
    folders = machine.ways_up(machine.repository)
    if told(f"{names.prefix}_DISABLE_PROJECT_CONFIG", "").lower() not in ("1", "true"):
        found += [_file("project", folder / file) for folder in reversed(folders) for file in names.files]
        found += [
            _file("project", folder / own / file)
            for folder in folders
            for own in names.folders
            for file in names.files
        ]
    found += [_file("user", machine.home / own / file) for own in names.folders for file in names.files]
    if named := told(variable := f"{names.prefix}_CONFIG_DIR"):
        found += [_file("shell", machine.project / named / file, variable) for file in names.files]
    if names.by_text and (text := told(variable := f"{names.prefix}_CONFIG_CONTENT")):
        place = Place(path=Path(variable), form="jsonc")
        found.append(Source(origin="shell", place=place, variable=variable, text=text))
    managed = machine.machine_file(names.name).parent
    return (*found, *(_file("managed", managed / file) for file in names.files))


def _file(origin: Origin, path: Path, variable: str | None = None) -> Source:
    return Source(origin=origin, place=Place(path=path, form="jsonc"), variable=variable)
