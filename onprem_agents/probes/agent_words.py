"""What an agent said of its failure, without what it says at every start.

Agents print events as JSON, one a line, or plain lines; the error of a run stands in one of them. Seen 2026-11-28 with
Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33 against servers that refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from onprem_agents.probes.smoke_causes import error_text

# Said of every model that is no vendor's own, at every retry, or by the runtime: never the reason of a failure.
_NOISE = re.compile(
    r"Reconnecting\.\.\.|Model metadata for|unrecognized_model|Reading additional input from stdin"
    r"|failed to refresh available models|(?i:deprecat)|ExperimentalWarning|^\s*at .*:\d+|^[\s{}\[\],]*$"
)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_LAST_LINES = 3


def failure(said: str) -> str:
    """Return the error that ended the run as the agent tells it; nothing where it tells none."""
    errors = [error_text(text) for text in _of_events(said, _error) if not _NOISE.search(text)]
    return errors[-1] if errors else ""


def last_words(said: str) -> str:
    """Return the error, else what the agent said to its user at last, else the last of its plain lines."""
    if error := failure(said):
        return error
    if told := list(_of_events(said, _words)):
        return told[-1]
    lines = [line.strip() for line in _lines(said) if _event(line) is None and not _NOISE.search(line)]
    return " ".join(lines[-_LAST_LINES:])


def without_noise(said: str) -> str:
    """Return what was said without the lines that tell nothing."""
    return "\n".join(line for line in _lines(said) if not _NOISE.search(line))


def _lines(said: str) -> list[str]:
    return _ESCAPES.sub("", said).splitlines()


def _of_events(said: str, read: Any) -> Iterator[str]:
    for line in _lines(said):
        event = _event(line)
        text = read(event) if event is not None else None
        if isinstance(text, str) and text.strip():
            yield text


def _event(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _error(event: dict[str, Any]) -> Any:
    kind, item = event.get("type"), _part(event, "item")
    if kind == "result":  # Claude Code, which says `subtype: success` all the same
        return event.get("result") if event.get("is_error") else None
    if item.get("type") == "error":  # Codex
        return item.get("message")
    if kind not in ("error", "turn.failed"):
        return None
    error = _part(event, "error")
    return (
        _part(error, "data").get("message")
        or error.get("message")
        or event.get("message")
        or error.get("name")
    )


def _words(event: dict[str, Any]) -> Any:
    item = _part(event, "item")
    if item.get("type") == "agent_message":
        return item.get("text")
    return event.get("result") if event.get("type") == "result" else _part(event, "part").get("text")


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    value = event.get(name)
    return value if isinstance(value, dict) else {}
