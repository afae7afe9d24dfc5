"""Where setup gets the developer's key from, and that the gateway takes it before it is stored."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.probes.key_trial import try_key
from onprem_agents.setup import developer_key
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.setup.key_store import KeyStore

_TRIES = 3


def interactive() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


@dataclass(frozen=True, kw_only=True)
class KeySource:
    """What the command line says of the key; `check` tells whether a new one is tried at the gateway."""

    key_file: Path | None
    key_command: str | None
    check: bool
    ca_file: Path | None
    proxy: str | None

    def key(
        self, contract: Connection, machine: Machine, present: KeyStore
    ) -> tuple[DeveloperKey | None, str]:
        """Return the key, None where there is none yet, and a note on it. Raises `InvalidInput` for a refused one."""
        kept = present.read(machine) if present.kind != "command" else None
        given = self._given(contract, machine) or kept
        if given is not None:
            return given, self._tried(contract, given, kept)
        if not interactive():
            return None, ""
        click.echo(f"Where to get your key: {contract.auth.key_hint}", err=True)
        for tries_left in range(_TRIES - 1, -1, -1):
            text = click.prompt(
                "Your key (not shown; empty: later)",
                hide_input=True,
                default="",
                show_default=False,
                err=True,
            )
            if not text.strip():
                return None, ""
            try:
                typed = developer_key.checked(text, "the prompt")
                return typed, self._tried(contract, typed, None)
            except InvalidInput as error:
                if not tries_left:
                    raise
                click.echo(f"{error}\nOnce more:", err=True)
        raise AssertionError  # the last try returns or raises

    def _given(self, contract: Connection, machine: Machine) -> DeveloperKey | None:
        if self.key_file is not None:
            return developer_key.from_file(self.key_file)
        if self.key_command is not None:
            return developer_key.from_command(self.key_command)
        return developer_key.from_variables(machine.variables, contract.auth.key_env)

    def _tried(self, contract: Connection, key: DeveloperKey, kept: DeveloperKey | None) -> str:
        left_out = (
            f"Of the key from {key.source} left out: {', '.join(key.left_out)}." if key.left_out else ""
        )
        if not self.check or (kept is not None and kept.value == key.value):
            return left_out
        click.echo("Trying the key …", err=True)
        found = try_key(contract, key, ca_file=self.ca_file, proxy=self.proxy)
        if found.cause == "key-refused":
            problem = Problem(
                where=key.source,
                cause="bad-secret",
                found=f"a key that the gateway does not take ({found.evidence})",
                why="it is wrong, expired or revoked, and no agent could work with it; nothing was written",
                fix=f"{found.fix}; --no-check stores it untried",
            )
            raise InvalidInput("the key", [problem])
        untried = f"The key could not be tried ({found.evidence}); {found.fix}." if found.fix else ""
        return " ".join(filter(None, (left_out, untried)))
