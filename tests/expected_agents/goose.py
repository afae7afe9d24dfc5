"""goose: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

_REQUEST = {"max_tokens": 16384, "temperature": 0.2, "thinking_token_budget": 2048}

EXPECTED = Expected(
    says_version=" 1.52.0",
    values={
        "name": "onprem",
        "engine": "openai",
        "display_name": "On-Prem",
        "base_url": "https://agents.example.internal/v1",
        "api_key_env": "ONPREM_API_KEY",
        "timeout_seconds": 1800,
        "dynamic_models": False,
        "models": [
            {"name": "coder", "context_limit": 131072, "request_params": _REQUEST},
            {"name": "fast", "context_limit": 65536, "request_params": {"max_tokens": 8192}},
        ],
        "active_provider": "onprem",
        "providers": {"onprem": {"enabled": True, "configured": True, "model": "coder"}},
        "GOOSE_TELEMETRY_ENABLED": False,
    },
    least_context_tokens=16384,
    environment=Environment(keys={"ONPREM_API_KEY": "key"}),
    places={
        "user": (
            "home/.config/goose/custom_providers/onprem.json",
            "home/.config/goose/config.yaml",
        )
    },
    also_written={"user": ("home/.config/goose/config.yaml",)},
    moved="/moved/config/custom_providers/onprem.json",
    headless=("p", "run", "--no-session", "--quiet", "--text", "do it"),
    faults=(
        Fault(
            path=("base_url",),
            value="https://agents.example.internal",
            cause="url-without-v1",
            fix="set base_url to https://agents.example.internal/v1",
        ),
        Fault(
            path=("active_provider",),
            value="openai",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(
            path=("providers", "onprem", "model"),
            value="gpt-5.4",
            cause="model",
            fix="set providers.onprem.model to coder",
        ),
        Fault(
            path=("models",),
            value=[{"name": "coder", "request_params": _REQUEST}],
            cause="window",
            fix="set models, coder, context_limit to 131072",
        ),
        Fault(
            path=("models",),
            value=[{"name": "coder", "context_limit": 131072, "request_params": {"max_tokens": 65536}}],
            cause="output-cap",
            fix="set models, coder, request_params.max_tokens to 16384",
        ),
    ),
    keyless=({"api_key_env": "NOT_SET_HERE"}, ("no",)),
    own_keys=(({"api_key_env": "MINE"}, ("from-mine", "the variable MINE")), ({}, None)),
    # Its title of a session is a request of its own, beside the work, which a test that counts them does not expect.
    unattended='GOOSE_DISABLE_SESSION_NAMING=true goose run --text "$TASK"',
    developer="lena",
)
