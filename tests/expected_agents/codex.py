"""Codex CLI: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

_PROVIDER = ("model_providers", "onprem")

EXPECTED = Expected(
    says_version="codex-cli 0.169.0",
    values={
        "model": "coder",
        "model_provider": "onprem",
        "model_context_window": 131072,
        "model_auto_compact_token_limit": 104857,
        "tool_output_token_limit": 16000,
        "web_search": "disabled",
        "check_for_update_on_startup": False,
        "model_providers": {
            "onprem": {
                "name": "On-Prem",
                "base_url": "https://agents.example.internal/v1",
                "env_key": "ONPREM_API_KEY",
                "wire_api": "responses",
                "requires_openai_auth": False,
                "supports_websockets": False,
                "request_max_retries": 4,
                "stream_max_retries": 3,
                "stream_idle_timeout_ms": 900000,
            }
        },
        "agents": {"enabled": False},
        "features": {
            "plugins": False,
            "apps": False,
            "image_generation": False,
            "view_image": False,
            "daemon_auto_start": False,
            "unbounded_connection_retries": False,
        },
        "analytics": {"enabled": False},
        "feedback": {"enabled": False},
    },
    least_context_tokens=32768,
    environment=Environment(keys={"ONPREM_API_KEY": "key"}),
    places={
        "user": ("home/.codex/config.toml",),
        "project": ("work/.codex/config.toml",),
        "managed": ("root/etc/codex/managed_config.toml",),
    },
    moved="/moved/config.toml",
    headless=(
        *("p", "exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"),
        *("-C", "/f", "do it"),
    ),
    faults=(
        Fault(
            path=(*_PROVIDER, "base_url"),
            value="https://agents.example.internal",
            cause="url-without-v1",
            fix="set model_providers.onprem.base_url to https://agents.example.internal/v1",
        ),
        Fault(path=("model",), value="gpt-5.6", cause="model", fix="set model to coder"),
        Fault(
            path=("model_context_window",),
            value=272_000,
            cause="window",
            fix="set model_context_window to 131072",
        ),
        Fault(
            path=("model_context_window",),
            value=None,
            cause="window",
            fix="set model_context_window to 131072",
        ),
        Fault(
            path=(*_PROVIDER, "wire_api"),
            value="chat",
            cause="wire-api-chat",
            fix='set model_providers.onprem.wire_api = "responses"',
        ),
    ),
    keyless=({"model_providers": {"onprem": {"env_key": "ONPREM_API_KEY"}}}, (*_PROVIDER, "auth")),
    own_keys=(
        (
            {"model_provider": "p", "model_providers": {"p": {"env_key": "MINE"}}},
            ("from-mine", "the variable MINE"),
        ),
        (
            {"model_provider": "p", "model_providers": {"p": {"experimental_bearer_token": "k"}}},
            ("k", "experimental_bearer_token"),
        ),
        ({"model_provider": "p", "model_providers": {"p": {"env_key": "UNSET"}}}, None),
    ),
    unattended='codex exec --json --skip-git-repo-check -s danger-full-access "$TASK"',
    developer="bob",
)
