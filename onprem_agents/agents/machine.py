"""A developer's machine: its folders, and what lies where; no part of a path comes from a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onprem_agents.agents.environment import KEY_FOLDER

Scope = Literal["user", "project", "managed"]
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
class Machine:
    """The folders and variables of the machine; `root` stands before /etc, `project` is the working folder."""

    home: Path
    project: Path
    root: Path = Path("/")
    variables: Mapping[str, str]

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
    def contract_file(self) -> Path:
        """The contract that the configuration was made from."""
        return self.own_folder / "connection.json"

    @property
    def history(self) -> Path:
        """Where the backups for `--undo` lie."""
        return self.folder("XDG_STATE_HOME", ".local/state") / "onprem"

    def folder(self, variable: str, default: str) -> Path:
        """Return the folder that a variable names, or the default one in the home."""
        value = self.variables.get(variable, "")
        return Path(value) if Path(value).is_absolute() else self.home / default
