"""Contracts that the tests of the developer's side share, as the JSON that a stack puts out."""

from __future__ import annotations

import copy
import json
from typing import Any

from onprem_agents.agents import AGENTS
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse

CONTRACT: dict[str, Any] = {
    "version": 1,
    "stack": "team",
    "host": "agents.example.internal",
    "baseUrl": "https://agents.example.internal/v1",
    "anthropicBaseUrl": "https://agents.example.internal",
    "translation": "native",
    "auth": {
        "headers": ["Authorization: Bearer", "x-api-key"],
        "keyEnv": "ONPREM_API_KEY",
        "keyHint": "ask platform@example.com",
    },
    "tls": {"issuer": "internal-ca", "secretName": None, "caHint": "https://wiki.example.internal/ca.pem"},
    "roles": [
        {
            "role": "coder",
            "model": "coder",
            "modelId": "Qwen/Qwen3.6-27B-FP8",
            "contextTokens": 131072,
            "maxOutputTokens": 16384,
            "compactAtTokens": 104857,
            "reasoning": True,
            "toolCalling": True,
            "parallelToolCalls": True,
            "namespaceTools": True,
            "vision": False,
            "temperature": 0.2,
            "thinking": {
                "default": "on",
                "budgetTokens": 2048,
                "effort": None,
                "efforts": [],
                "switch": "enable_thinking",
            },
            "claudeCapabilities": [
                "-mid_conv_system",
                "-mid_conv_tool_change",
                "-effort",
                "-context_management",
                "-adaptive_thinking",
            ],
            "supportedAgents": [agent.name for agent in AGENTS],
            "unsupportedReasons": {},
        },
        {
            "role": "fast",
            "model": "fast",
            "modelId": "google/gemma-4-E4B-it",
            "contextTokens": 65536,
            "maxOutputTokens": 8192,
            "compactAtTokens": 52428,
            "reasoning": False,
            "toolCalling": True,
            "parallelToolCalls": False,
            "namespaceTools": False,
            "vision": True,
            "temperature": None,
            "thinking": None,
            "claudeCapabilities": ["-mid_conv_system"],
            "supportedAgents": [agent.name for agent in AGENTS],
            "unsupportedReasons": {},
        },
    ],
    "mainRole": "coder",
    "smallRole": "fast",
    "timeouts": {"longestTurnSeconds": 600, "streamIdleSeconds": 900, "clientTimeoutSeconds": 1800},
    "testedAgents": {agent.name: agent.version for agent in AGENTS},
    "modelAliases": ["claude-*", "gpt-*"],
    "support": {"address": "#coding-agents", "statusPage": "https://status.example.internal"},
}


def changed(*path: str | int, value: Any) -> str:
    """Return the contract as JSON with one value replaced (or added) at that path."""
    data: Any = copy.deepcopy(CONTRACT)
    node = data
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return json.dumps(data)


def contract(*path: str | int, value: Any = None) -> Connection:
    """Return the parsed contract, with one value replaced when a path is given."""
    return parse(changed(*path, value=value) if path else json.dumps(CONTRACT), "the sample")


def parsed(data: dict[str, Any]) -> Connection:
    """Return the contract in these JSON values."""
    return parse(json.dumps(data), "the sample")
