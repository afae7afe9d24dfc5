"""LiteLLM's configuration: every role behind its own name, chat completions towards vLLM, no database.

Facts in comments: LiteLLM 1.109.1 from its package, run 2026-11; the image was not run.
"""

from __future__ import annotations

import json

from onprem_agents.agents.litellm import thinking_of
from onprem_agents.manifests.endpoints import server_url
from onprem_agents.manifests.meta import Manifest
from onprem_agents.manifests.proxy_software import NO_KEY, ProxySoftware, server_key_name
from onprem_agents.plan import KEEP_ALIVE_SECONDS, PROXY_IMAGES, SERVER_IDLE_SECONDS, ProxyPart
from onprem_agents.stack.parts import ServerReference

_CONFIG = "config.yaml"
_CONFIG_PATH = "/etc/onprem/litellm/config.yaml"
_PORT = 4000


def litellm_config(part: ProxyPart) -> Manifest:
    """Return LiteLLM's configuration; keys are named by environment variable only."""
    return {
        "model_list": [_model(part, server) for server in part.servers],
        "litellm_settings": {
            "drop_params": True,
            "num_retries": 0,
            "request_timeout": part.timeouts.predictor_seconds,
            "telemetry": False,
            # Off by default; messages have Anthropic's own pings, every 15 s once the answer has begun.
            "sse_keepalive_ping_interval_seconds": KEEP_ALIVE_SECONDS,
        },
        # One refused call would otherwise put the only server aside and answer 429 to everybody.
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }


def _model(part: ProxyPart, server: ServerReference) -> Manifest:
    key = server_key_name(part, server)
    model: Manifest = {
        "model_name": server.name,
        "litellm_params": {
            # hosted_vllm/ turns messages into chat completions and counts tokens itself.
            "model": f"hosted_vllm/{server.name}",
            "api_base": f"{server_url(server)}/v1",
            "api_key": NO_KEY if key is None else f"os.environ/{key}",
            "timeout": part.timeouts.predictor_seconds,
            "stream_timeout": part.timeouts.predictor_seconds,
            **thinking_of(server.thinking),
        },
    }
    if server.context_tokens is not None:
        model["model_info"] = {
            "max_input_tokens": server.context_tokens,
            "max_output_tokens": server.max_output_tokens,
        }
    return model


def _files(part: ProxyPart) -> dict[str, str]:
    # JSON is YAML; it needs no quoting rules.
    return {_CONFIG: json.dumps(litellm_config(part), indent=2, sort_keys=True) + "\n"}


LITELLM = ProxySoftware(
    image=PROXY_IMAGES["litellm"],
    port=_PORT,
    args=("--config", _CONFIG_PATH, "--host", "0.0.0.0", "--port", str(_PORT), "--num_workers", "1"),  # noqa: S104
    health_path="/health/liveliness",
    key_env="LITELLM_MASTER_KEY",
    environment={
        "HOME": "/tmp",  # noqa: S108  the pod's own emptyDir
        "LITELLM_MODE": "PRODUCTION",
        # Without it the price list is fetched from the internet at start.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DISABLE_ADMIN_UI": "True",
        "NO_DOCS": "True",
        "NO_REDOC": "True",
        # The default of 100 cuts streams that repeat a token, which is legal in code.
        "REPEATED_STREAMING_CHUNK_LIMIT": "10000",
        "LITELLM_MIGRATION_DIR": "/tmp/migrations",  # noqa: S108  the pod's own emptyDir
        "DO_NOT_TRACK": "1",
        "KEEPALIVE_TIMEOUT": str(SERVER_IDLE_SECONDS),
    },
    mounts={_CONFIG: _CONFIG_PATH},
    files=_files,
    # x-litellm-api-key beats the key that the gateway adds, others set time limits and labels; answers name the
    # model server's address.
    own_headers=("x-litellm-", "llm_provider-"),
)
