"""What an agent's configuration must say: the rendered contract, with the key by reference and never by value.

Every agent can read a key from a file or a command, so the key lies in one file alone, and an exchange of the
key changes that file alone. Run with Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33, 2026-11.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, replace
from typing import Any

from onprem_agents.agents import AgentFile, environment, render
from onprem_agents.agents.environment import KEY_FOLDER, Environment, Shell, script
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import Agent
from onprem_agents.setup.installed import CODEX_KEY_COMMAND_SINCE, Installed
from onprem_agents.setup.places import Scope

KEY_PATH = f"~/{KEY_FOLDER}/key"
READ_KEY = f"cat {KEY_PATH}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The values for one agent's file, paths that must be absent, and what a reader should know."""

    agent: Agent
    values: dict[str, Any]
    removed: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


def wanted(
    connection: Connection, agent: Agent, installed: Installed, *, ca_file: str | None = None
) -> Wanted:
    """Return what that agent's file must say. Raises `InvalidInput` when the model cannot serve the agent."""
    file = next(file for file in render(connection, agent) if file.format != "shell")
    values = _values(file)
    tested = connection.tested_agents.get(agent)
    notes = [note for note in file.notes if "Haiku" in note]
    if installed.release and tested and installed.text != tested:
        notes.append(f"{agent} {installed.text} is installed; the platform was tested with {tested}.")
    if agent == "claude":
        return Wanted(agent=agent, values=_claude(values, ca_file), notes=tuple(notes))
    if agent == "opencode":
        values["provider"]["onprem"]["options"]["apiKey"] = f"{{file:{KEY_PATH}}}"
        return Wanted(agent=agent, values=values, notes=tuple(notes))
    return _codex(connection, values, installed, tuple(notes))


def _values(file: AgentFile) -> dict[str, Any]:
    return dict(tomllib.loads(file.content) if file.format == "toml" else json.loads(file.content))


def _claude(values: dict[str, Any], ca_file: str | None) -> dict[str, Any]:
    # Empty entries beat what the shell exports, so a stale token or a key for the public service stays at home.
    values["env"] |= {"ANTHROPIC_AUTH_TOKEN": "", "ANTHROPIC_API_KEY": ""}
    if ca_file:
        values["env"]["NODE_EXTRA_CA_CERTS"] = ca_file
    return {"apiKeyHelper": READ_KEY, **values}


def _codex(
    connection: Connection, values: dict[str, Any], installed: Installed, notes: tuple[str, ...]
) -> Wanted:
    provider = values["model_providers"]["onprem"]
    at = ("model_providers", "onprem")
    if installed.release is not None and installed.release < CODEX_KEY_COMMAND_SINCE:
        since = ".".join(str(part) for part in CODEX_KEY_COMMAND_SINCE)
        hint = f"Codex before {since} takes its key from {connection.auth.key_env} alone: start it in a new shell."
        other_ways = ((*at, "auth"), (*at, "experimental_bearer_token"))
        return Wanted(agent="codex", values=values, removed=other_ways, notes=(*notes, hint))
    del provider["env_key"]
    provider["auth"] = {"command": "sh", "args": ["-c", READ_KEY]}
    removed = ((*at, "env_key"), (*at, "env_key_instructions"), (*at, "experimental_bearer_token"))
    return Wanted(agent="codex", values=values, removed=removed, notes=notes)


def shell_lines(
    connection: Connection, wanteds: tuple[Wanted, ...], shell: Shell, ca_file: str | None
) -> str:
    """Return the variables that no configuration file can hold: switches of opencode, CA file, NO_PROXY."""
    agents = tuple(item.agent for item in wanteds)
    whole = environment(connection, *agents, ca_file=ca_file)
    by_variable = any(
        item.agent == "codex" and "env_key" in item.values["model_providers"]["onprem"] for item in wanteds
    )
    notes = tuple(note for note in whole.notes if not note.startswith("Where to get the key"))
    kept: Environment = replace(
        whole, keys=whole.keys if by_variable else {}, copies={}, removed=(), notes=notes
    )
    return script(kept, shell)


def redirections(scope: Scope, agents: tuple[Agent, ...]) -> tuple[str, ...]:
    """Return what the scope does not protect from."""
    if scope == "managed" or not {"claude", "opencode"} & set(agents):
        return ()
    note = (
        "A repository's own .claude/settings.json or opencode.json is stronger than this and can send prompts"
        " and the key elsewhere. --scope managed writes the files that no repository can override (as root)."
    )
    return (note,)
