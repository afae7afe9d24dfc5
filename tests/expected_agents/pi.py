"""pi: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

EXPECTED = Expected(
    says_version="1.6.0",
    values={
        "providers": {
            "onprem": {
                "name": "On-Prem",
                "baseUrl": "https://agents.example.internal/v1",
                "api": "openai-completions",
                "apiKey": "$ONPREM_API_KEY",
                "compat": {
                    "supportsStore": False,
                    "supportsDeveloperRole": False,
                    "supportsReasoningEffort": False,
                    "maxTokensField": "max_tokens",
                },
                "models": [
                    {
                        "id": "coder",
                        "name": "coder (Qwen/Qwen3.6-27B-FP8)",
                        "reasoning": True,
                        "input": ["text"],
                        "contextWindow": 131072,
                        "maxTokens": 16384,
                        "samplingParams": {"temperature": 0.2, "thinking_token_budget": 2048},
                    },
                    {
                        "id": "fast",
                        "name": "fast (google/gemma-4-E4B-it)",
                        "reasoning": False,
                        "input": ["text", "image"],
                        "contextWindow": 65536,
                        "maxTokens": 8192,
                    },
                ],
            }
        },
        "defaultProvider": "onprem",
        "defaultModel": "coder",
        "compaction": {"reserveTokens": 16384, "keepRecentTokens": 20000},
        "httpIdleTimeoutMs": 900000,
        "retry": {"provider": {"timeoutMs": 1800000}},
        "enableInstallTelemetry": False,
        "enableAnalytics": False,
    },
    least_context_tokens=16384,
    environment=Environment(
        keys={"ONPREM_API_KEY": "key"},
        values={"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0"},
    ),
    places={
        "user": ("home/.pi/agent/models.json", "home/.pi/agent/settings.json"),
        "project": ("work/.pi/settings.json",),
    },
    also_written={"user": ("home/.pi/agent/settings.json",)},
    moved="/moved/models.json",
    headless=("p", "--print", "--no-approve", "--no-session", "do it"),
    faults=(
        Fault(
            path=("providers", "onprem", "baseUrl"),
            value="https://agents.example.internal",
            cause="url-without-v1",
            fix="set providers.onprem.baseUrl to https://agents.example.internal/v1",
        ),
        Fault(
            path=("defaultProvider",),
            value="openai",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(path=("defaultModel",), value="qwen3", cause="model", fix="set defaultModel to coder"),
        Fault(
            path=("providers", "onprem", "models"),
            value=[{"id": "coder", "maxTokens": 8192}],
            cause="window",
            fix="set providers.onprem.models, coder, contextWindow to 131072",
        ),
        Fault(
            path=("providers", "onprem", "models"),
            value=[{"id": "coder", "contextWindow": 131072}],
            cause="output-cap",
            fix="set providers.onprem.models, coder, maxTokens to 16384",
        ),
    ),
    keyless=({"providers": {"onprem": {"apiKey": "$ONPREM_API_KEY"}}}, ("no",)),
    own_keys=(
        ({"providers": {"onprem": {"apiKey": "k"}}}, ("k", "apiKey")),
        (
            {"defaultProvider": "p", "providers": {"p": {"apiKey": "${MINE}"}}},
            ("from-mine", "the variable MINE"),
        ),
        ({"providers": {"onprem": {"apiKey": "!cat key"}}}, None),
        ({}, None),
    ),
    unattended='pi --print "$TASK"',
    developer="frank",
)
