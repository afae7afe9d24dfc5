"""Codex CLI: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from typing import Any

from onprem_agents.agents.codex_models import INSTRUCTIONS
from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

_PROVIDER = ("model_providers", "onprem")
_OF_EVERY_MODEL: dict[str, Any] = {
    "visibility": "list",
    "supported_in_api": True,
    "supported_reasoning_levels": [],
    "default_reasoning_summary": "none",
    "support_verbosity": False,
    "shell_type": "unified_exec",
    "experimental_supported_tools": [],
    "include_apps_usage_instructions": False,
    "base_instructions": INSTRUCTIONS,
}

EXPECTED = Expected(
    says_version="codex-cli 0.169.0",
    values={
        "model": "coder",
        "model_provider": "onprem",
        "model_catalog_json": "onprem-models.json",
        "models": [
            {
                "slug": "coder",
                "display_name": "coder",
                "description": "coder: Qwen/Qwen3.6-27B-FP8, 131072 tokens",
                "priority": 0,
                "context_window": 131072,
                "max_context_window": 131072,
                "auto_compact_token_limit": 104857,
                "truncation_policy": {"mode": "tokens", "limit": 16000},
                "input_modalities": ["text"],
                **_OF_EVERY_MODEL,
            },
            {
                "slug": "fast",
                "display_name": "fast",
                "description": "fast: google/gemma-4-E4B-it, 65536 tokens",
                "priority": 1,
                "context_window": 65536,
                "max_context_window": 65536,
                "auto_compact_token_limit": 52428,
                "truncation_policy": {"mode": "tokens", "limit": 16000},
                "input_modalities": ["text", "image"],
                **_OF_EVERY_MODEL,
            },
        ],
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
        "agents": {"enabled": True},
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
        "user": ("home/.codex/config.toml", "home/.codex/onprem-models.json"),
        "project": ("work/.codex/config.toml",),
        "managed": ("root/etc/codex/managed_config.toml", "root/etc/codex/onprem-models.json"),
    },
    also_written={
        "user": ("home/.codex/onprem-models.json",),
        "managed": ("root/etc/codex/onprem-models.json",),
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
            path=("models",),
            value=[{"slug": "coder", "context_window": 272_000}],
            cause="window",
            fix="set models, coder, context_window to 131072",
        ),
        Fault(
            path=("model_catalog_json",), value=None, cause="window", fix="set model_context_window to 131072"
        ),
        Fault(path=("profile",), value="work", cause="legacy-profile", fix="take that line out"),
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
