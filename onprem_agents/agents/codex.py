"""Codex CLI: config.toml with the platform as model provider (Codex CLI 0.169.0, 2026-11).

Only the Responses API is left in Codex. `agents` and web search are off because their tool types (namespace,
web_search) are not functions, which vLLM refuses; unbounded retries would wait for ever for a dead gateway.
Codex sends neither an output cap nor a temperature: both are the server's own defaults there.
"""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from onprem_agents.agents.files import AgentFile, toml_text
from onprem_agents.contract.connection import Connection

PROVIDER = "onprem"
TOOL_OUTPUT_TOKENS = (
    16_000  # what one command may print into the context; seen working in a 64k window, 2026-11
)


def files(connection: Connection) -> tuple[AgentFile, ...]:
    """Return config.toml; the key stays in the environment."""
    main = connection.main
    content = toml_text(
        {
            "model": main.model,
            "model_provider": PROVIDER,
            "model_context_window": main.context_tokens,
            "model_auto_compact_token_limit": main.compact_at_tokens,
            "tool_output_token_limit": min(TOOL_OUTPUT_TOKENS, main.context_tokens // 4),
            "web_search": "disabled",
            "check_for_update_on_startup": False,
        },
        {
            f"model_providers.{PROVIDER}": {
                "name": "On-Prem",
                "base_url": connection.base_url,
                "env_key": connection.auth.key_env,
                "wire_api": "responses",
                "requires_openai_auth": False,
                "supports_websockets": False,
                "request_max_retries": 4,
                "stream_max_retries": 3,
                "stream_idle_timeout_ms": connection.timeouts.stream_idle_seconds * 1000,
            },
            "agents": {"enabled": False},
            "features": {
                "plugins": False,
                "apps": False,
                "image_generation": False,
                "view_image": main.vision,
                "daemon_auto_start": False,
                "unbounded_connection_retries": False,
            },
            "analytics": {"enabled": False},
            "feedback": {"enabled": False},
        },
    )
    return (AgentFile(path_hint="~/.codex/config.toml", format="toml", content=content),)


def environment(connection: Connection) -> Environment:
    """Return what Codex needs beside its file: the key alone."""
    return Environment(keys={connection.auth.key_env: "key"})
