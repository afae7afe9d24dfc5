"""A developer's machine: its folders, and what lies where; no part of a path comes from a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from onprem_agents.agents.environment import KEY_FOLDER
from onprem_agents.agents.places import System, machine_file, system_of_this_machine

Scope = Literal["user", "project", "managed"]
Origin = Literal["user", "project", "managed", "shell"]
"""Who put a setting there: one of the scopes, or a variable of the shell."""
Form = Literal["json", "jsonc", "toml", "yaml"]
"""How an agent reads its file: JSON, JSON with comments, TOML, or YAML."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One configuration file. `within` is the folder that a link on the way must not lead out of.

    `keys` is a pattern of the top keys that setup writes here and not into the agent's first file.
    """

    path: Path
    form: Form
    within: Path | None = None
    keys: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """One thing that an agent reads its settings from: a file, or `text` where a variable holds them itself.

    `origin` is who put it there; a `variable` of the shell that leads to it is named.
    """

    origin: Origin
    place: Place
    variable: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The folders and variables of the machine; `root` stands before /etc, `project` is the working folder.

    `system` is whose conventions hold for the files of a whole machine.
    """

    home: Path
    project: Path
    root: Path = Path("/")
    variables: Mapping[str, str]
    system: System = field(default_factory=system_of_this_machine)

    @property
    def etc(self) -> Path:
        """The folder of settings for the whole machine."""
        return self.root / "etc"

    @property
    def own_folder(self) -> Path:
        """The developer's own folder of this product: the key, the variables, the contract as of setup."""
        return self.home / KEY_FOLDER

    @property
    def key_file(self) -> Path:
        """The one file that holds the developer's key; the agents' configurations point at it."""
        return self.own_folder / "key"

    @property
    def ca_file(self) -> Path:
        """The developer's copy of the CA file of a private issuer, so that it stays where the agents look."""
        return self.own_folder / "ca.pem"

    @property
    def machine_folder(self) -> Path:
        """The folder of this product for the whole machine: the CA file, for agents of all users."""
        return self.etc / "onprem"

    @property
    def contract_file(self) -> Path:
        """The contract that the configuration was made from."""
        return self.own_folder / "connection.json"

    @property
    def roles_file(self) -> Path:
        """The roles that the developer chose for agents, where they are not the platform's main role."""
        return self.own_folder / "roles.json"

    @property
    def history(self) -> Path:
        """Where the backups for `--undo` lie."""
        return self.folder("XDG_STATE_HOME", ".local/state") / "onprem"

    @property
    def repository(self) -> Path | None:
        """The root of the repository that the working folder lies in, or None outside of any."""
        return next((folder for folder in self.ways_up() if (folder / ".git").exists()), None)

    def ways_up(self, stop: Path | None = None) -> tuple[Path, ...]:
        """Return the working folder and those above it, up to `stop` or else to the root of all."""
        folders: list[Path] = []
        for folder in (self.project, *self.project.parents):
            folders.append(folder)
            if folder == stop:
                break
        return tuple(folders)

    def seen(self, path: Path) -> Path:
        """Return a path below `root` as programs see it once `root` is their /."""
        return Path("/") / path.relative_to(self.root) if path.is_relative_to(self.root) else path

    def machine_file(self, agent: str) -> Path:
        """Return an agent's file for the whole machine, below `root`."""
        file = machine_file(agent, self.system, self.variables)
        return self.root / Path(*file.parts[1:]) if self.system != "windows" else Path(file)

    def folder(self, variable: str, default: str) -> Path:
        """Return the folder that a variable names, or the default one in the home."""
        value = self.variables.get(variable, "")
        return Path(value) if Path(value).is_absolute() else self.home / default
