"""A value of the stack's configuration, whatever stands there; Pulumi's own readers print a value that they refuse."""

from __future__ import annotations

import json

import pulumi


def config_value(config: pulumi.Config, name: str) -> object:
    """Return a key's value as JSON says it; a text that is no JSON is the text, and nothing is None."""
    text = config.get(name)
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
