"""Where each agent reads its configuration, by scope; no part of a path comes from a contract.

Seen by running Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33 on Linux, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onprem_agents.agents.environment import KEY_FOLDER
from onprem_agents.contract.limits import Agent
from onprem_agents.setup.merge import Format

Scope = Literal["user", "project", "managed"]
# Where the shell's start file reads the variables from, and what makes it do so.
SHELL_FILES = {"bash": "env.sh", "zsh": "env.sh", "fish": "env.fish", "powershell": "env.ps1"}
SHELL_START = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """One configuration file. `within` is the folder that a link on the way must not lead out of."""

    path: Path
    form: Format
    within: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The folders and variables of the machine; `root` stands before /etc, `project` is the working folder."""

    home: Path
    project: Path
    root: Path = Path("/")
    variables: Mapping[str, str]

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
        return self._variable("XDG_STATE_HOME", ".local/state") / "onprem"

    def _variable(self, name: str, default: str) -> Path:
        value = self.variables.get(name, "")
        return Path(value) if Path(value).is_absolute() else self.home / default

    def place(self, agent: Agent, scope: Scope) -> Place:
        """Return the file of that agent and scope."""
        if scope == "managed":
            return self._managed(agent)
        return self._project(agent) if scope == "project" else self._user(agent)

    def _user(self, agent: Agent) -> Place:
        if agent == "claude":
            return Place(path=self._variable("CLAUDE_CONFIG_DIR", ".claude") / "settings.json", form="json")
        if agent == "codex":
            return Place(path=self._variable("CODEX_HOME", ".codex") / "config.toml", form="toml")
        return _opencode(self._variable("XDG_CONFIG_HOME", ".config") / "opencode", None)

    def _project(self, agent: Agent) -> Place:
        if agent == "claude":
            path = self.project / ".claude" / "settings.json"
            return Place(path=path, form="json", within=self.project)
        if agent == "codex":
            path = self.project / ".codex" / "config.toml"
            return Place(path=path, form="toml", within=self.project)
        return _opencode(self.project, self.project)

    def _managed(self, agent: Agent) -> Place:
        etc = self.root / "etc"
        if agent == "claude":
            return Place(path=etc / "claude-code" / "managed-settings.json", form="json")
        if agent == "codex":
            return Place(path=etc / "codex" / "managed_config.toml", form="toml")
        return _opencode(etc / "opencode", None)


def _opencode(folder: Path, within: Path | None) -> Place:
    """Return opencode.jsonc where the user has one, for it is read after opencode.json and wins."""
    names = ("opencode.jsonc", "opencode.json")
    name = next((name for name in names if (folder / name).exists()), "opencode.json")
    return Place(path=folder / name, form="jsonc", within=within)
