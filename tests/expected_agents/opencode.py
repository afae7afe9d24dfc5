"""opencode: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

_PROVIDER = ("provider", "onprem")
_KEY = (*_PROVIDER, "options", "apiKey")
_URL = (*_PROVIDER, "options", "baseURL")
_LIMIT = (*_PROVIDER, "models", "coder", "limit")

EXPECTED = Expected(
    says_version="1.18.33",
    values={
        "$schema": "https://opencode.ai/config.json",
        "model": "onprem/coder",
        "small_model": "onprem/fast",
        "disabled_providers": ["opencode"],
        "share": "disabled",
        "autoupdate": False,
        "permission": {"webfetch": "deny"},
        "compaction": {"auto": True, "prune": True},
        "provider": {
            "onprem": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "On-Prem",
                "options": {
                    "baseURL": "https://agents.example.internal/v1",
                    "apiKey": "{env:ONPREM_API_KEY}",
                    "timeout": False,
                    "chunkTimeout": 900000,
                },
                "models": {
                    "coder": {
                        "name": "coder (Qwen/Qwen3.6-27B-FP8)",
                        "limit": {"context": 131072, "output": 16384},
                        "tool_call": True,
                        "reasoning": True,
                        "temperature": True,
                        "options": {"thinking_token_budget": 2048},
                    },
                    "fast": {
                        "name": "fast (google/gemma-4-E4B-it)",
                        "limit": {"context": 65536, "output": 8192},
                        "tool_call": True,
                        "reasoning": False,
                        "temperature": False,
                        "attachment": True,
                        "modalities": {"input": ["text", "image"], "output": ["text"]},
                    },
                },
            }
        },
        "agent": {
            "build": {"temperature": 0.2},
            "plan": {"temperature": 0.2},
            "general": {"temperature": 0.2},
        },
    },
    least_context_tokens=16384,
    environment=Environment(
        keys={"ONPREM_API_KEY": "key"},
        values={
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        },
    ),
    places={
        "user": ("home/.config/opencode/opencode.json",),
        "project": ("work/opencode.json",),
        "managed": ("root/etc/opencode/opencode.json",),
    },
    moved="/moved/opencode/opencode.json",
    headless=("p", "run", "-m", "onprem/coder", "--format", "json", "do it"),
    faults=(
        Fault(
            path=_URL,
            value="https://agents.example.internal/",
            cause="url-without-v1",
            fix="set provider.onprem.options.baseURL to https://agents.example.internal/v1",
        ),
        Fault(
            path=_URL,
            value="https://other.example/v1",
            cause="url-other",
            fix="set provider.onprem.options.baseURL to https://agents.example.internal/v1",
        ),
        Fault(
            path=("enabled_providers",),
            value=["ollama"],
            cause="provider-hidden",
            fix="add onprem to enabled_providers",
        ),
        Fault(
            path=("disabled_providers",),
            value=["opencode", "onprem"],
            cause="provider-hidden",
            fix="take onprem out of disabled_providers",
        ),
        Fault(path=("model",), value="onprem/qwen3", cause="model", fix="set model to onprem/coder"),
        Fault(
            path=(*_LIMIT, "output"),
            value=200_000,
            cause="output-cap",
            fix="set provider.onprem.models.coder.limit.output to 16384",
        ),
        Fault(
            path=(*_LIMIT, "context"),
            value=None,
            cause="window",
            fix="set provider.onprem.models.coder.limit.context to 131072",
        ),
    ),
    keyless=({"provider": {"onprem": {"options": {"apiKey": "{env:ONPREM_API_KEY}"}}}}, ("no",)),
    own_keys=(
        ({"provider": {"onprem": {"options": {"apiKey": "k"}}}}, ("k", "options.apiKey")),
        (
            {"model": "p/x", "provider": {"p": {"options": {"apiKey": "{env:MINE}"}}}},
            ("from-mine", "the variable MINE"),
        ),
        ({"provider": {"onprem": {"options": {"apiKey": "{file:~/key}"}}}}, None),
        ({}, None),
    ),
    unattended='opencode run --format json "$TASK"',
    withheld=("webfetch",),
    developer="alice",
)
