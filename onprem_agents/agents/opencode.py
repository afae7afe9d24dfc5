"""opencode: one JSON file with the platform as its only provider (opencode 1.18.33, 2026-11).

`chunkTimeout` is the limit of silence; `timeout` would be a second one that retries are not made for. Without
`limit` opencode never compacts. Web fetching is off, since it would leave the building.
"""

from __future__ import annotations

from typing import Any

from onprem_agents.agents.environment import Environment
from onprem_agents.agents.files import AgentFile, json_text
from onprem_agents.contract.connection import Connection, Role

PROVIDER = "onprem"
REDIRECTION = (
    "A repository's own opencode.json is merged over this file and could send your key elsewhere:"
    " in repositories you do not trust, set OPENCODE_DISABLE_PROJECT_CONFIG=1."
)
# Nothing listens on the discard port, so the look-up of a plugin that opencode makes at start ends at once.
CLOSED_REGISTRY = "http://127.0.0.1:9"


def files(connection: Connection) -> tuple[AgentFile, ...]:
    """Return opencode.json; the key stays in the environment."""
    roles = [role for role in connection.roles if "opencode" in role.supported_agents]
    small = connection.small if connection.small in roles else connection.main
    config: dict[str, Any] = {
        "$schema": "https://opencode.ai/config.json",
        "model": f"{PROVIDER}/{connection.main.model}",
        "small_model": f"{PROVIDER}/{small.model}",
        "enabled_providers": [PROVIDER],
        "share": "disabled",
        "autoupdate": False,
        "permission": {"webfetch": "deny"},
        "compaction": {"auto": True, "prune": True},
        "provider": {
            PROVIDER: {
                "npm": "@ai-sdk/openai-compatible",
                "name": "On-Prem",
                "options": {
                    "baseURL": connection.base_url,
                    "apiKey": f"{{env:{connection.auth.key_env}}}",
                    "timeout": False,
                    "chunkTimeout": connection.timeouts.stream_idle_seconds * 1000,
                },
                "models": {role.model: _model(role) for role in roles},
            }
        },
    }
    if connection.main.temperature is not None:
        config["agent"] = {
            name: {"temperature": connection.main.temperature} for name in ("build", "plan", "general")
        }
    return (
        AgentFile(
            path_hint="~/.config/opencode/opencode.json",
            format="json",
            content=json_text(config),
            notes=(REDIRECTION,),
        ),
    )


def environment(connection: Connection) -> Environment:
    """Return the switches that keep opencode from reaching outside; it has no config keys for them."""
    return Environment(
        keys={connection.auth.key_env: "key"},
        values={
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        },
        for_command={"opencode": {"npm_config_registry": CLOSED_REGISTRY}},
        notes=("ONPREM_REGISTRY may name your own npm mirror for what opencode runs.",),
    )


def _model(role: Role) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": f"{role.role} ({role.model_id})",
        "limit": {"context": role.context_tokens, "output": role.max_output_tokens},
        "tool_call": role.tool_calling,
        "reasoning": role.reasoning,
        "temperature": role.temperature is not None,
    }
    if role.vision:
        model |= {"attachment": True, "modalities": {"input": ["text", "image"], "output": ["text"]}}
    return model
