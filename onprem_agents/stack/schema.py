"""The JSON Schema of a whole stack file, so that an editor offers keys and marks mistakes."""

from __future__ import annotations

from typing import Any

from onprem_agents.stack.settings import PROJECT, json_schema


def stack_file_schema() -> dict[str, Any]:
    """Return the schema of `stacks/Pulumi.<stack>.yaml` (JSON Schema 2020-12)."""
    platform = json_schema()
    definitions = platform.pop("$defs")
    secure = {
        "type": "object",
        "properties": {"secure": {"type": "string"}},
        "required": ["secure"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of onprem-coding-agents",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {
                    f"{PROJECT}:platform": platform,
                    f"{PROJECT}:developerKeys": {
                        "description": "one secret a developer: pulumi config set --secret --path",
                        "type": "object",
                        "additionalProperties": {
                            "anyOf": [secure, {"type": "array", "items": secure, "maxItems": 2}]
                        },
                    },
                    f"{PROJECT}:serverKey": {
                        "description": "the key between gateway and model servers",
                        **secure,
                    },
                },
                "required": [f"{PROJECT}:platform"],
            }
        },
        "required": ["config"],
        "$defs": definitions,
    }
