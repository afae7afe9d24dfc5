"""Claude Code: the `env` block of settings.json (Claude Code 2.1.330, 2026-11).

The key is exported in the shell as ANTHROPIC_AUTH_TOKEN (one Bearer header) and is in no file. `apiKeyHelper`
is not used: it sends the key in two headers, and beside a stale token the two would differ.
ANTHROPIC_API_KEY is unset, or a key for the public service would travel along. An entry of `env` beats the
variable of the shell.
Opus, Sonnet and sub-agents are the main role, Haiku (titles, summaries) the small one.
"""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from onprem_agents.agents.files import AgentFile, json_text
from onprem_agents.contract.connection import Connection, Role

REDIRECTION = (
    "A repository's own .claude/settings.json beats this file and could send prompts elsewhere; where that"
    " matters, put the same content into /etc/claude-code/managed-settings.json."
)
MAX_RETRIES = 4  # the default, 10, makes a wrong key look like a hang of three minutes; 2026-11


def files(connection: Connection) -> tuple[AgentFile, ...]:
    """Return settings.json for the gateway that the contract names."""
    return (settings_file(connection, base_url=connection.anthropic_base_url),)


def settings_file(connection: Connection, *, base_url: str) -> AgentFile:
    """Return settings.json for that address, which is the gateway or a translation proxy before it."""
    main, small = connection.main, small_role(connection)
    values = {
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_MODEL": main.model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": main.model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": main.model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": small.model,
        "CLAUDE_CODE_SUBAGENT_MODEL": main.model,
        **limits(connection),
    }
    capabilities = {role.model: ",".join(role.claude_capabilities) for role in (main, small)}
    if switches := ";".join(f"{model}={names}" for model, names in capabilities.items() if names):
        values["CLAUDE_CODE_MODEL_CAPABILITIES"] = switches
    values |= quiet()
    settings = {"env": values, "skipWebFetchPreflight": True, "permissions": {"deny": ["WebSearch"]}}
    notes = [REDIRECTION]
    if small.context_tokens < main.context_tokens:
        notes.append(
            f"The Haiku slot ({small.model}) has a window of {small.context_tokens} tokens, less than the"
            f" {main.context_tokens} that Claude Code assumes for every model: do not work in it."
        )
    return AgentFile(
        path_hint="~/.claude/settings.json", format="json", content=json_text(settings), notes=tuple(notes)
    )


def environment(connection: Connection) -> Environment:
    """Return the key's way into Claude Code."""
    key = connection.auth.key_env
    return Environment(
        keys={key: "key"}, copies={"ANTHROPIC_AUTH_TOKEN": key}, removed=("ANTHROPIC_API_KEY",)
    )


def small_role(connection: Connection) -> Role:
    """Return the role for the Haiku slot: the small one if it serves Claude Code, else the main one."""
    return connection.small if "claude" in connection.small.supported_agents else connection.main


def output_tokens(connection: Connection) -> int:
    """Return the one output cap, in tokens, that Claude Code sends to main and small role alike."""
    return min(connection.main.max_output_tokens, small_role(connection).context_tokens // 4)


def limits(connection: Connection) -> dict[str, str]:
    """Return the variables for window, output cap and time limits."""
    return {
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(connection.main.context_tokens),
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(output_tokens(connection)),
        "CLAUDE_CODE_MAX_RETRIES": str(MAX_RETRIES),
        "API_TIMEOUT_MS": str(connection.timeouts.client_timeout_seconds * 1000),
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": str(connection.timeouts.stream_idle_seconds * 1000),
    }


def quiet() -> dict[str, str]:
    """Return the variables that keep everything in the building and prompts cacheable across tasks."""
    return {
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
