"""Homes that other providers, older how-tos and repositories left: as data, laid out in a folder.

Each file of `homes` is one home of one agent: `files` and `variables` are there before setup, `later` comes after it.
`found` is what the doctor says before setup (at least), `left` all that it says after it. `asked` is whom the agent
asks then, as running it shows, and `mend` what the doctor's fix comes to. A path is below the home with ~, else
below the repository.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from onprem_agents.agents import Agent, agent_named
from onprem_agents.agents.machine import Machine
from onprem_agents.setup import journal
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.setup.installed import Installed
from onprem_agents.setup.prepare import prepare
from onprem_agents.setup.shell import SHELL_FILES, Shell
from tests.unit.contract_samples import contract

_SHELL: Shell = "bash"
KEY = DeveloperKey(value="onprem-0123456789-the-key-of-alice", source="the test")
ELSEWHERE = "192.0.2.7"
"""Set aside for examples by RFC 5737."""
_FOLDER = Path(__file__).parent / "homes"


@dataclass(frozen=True, kw_only=True)
class LeftoverHome:
    """One home, as its file says it."""

    name: str
    about: str
    agent: str
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    found: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    asked: Literal["ours", "elsewhere", "nobody"]
    mend: Mapping[str, list[str]] = field(default_factory=dict)


def _read(path: Path) -> LeftoverHome:
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in ("found", "left"):
        values[name] = tuple(values.get(name, ()))
    return LeftoverHome(name=path.stem, **values)


HOMES = tuple(_read(path) for path in sorted(_FOLDER.glob("*.yaml")))


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A home in a folder, and the repository that the agent works in."""

    home: LeftoverHome
    folder: Path

    @property
    def agent(self) -> Agent:
        """The agent that lives there."""
        return agent_named(self.home.agent)

    @property
    def repository(self) -> Path:
        """The root of the repository."""
        return self.folder / "home" / "repository"

    def machine(self, *, mended: bool = False) -> Machine:
        """Return the machine as the doctor sees it; mended, with the variables unset that its fix names."""
        unset = self.home.mend.get("unset", []) if mended else []
        variables = {
            name: self._filled(value) for name, value in self.home.variables.items() if name not in unset
        }
        return Machine(
            home=self.folder / "home",
            project=self.repository / self.home.folder,
            root=self.folder / "root",
            variables=variables,
        )

    def lay_out(self) -> None:
        """Write what is there before setup."""
        self.machine().project.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", str(self.repository)], check=True)
        self._write(self.home.files)

    def set_up(self) -> None:
        """Run setup as the command does, then write what comes later."""
        installed = Installed(agent=self.agent, path=f"/bin/{self.home.agent}", release=(99, 0, 0))
        done = prepare(contract(), [installed], self.machine(), "user", key=KEY, shell=_SHELL)
        journal.apply(done.changes, self.machine().history)
        self._write(self.home.later)

    def mend(self) -> None:
        """Take away the files that the doctor's fix names."""
        for path in self.home.mend.get("remove", []):
            self._path(path).unlink()

    def point_at(self, address: str) -> dict[Path, bytes]:
        """Make all that setup wrote name that address; return what was there."""
        before = {}
        for path in self._written():
            before[path] = path.read_bytes()
            path.write_bytes(before[path].replace(contract().anthropic_base_url.encode(), address.encode()))
        return before

    def point_back(self, before: Mapping[Path, bytes]) -> None:
        """Put the platform's own address back, and with it all that the agent changed there."""
        for path, content in before.items():
            path.write_bytes(content)

    def _written(self) -> list[Path]:
        machine = self.machine()
        own = (machine.contract_file, machine.own_folder / SHELL_FILES[_SHELL])
        return [path for path in (self.agent.place(machine, "user").path, *own) if path.exists()]

    def _write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._filled(text), encoding="utf-8")

    def _path(self, name: str) -> Path:
        home = self.folder / "home"
        return home / name.removeprefix("~/") if name.startswith("~/") else self.repository / name

    def _filled(self, text: str) -> str:
        home = self.folder / "home"
        return text.replace("{home}", str(home)).replace("{repository}", str(self.repository))
