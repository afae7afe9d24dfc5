"""From the connection contract to the agents' own configuration: pure functions, no file is touched here."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from onprem_agents.agents import ccr, claude, codex, litellm, opencode
from onprem_agents.agents.environment import PATH_HINTS, Environment, Shell, merged, script
from onprem_agents.agents.files import AgentFile
from onprem_agents.contract.connection import Connection, Target
from onprem_agents.contract.limits import Agent, agent_obstacle
from onprem_agents.errors import InvalidInput, Problem

__all__ = ["AGENTS", "AgentFile", "Environment", "environment", "obstacle", "render"]

AGENTS: tuple[Agent, ...] = ("opencode", "codex", "claude")
_MODULES: dict[Target, ModuleType] = {
    "opencode": opencode,
    "codex": codex,
    "claude": claude,
    "ccr": ccr,
    "litellm": litellm,
}
# Both proxies stand in front of Claude Code.
_AGENT_BEHIND: dict[Target, Agent] = {
    "opencode": "opencode",
    "codex": "codex",
    "claude": "claude",
    "ccr": "claude",
    "litellm": "claude",
}
# Who reads which variable for a private CA, seen by running them, 2026-11; all but the last add to
# the certificates of the system.
_CA_VARIABLE: dict[Target, str] = {
    "opencode": "NODE_EXTRA_CA_CERTS",
    "codex": "CODEX_CA_CERTIFICATE",
    "claude": "NODE_EXTRA_CA_CERTS",
    "ccr": "NODE_EXTRA_CA_CERTS",
    "litellm": "SSL_CERT_FILE",
}


def render(
    connection: Connection, *targets: Target, shell: Shell = "bash", ca_file: str | None = None
) -> tuple[AgentFile, ...]:
    """Return every file for these targets, and last the lines for the shell's start file.

    Raises `InvalidInput` when the main model does not serve one of them.
    """
    problems = [
        Problem(
            where=f"setup for {target}",
            cause="not-supported",
            found=f"role {connection.main_role} serves {connection.main.model_id}",
            why=reason,
            fix="use another agent, or have the platform serve a role that supports this one",
        )
        for target in targets
        if (reason := obstacle(connection, target))
    ]
    if problems:
        raise InvalidInput("the connection contract", problems)
    files: list[AgentFile] = [file for target in targets for file in _MODULES[target].files(connection)]
    lines = script(environment(connection, *targets, ca_file=ca_file), shell)
    return (*files, AgentFile(path_hint=PATH_HINTS[shell], format="shell", content=lines))


def environment(connection: Connection, *targets: Target, ca_file: str | None = None) -> Environment:
    """Return the environment that these targets start in, merged."""
    auth, tls = connection.auth, connection.tls
    whole = merged(_MODULES[target].environment(connection) for target in targets)
    names = tuple(dict.fromkeys(_CA_VARIABLE[target] for target in targets))
    notes = [f"Where to get the key for {auth.key_env}: {auth.key_hint}", *whole.notes]
    if tls.ca_hint and not ca_file:
        notes.append(f"The CA file: {tls.ca_hint} . Then set {' and '.join(names)} to its path (--ca-file).")
    return replace(
        whole,
        values=whole.values | (dict.fromkeys(names, ca_file) if ca_file else {}),
        no_proxy=tuple(dict.fromkeys((*whole.no_proxy, connection.host))),
        notes=tuple(notes),
    )


def obstacle(connection: Connection, target: Target) -> str | None:
    """Return why the main role cannot serve that target, or None if it can."""
    agent, main = _AGENT_BEHIND[target], connection.main
    if agent in main.supported_agents:
        return agent_obstacle(
            agent,
            context_tokens=main.context_tokens,
            max_output_tokens=main.max_output_tokens,
            tool_calling=main.tool_calling,
        )
    return main.unsupported_reasons.get(agent, f"the contract does not list {agent} for this role")
