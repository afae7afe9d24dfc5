"""Where a developer's key lies: in setup's file, in the system's keyring, or behind a command of the developer's own.

Agents read the file themselves. The others are read by a command that prints the key; an agent that cannot run one gets
the key from its variable, which the shell's start file fills by the same command.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from onprem_agents.agents.config import KEY_PATH, READ_KEY, Wanted
from onprem_agents.agents.environment import KEY_FOLDER, Environment
from onprem_agents.agents.machine import Machine
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.setup import developer_key
from onprem_agents.setup.changes import KEY_MODE, Change, find
from onprem_agents.setup.developer_key import DeveloperKey

Kind = Literal["file", "keyring", "command"]
SERVICE = "onprem-coding-agents"
# How the lines for bash and zsh, fish and PowerShell read setup's file (setup/shell.py).
_FILE_READERS = (
    f'cat "$HOME/{KEY_FOLDER}/key"',
    f"cat ~/{KEY_FOLDER}/key",
    f'Get-Content -Raw "$HOME/{KEY_FOLDER}/key"',
)


@dataclass(frozen=True, kw_only=True)
class KeyStore:
    """One of the places; `name` is the host whose key it is, `command` prints the key where that is no file."""

    kind: Kind = "file"
    name: str = ""
    command: str = READ_KEY

    @property
    def title(self) -> str:
        """What messages call it."""
        return {"file": KEY_PATH, "keyring": "the system's keyring", "command": "your own command"}[self.kind]

    def read(self, machine: Machine) -> DeveloperKey | None:
        """Return the key, None where none was put there; raises `EnvironmentProblem` when it cannot be read."""
        match self.kind:
            case "file":
                empty = not machine.key_file.exists() or not machine.key_file.stat().st_size
                return None if empty else developer_key.from_file(machine.key_file)
            case "keyring":
                value = _keyring("get_password", SERVICE, self.name)
                return developer_key.checked(value, self.title) if value else None
            case "command":
                return developer_key.from_command(self.command)

    def put(self, key: DeveloperKey) -> None:
        """Store the key where no file holds it; raises `EnvironmentProblem` when that fails."""
        if self.kind == "keyring":
            _keyring("set_password", SERVICE, self.name, key.value)

    def forget(self) -> None:
        """Take the key out again, where no file holds it."""
        if self.kind == "keyring" and _keyring("get_password", SERVICE, self.name):
            _keyring("delete_password", SERVICE, self.name)

    def changes(self, machine: Machine, key: DeveloperKey | None) -> list[Change]:
        """Return the files that the store needs; the one of a former store is emptied."""
        record = find(machine.own_folder / "key-store.json")
        made = []
        if self.kind != "file" or record.content is not None:
            content = json.dumps({"kind": self.kind, "name": self.name, "command": self.command}, indent=2)
            summary = f"the key is in {self.title}"
            made.append(Change(found=record, content=f"{content}\n".encode(), summary=summary))
        if self.kind == "file" and key is not None:
            summary = "your key, not shown; mode 600"
            content = f"{key.value}\n"
            made.append(
                Change(found=find(machine.key_file), content=content.encode(), mode=KEY_MODE, summary=summary)
            )
        elif self.kind != "file" and (former := find(machine.key_file)).content:
            made.append(Change(found=former, content=b"", mode=KEY_MODE, summary=f"emptied: {summary}"))
        return made


def chosen(kind: Kind, name: str, command: str | None) -> KeyStore:
    """Return the store of that kind; `command` is the developer's own, which the kind `command` needs."""
    match kind:
        case "file":
            return KeyStore(name=name)
        case "keyring":
            return KeyStore(kind=kind, name=name, command=f"{_program()} key")
        case "command":
            return KeyStore(kind=kind, name=name, command=command or "")


def kept(machine: Machine) -> KeyStore:
    """Return the store that setup chose on this machine; the file where it says nothing."""
    found = find(machine.own_folder / "key-store.json")
    if found.content is None:
        return KeyStore()
    try:
        data = json.loads(found.text)
        store = KeyStore(kind=data["kind"], name=str(data["name"]), command=str(data["command"]))
        usable = store.kind in get_args(Kind)
    except (ValueError, LookupError, TypeError):
        usable = False
    if usable:
        return store
    problem = Problem(
        where="kind",
        cause="unreadable",
        found="no note of where the key lies",
        why="setup wrote it, and something changed it since",
        fix="run onprem-agents setup --key-store file --key-file FILE",
    )
    raise InvalidInput(str(found.path), [problem])


def by_store(wanted: Wanted, store: KeyStore, *, key_env: str, agent: str) -> Wanted:
    """Return what an agent's file must say so that it reads its key there. Raises `InvalidInput` where it cannot."""
    if store.kind == "file":
        return wanted
    own = json.dumps(wanted.values)
    values = _replaced(wanted.values, {READ_KEY: store.command, f"{{file:{KEY_PATH}}}": f"{{env:{key_env}}}"})
    if KEY_PATH in json.dumps(values):
        problem = Problem(
            where=f"--key-store {store.kind}",
            cause="not-supported",
            found=f"{agent}, which reads its key from {KEY_PATH}",
            why="it runs no command for its key",
            fix="use --key-store file, or set the other agents up alone: onprem-agents setup AGENT",
        )
        raise InvalidInput("setup", [problem])
    by_variable = wanted.by_variable or f"{{file:{KEY_PATH}}}" in own
    return replace(wanted, values=values, by_variable=by_variable)


def in_environment(environment: Environment, store: KeyStore) -> Environment:
    """Return the variables of agents that run a command for their key with the store's own."""
    return replace(environment, values=_replaced(environment.values, {READ_KEY: store.command}))


def in_script(lines: str, store: KeyStore) -> str:
    """Return the lines for a shell's start file with the key read from the store."""
    if store.kind == "file":
        return lines
    for reader in _FILE_READERS:
        lines = lines.replace(reader, store.command)
    return lines


def _replaced(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, words) for inner in value]
    if isinstance(value, str):
        for word, other in words.items():
            value = value.replace(word, other)
    return value


def _program() -> str:
    """Return this command as agents can start it, whose PATH may be another one."""
    own = Path(sys.argv[0])
    path = (
        str(own.resolve()) if own.name == "onprem-agents" and own.exists() else shutil.which("onprem-agents")
    )
    words = [path] if path else [sys.executable, "-c", "from onprem_agents.cli import main; main()"]
    return shlex.join(words)


def _keyring(function: str, *arguments: str) -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        message = (
            "the system's keyring needs the package keyring: pipx inject onprem-coding-agents keyring,"
            " uv tool install --with keyring, or pip install 'onprem-coding-agents[keyring]'"
        )
        raise EnvironmentProblem(message) from error
    try:
        return getattr(keyring, function)(*arguments)
    except keyring.errors.KeyringError as error:
        message = f"the system's keyring does not answer ({error}); unlock it, or use --key-store file"
        raise EnvironmentProblem(message) from error
