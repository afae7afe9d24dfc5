"""Cline CLI: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

_SETTINGS = ("providers", "litellm", "settings")

EXPECTED = Expected(
    says_version="3.0.65",
    values={
        "version": 1,
        "lastUsedProvider": "litellm",
        "modes": {},
        "providers": {
            "litellm": {
                "settings": {
                    "provider": "litellm",
                    "model": "coder",
                    "baseUrl": "https://agents.example.internal/v1",
                    "contextWindow": 131072,
                    "timeout": 1800000,
                },
                "updatedAt": "2026-01-01T00:00:00.000Z",
                "tokenSource": "manual",
            }
        },
        "telemetryOptOut": True,
        "autoUpdateEnabled": False,
        "disabledTools": ["fetch_web_content"],
        "tools": {"web_search": {"enabled": False}},
    },
    least_context_tokens=16384,
    environment=Environment(keys={"LITELLM_API_KEY": "key"}, values={"CLINE_SESSION_BACKEND_MODE": "local"}),
    places={
        "user": (
            "home/.cline/data/settings/providers.json",
            "home/.cline/data/settings/global-settings.json",
        )
    },
    also_written={"user": ("home/.cline/data/settings/global-settings.json",)},
    moved="/moved/settings/providers.json",
    by_variable=True,
    headless=("p", "--auto-approve", "true", "--cwd", "/f", "do it"),
    faults=(
        Fault(
            path=(*_SETTINGS, "baseUrl"),
            value="https://agents.example.internal",
            cause="url-without-v1",
            fix="set providers.litellm.settings.baseUrl to https://agents.example.internal/v1",
        ),
        Fault(
            path=("lastUsedProvider",),
            value="cline",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(
            path=(*_SETTINGS, "model"),
            value="gpt-5.4",
            cause="model",
            fix="set providers.litellm.settings.model to coder",
        ),
        Fault(
            path=(*_SETTINGS, "contextWindow"),
            value=None,
            cause="window",
            fix="set providers.litellm.settings.contextWindow to 131072",
        ),
    ),
    keyless=({"LITELLM_API_KEY": ""}, ("no",)),
    own_keys=(
        (
            {"providers": {"litellm": {"settings": {"apiKey": "k"}}}},
            ("k", "providers.litellm.settings.apiKey"),
        ),
        ({}, None),
    ),
    unattended='cline --auto-approve true "$TASK"',
    looks_for=("data.cline.bot",),
    withheld=("fetch_web_content",),
    developer="judy",
)
