"""LiteLLM 1.109.1 as a proxy on the developer's own machine, and Claude Code pointed at it (2026-11).

`hosted_vllm/` routes go to chat/completions; `openai/` ones turn Anthropic messages into Responses calls.
It refuses to start without a master key, which is one of its own, and listens on every address unless told
otherwise. Cooldown is off, or one refused key would show as 429 from then on; the price list stays local.
"""

from __future__ import annotations

from typing import Any

import yaml

from onprem_agents.agents import claude
from onprem_agents.agents.environment import KEY_FOLDER, Environment
from onprem_agents.agents.files import AgentFile
from onprem_agents.contract.connection import Connection, Role

PORT = 4000
MASTER_KEY_ENV = "LITELLM_MASTER_KEY"
BASE_URL = f"http://127.0.0.1:{PORT}"
MAKE_KEY = f"head -c 24 /dev/urandom | base64 > ~/{KEY_FOLDER}/litellm-key"
REPEATED_CHUNKS = "10000"  # the default, 100, cuts a stream that repeats one chunk; 2026-11


def files(connection: Connection) -> tuple[AgentFile, ...]:
    """Return the proxy's configuration and Claude Code's settings for it."""
    config: dict[str, Any] = {
        "model_list": [_route(connection, role) for role in connection.roles],
        "litellm_settings": {
            "drop_params": True,
            "telemetry": False,
            "request_timeout": connection.timeouts.client_timeout_seconds,
        },
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        "general_settings": {"master_key": f"os.environ/{MASTER_KEY_ENV}"},
    }
    proxy = AgentFile(
        path_hint="~/.config/onprem/litellm.yaml",
        format="yaml",
        content=yaml.safe_dump(config, sort_keys=False),
        notes=(f"Start with: litellm --config ~/{KEY_FOLDER}/litellm.yaml --host 127.0.0.1 --port {PORT}",),
    )
    return proxy, claude.settings_file(connection, base_url=BASE_URL)


def environment(connection: Connection) -> Environment:
    """Return both keys' ways in: the developer's to the proxy, the proxy's own to Claude Code."""
    return Environment(
        keys={connection.auth.key_env: "key", MASTER_KEY_ENV: "litellm-key"},
        values={
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "REPEATED_STREAMING_CHUNK_LIMIT": REPEATED_CHUNKS,
        },
        copies={"ANTHROPIC_AUTH_TOKEN": MASTER_KEY_ENV},
        removed=("ANTHROPIC_API_KEY",),
        no_proxy=("127.0.0.1",),
        notes=(f"The proxy's own key, made once: (umask 077; {MAKE_KEY})",),
    )


def _route(connection: Connection, role: Role) -> dict[str, Any]:
    return {
        "model_name": role.model,
        "litellm_params": {
            "model": f"hosted_vllm/{role.model}",
            "api_base": connection.base_url,
            "api_key": f"os.environ/{connection.auth.key_env}",
            "timeout": connection.timeouts.client_timeout_seconds,
            "stream_timeout": connection.timeouts.stream_idle_seconds,
        },
        "model_info": {
            "mode": "chat",
            "max_input_tokens": role.context_tokens,
            "max_output_tokens": role.max_output_tokens,
            "supports_function_calling": role.tool_calling,
            "supports_vision": role.vision,
        },
    }
