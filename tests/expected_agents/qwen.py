"""Qwen Code: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from typing import Any

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault


def _model(name: str, shown: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "name": shown,
        "baseUrl": "https://agents.example.internal/v1",
        "envKey": "ONPREM_API_KEY",
        "generationConfig": config,
    }


_CODER: dict[str, Any] = {
    "contextWindowSize": 131072,
    "timeout": 1800000,
    "streamIdleTimeoutMs": 900000,
    "samplingParams": {"max_tokens": 16384, "temperature": 0.2},
    "extra_body": {"thinking_token_budget": 2048},
}
_FAST: dict[str, Any] = {
    "contextWindowSize": 65536,
    "timeout": 1800000,
    "streamIdleTimeoutMs": 900000,
    "samplingParams": {"max_tokens": 8192},
    "modalities": {"image": True},
}
_MODELS = ("modelProviders", "onprem")
_MAIN = _model("coder", "coder (Qwen/Qwen3.6-27B-FP8)", _CODER)

EXPECTED = Expected(
    says_version="0.24.4",
    values={
        "modelProviders": {"onprem": [_MAIN, _model("fast", "fast (google/gemma-4-E4B-it)", _FAST)]},
        "providerProtocol": {"onprem": "openai"},
        "security": {"auth": {"selectedType": "openai"}},
        "model": {"name": "coder"},
        "fastModel": "fast",
        "env": {"QWEN_STREAM_MAX_LIFETIME_MS": "1800000"},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False},
        "permissions": {"deny": ["WebFetch"]},
    },
    least_context_tokens=65536,
    environment=Environment(keys={"ONPREM_API_KEY": "key"}),
    places={
        "user": ("home/.qwen/settings.json",),
        "project": ("work/.qwen/settings.json",),
        "managed": ("root/etc/qwen-code/settings.json",),
    },
    moved="/moved/settings.json",
    by_variable=True,
    headless=("p", "--approval-mode", "auto-edit", "--allowed-tools", "run_shell_command", "-p", "do it"),
    faults=(
        Fault(
            path=_MODELS,
            value=[_MAIN | {"baseUrl": "https://other.example/v1"}],
            cause="url-other",
            fix="set modelProviders.onprem[0].baseUrl to https://agents.example.internal/v1",
        ),
        Fault(
            path=("security", "auth", "selectedType"),
            value="qwen-oauth",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(path=("model", "name"), value="qwen3-coder-plus", cause="model", fix="set model.name to coder"),
        Fault(
            path=_MODELS,
            value=[_MAIN | {"generationConfig": _CODER | {"contextWindowSize": 1_000_000}}],
            cause="window",
            fix="set modelProviders.onprem[0].generationConfig.contextWindowSize to 131072",
        ),
        Fault(
            path=_MODELS,
            value=[_MAIN | {"generationConfig": _CODER | {"samplingParams": {}}}],
            cause="output-cap",
            fix="set modelProviders.onprem[0].generationConfig.samplingParams.max_tokens to 16384",
        ),
    ),
    keyless=({"modelProviders": {"onprem": [_MAIN | {"envKey": "NOT_SET_HERE"}]}}, ("no",)),
    own_keys=(
        (
            {"modelProviders": {"onprem": [{"id": "coder", "envKey": "MINE"}]}},
            ("from-mine", "the variable MINE"),
        ),
        ({}, None),
    ),
    unattended='qwen --yolo "$TASK"',
    developer="quinn",
)
