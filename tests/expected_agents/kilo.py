"""Kilo CLI: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault
from tests.expected_agents.opencode import EXPECTED as OPENCODE

_OPTIONS = ("provider", "onprem", "options")
_LIMIT = ("provider", "onprem", "models", "coder", "limit")

EXPECTED = Expected(
    says_version="7.7.7",
    # It is made of opencode and reads the same configuration.
    values={
        **OPENCODE.values,
        "$schema": "https://app.kilo.ai/config.json",
        "disabled_providers": ["kilo"],
        "experimental": {"openTelemetry": False},
        "agent": {
            "code": {"temperature": 0.2},
            "plan": {"temperature": 0.2},
            "debug": {"temperature": 0.2},
            "general": {"temperature": 0.2},
        },
    },
    least_context_tokens=16384,
    environment=Environment(
        keys={"ONPREM_API_KEY": "key"},
        values={
            "KILO_DISABLE_MODELS_FETCH": "1",
            "KILO_DISABLE_AUTOUPDATE": "1",
            "KILO_DISABLE_LSP_DOWNLOAD": "1",
            "KILO_DISABLE_SESSION_INGEST": "1",
            "KILO_TELEMETRY_LEVEL": "off",
        },
    ),
    places={
        "user": ("home/.config/kilo/kilo.json",),
        "project": ("work/kilo.json",),
        "managed": ("root/etc/kilo/kilo.json",),
    },
    moved="/moved/kilo/kilo.json",
    headless=("p", "run", "--auto", "--format", "json", "do it"),
    faults=(
        Fault(
            path=(*_OPTIONS, "baseURL"),
            value="https://api.kilo.ai/api/gateway",
            cause="url-other",
            fix="set provider.onprem.options.baseURL to https://agents.example.internal/v1",
        ),
        Fault(path=("model",), value="onprem/qwen3", cause="model", fix="set model to onprem/coder"),
        Fault(
            path=("model",),
            value="kilo/auto",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(
            path=(*_LIMIT, "context"),
            value=200_000,
            cause="window",
            fix="set provider.onprem.models.coder.limit.context to 131072",
        ),
        Fault(
            path=(*_LIMIT, "output"),
            value=None,
            cause="output-cap",
            fix="set provider.onprem.models.coder.limit.output to 16384",
        ),
    ),
    keyless=({"provider": {"onprem": {"options": {"apiKey": "{env:ONPREM_API_KEY}"}}}}, ("no",)),
    own_keys=(
        ({"provider": {"onprem": {"options": {"apiKey": "k"}}}}, ("k", "options.apiKey")),
        ({"provider": {"onprem": {"options": {"apiKey": "{file:~/key}"}}}}, None),
        ({}, None),
    ),
    # Where the disk is slow it asks whether to go on with snapshots, and waits for ever (7.7.7, 2026-11-28).
    unattended='KILO_CONFIG_CONTENT=\'{"snapshot":false}\' kilo run --auto --format json "$TASK"',
    withheld=("webfetch",),
    developer="kai",
)
