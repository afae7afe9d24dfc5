"""LiteLLM 1.109.1 as a proxy on the developer's own machine, and Claude Code pointed at it (2026-11).

`hosted_vllm/` routes go to chat/completions; `openai/` ones turn Anthropic messages into Responses calls.
It refuses to start without a master key, which is one of its own, and listens on every address unless told
otherwise. Cooldown is off, or one refused key would show as 429 from then on; the price list stays local.
"""

from __future__ import annotations

from onprem_agents.agents import claude
from onprem_agents.agents.agent import Proxy
from onprem_agents.agents.config import ConfigFile, Values
from onprem_agents.agents.environment import KEY_FOLDER, Environment
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.thinking import ServedThinking

PORT = 4000
MASTER_KEY_ENV = "LITELLM_MASTER_KEY"
BASE_URL = f"http://127.0.0.1:{PORT}"
MAKE_KEY = f"head -c 24 /dev/urandom | base64 > ~/{KEY_FOLDER}/litellm-key"
REPEATED_CHUNKS = "10000"  # the default, 100, cuts a stream that repeats one chunk; 2026-11


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return the proxy's configuration and Claude Code's settings for it."""
    config: Values = {
        "model_list": [_route(connection, role) for role in connection.roles],
        "litellm_settings": {
            "drop_params": True,
            "telemetry": False,
            "request_timeout": connection.timeouts.client_timeout_seconds,
        },
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        "general_settings": {"master_key": f"os.environ/{MASTER_KEY_ENV}"},
    }
    proxy = ConfigFile(
        path_hint="~/.config/onprem/litellm.yaml",
        format="yaml",
        values=config,
        notes=(f"Start with: litellm --config ~/{KEY_FOLDER}/litellm.yaml --host 127.0.0.1 --port {PORT}",),
    )
    return proxy, claude.settings_file(connection, base_url=BASE_URL)


def _environment(connection: Connection) -> Environment:
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


def _route(connection: Connection, role: Role) -> Values:
    return {
        "model_name": role.model,
        "litellm_params": {
            "model": f"hosted_vllm/{role.model}",
            "api_base": connection.base_url,
            "api_key": f"os.environ/{connection.auth.key_env}",
            "timeout": connection.timeouts.client_timeout_seconds,
            "stream_timeout": connection.timeouts.stream_idle_seconds,
            **thinking_of(role.thinking),
        },
        "model_info": {
            "mode": "chat",
            "max_input_tokens": role.context_tokens,
            "max_output_tokens": role.max_output_tokens,
            "supports_function_calling": role.tool_calling,
            "supports_vision": role.vision,
        },
    }


def thinking_of(thinking: ServedThinking | None) -> Values:
    """Return the parameters of a route that keep its requests to the thinking of its model.

    LiteLLM makes an effort of what Claude Code says of thinking, `medium` where that is nothing in particular, and
    drops its budget; `extra_body` reaches the model whatever is asked (1.109.1, run 2026-11-28).
    """
    fields = dict(thinking.request_fields()) if thinking is not None else {}
    effort = fields.pop("reasoning_effort", None)
    return ({"reasoning_effort": effort} if effort else {}) | ({"extra_body": fields} if fields else {})


LITELLM = Proxy(
    name="litellm",
    title="LiteLLM proxy",
    package="litellm",
    registry="PyPI",
    version="1.109.1",
    tried="2026-11-24",
    ca_variables=("SSL_CERT_FILE",),
    files=_files,
    environment=_environment,
    behind=claude.CLAUDE,
)
