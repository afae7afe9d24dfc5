"""What each agent's object must say, one module an agent, by literals: a test reads every field for every agent.

An agent of the registry without such a module fails at the import of this package.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from onprem_agents.agents import AGENTS
from onprem_agents.agents.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A value put into the file that setup wrote (None: taken out), the cause, and how its fix begins."""

    path: tuple[str, ...]
    value: Any
    cause: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is expected of one agent.

    `says_version` is what its `--version` prints. `values` and `environment` are those of the sample contract;
    half of `least_context_tokens` is too small a window;
    `places` are its files by scope below `home`, `work` and `root`; `moved` is that of its user when its own variable
    names the folder `/moved`, None where it has no such variable. `by_variable` says that it takes the key from its
    variable alone. `headless` is the command of `doctor --agent` for a task in the folder `/f`. `own_keys`
    pairs a configuration with the key and setting found in it; `keyless` are changes after which no key is sent.
    `introduction` is what setup writes into its file of state, by place. `unattended` is the command of the tests with
    the real agent, run by `developer`; `looks_for` is what it asks for outside all the same. `withheld` are
    tools that would ask outside, which it offers no model then. `also_written` are files
    that setup writes beside the first, by scope; a fault or a change may name a variable of the environment instead of
    a path in a file.
    """

    says_version: str
    values: dict[str, Any]
    least_context_tokens: int
    environment: Environment
    places: dict[str, tuple[str, ...]]
    also_written: dict[str, tuple[str, ...]] = field(default_factory=dict)
    moved: str | None
    by_variable: bool = False
    headless: tuple[str, ...]
    faults: tuple[Fault, ...]
    keyless: tuple[dict[str, Any], tuple[str, ...]]
    own_keys: tuple[tuple[dict[str, Any], tuple[str, str] | None], ...]
    unattended: str
    looks_for: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    developer: str
    introduction: dict[str, Any] = field(default_factory=dict)

    def written(self, scope: str) -> tuple[str, ...]:
        """Return the files that setup writes in a scope, by their place below `home`, `work` or `root`."""
        if scope not in self.places:
            return ()
        state = tuple(self.introduction) if scope == "user" else ()
        return (self.places[scope][0], *self.also_written.get(scope, ()), *state)


def _expected(name: str) -> Expected:
    found = importlib.import_module(f"{__name__}.{name}").EXPECTED
    assert isinstance(found, Expected)
    return found


EXPECTED: dict[str, Expected] = {agent.name: _expected(agent.name) for agent in AGENTS}
