"""A coding agent, or a proxy on the developer's own machine before one: everything the product knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from onprem_agents.agents.config import ConfigFile, KeyPath, Premade, Release, Values, Wanted, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.leftover import Leftover
from onprem_agents.agents.machine import Machine, Place, Scope, Source
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import output_cap_tokens

Variables = Mapping[str, str]


def key_in(variables: Variables, name: str) -> tuple[str, str] | None:
    """Return the key in a variable of the shell and, for messages, where it is; None where it holds none."""
    value = variables.get(name)
    return (value, f"the variable {name}") if value else None


SCOPES: tuple[Scope, ...] = ("user", "project", "managed")
"""From weak to strong, as every agent has it that reads a file of each."""


@dataclass(frozen=True, kw_only=True)
class Configured:
    """Whatever can be pointed at a platform.

    `ca_variables` are those that it reads for a private CA, the one that setup sets first. `files` are its own,
    for copying by hand; `environment` is what it must start in. `tried` is the date of what is known of it.
    """

    name: str
    title: str
    tried: str
    ca_variables: tuple[str, ...]
    files: Callable[[Connection], tuple[ConfigFile, ...]]
    environment: Callable[[Connection], Environment]

    @property
    def told_ca(self) -> tuple[str, ...]:
        """The variables that setup sets to the CA file."""
        return self.ca_variables[:1]


@dataclass(frozen=True, kw_only=True)
class Software(Configured):
    """What agents and proxies have in common.

    `package` and `version` name the release that was run against a scripted loopback server, on `tried`;
    `packaged_as` is what the package calls the program, where that is not its own name.
    """

    package: str
    registry: Literal["npm", "PyPI"]
    version: str
    packaged_as: str | None = None

    def install_command(self, version: str | None) -> str:
        """Return the command that installs it, at that version where one is given."""
        match self.registry:
            case "npm":
                command = f"npm install -g {self.package}" + (f"@{version}" if version else "")
                if self.packaged_as is None:
                    return command
                return f'{command} && ln -sf {self.packaged_as} "$(npm prefix -g)/bin/{self.name}"'
            case "PyPI":
                return f"pip install {self.package}" + (f"=={version}" if version else "")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an agent's own arithmetic asks of a served window, in tokens, as measured on `tried` with `version`.

    `first_request` is about what it starts with; `least_compaction` is the size at which it may compact at the least,
    which is more; `compacts_at` gives, of window and output cap, where it does.
    """

    first_request_tokens: int
    least_compaction_tokens: int
    compacts_at: Callable[[int, int], int]

    @property
    def least_context_tokens(self) -> int:
        """The least window, of the sizes that are served (powers of two), that leaves it room to work."""
        window = 1024
        while self.compacts_at(window, output_cap_tokens(window)) < self.least_compaction_tokens:
            window *= 2
        return window


@dataclass(frozen=True, kw_only=True)
class Agent(Software):
    """A coding agent.

    `path` is where it asks, below the host. `places` are its files by scope: setup writes the first and those with keys
    of their own; `scopes` are those that it has files for. `sources` is all that it reads, each later one winning
    (None: just its places), of which it takes what it `heeds`, given the settings so far. `home_variable` moves its own
    folder, where it has such a variable. `ignored_in_project` are keys that it does not take from a repository's file,
    `address_at` is where its file, or its environment, says whom to ask, `env_table` a table in it that beats the
    shell's variables. `decides` names the settings that together say who is asked (None: `address_at`), and `leftovers`
    are those of other providers that beat it. `wanted` is its file for one machine, of the installed release and a CA
    file; `adapted` fits it to what stands there, the machine and the scope; `premade` are files that must lie beside
    it. `causes` names what is wrong in its merged settings (with the shell's variables and the key file), `own_key` a
    key that it sends beside setup's, with the setting it is from. `headless` is the command (program, contract, folder,
    task) for one task without a person; `says` pairs a pattern in what it prints with the diagnosis's cause and fix.
    `introduction` is its own file of state with what says there that its first pages have been seen.
    """

    path: str
    limits: Limits
    places: Callable[[Machine, Scope], tuple[Place, ...]]
    scopes: tuple[Scope, ...] = get_args(Scope)
    home_variable: str | None
    ignored_in_project: tuple[str, ...] = ()
    address_at: KeyPath
    env_table: str | None = None
    sources: Callable[[Machine], tuple[Source, ...]] | None = None
    heeds: Callable[[Source, Values, Machine], bool] = lambda _source, _values, _machine: True
    decides: Callable[[Values], tuple[tuple[KeyPath, ...], str]] | None = None
    leftovers: tuple[Leftover, ...] = ()
    wanted: Callable[[Connection, Release | None, str | None], Wanted]
    adapted: Callable[[Wanted, Values, Machine, Scope], Wanted] = lambda item, *_: item
    premade: Callable[[Machine, Scope], Iterable[Premade]] = lambda *_: ()
    causes: Callable[[Values, Connection, Variables, Path], Iterator[Diagnosis]]
    own_key: Callable[[Values, Variables], tuple[str, str] | None]
    headless: Callable[[str, Connection, Path, str], tuple[str, ...]]
    says: tuple[tuple[str, str, str], ...] = ()
    introduction: Callable[[Machine], tuple[Place, Values]] | None = None

    def place(self, machine: Machine, scope: Scope) -> Place:
        """Return the file that setup writes."""
        return self.places(machine, scope)[0]

    def reads(self, machine: Machine) -> tuple[Source, ...]:
        """Return all that it would read on that machine, from weak to strong; what is not there is among it."""
        if self.sources is not None:
            return self.sources(machine)
        return tuple(
            Source(origin=scope, place=place)
            for scope in self.scopes
            for place in self.places(machine, scope)
        )

    def asks(self, values: Values) -> tuple[tuple[KeyPath, ...], str]:
        """Return the settings that say whom it asks, and whom they name (nothing: the agent's own default)."""
        if self.decides is not None:
            return self.decides(values)
        return (self.address_at,), str(at(values, *self.address_at) or "")

    def obstacle(self, *, context_tokens: int, max_output_tokens: int, tool_calling: bool) -> str | None:
        """Return why it cannot work with a model of these limits (tokens), or None if it can."""
        if not tool_calling:
            return "the model is served without tool calling, so the agent could talk but not edit files"
        limit = self.limits.compacts_at(context_tokens, max_output_tokens)
        if limit >= self.limits.least_compaction_tokens:
            return None
        return (
            f"a context of {context_tokens} makes {self.name} compact at {max(limit, 0)} tokens, which leaves no room"
            f" beside its own first request of about {self.limits.first_request_tokens}, serve at least"
            f" {self.limits.least_context_tokens}"
        )


@dataclass(frozen=True, kw_only=True)
class Proxy(Software):
    """A translation proxy on the developer's own machine; it is set up by hand, for the agent `behind` it."""

    behind: Agent


@dataclass(frozen=True, kw_only=True)
class Client(Configured):
    """An editor, or any other client that is set up by hand; `source` is where its settings are described."""

    source: str

    @property
    def told_ca(self) -> tuple[str, ...]:
        """All of them: which language it is written in is not known."""
        return self.ca_variables


Target = Agent | Proxy | Client
"""Anything that `setup --print` has a configuration for."""
