"""Sessions of three agents as they stand on the wire: headers, paths and bodies recorded in November 2026.

Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33 against a stand-in; texts are made up.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

AGENTS = ("claude", "codex", "opencode")
_PATHS = {"claude": "/v1/messages?beta=true", "codex": "/v1/responses", "opencode": "/v1/chat/completions"}


@dataclass(frozen=True, order=True)
class Session:
    """One session; equal numbers make equal ones."""

    agent: str
    number: int

    @property
    def path(self) -> str:
        return _PATHS[self.agent]

    @property
    def id(self) -> str:
        made = uuid.uuid5(uuid.NAMESPACE_OID, f"{self.agent} {self.number}")
        return f"ses_{made.hex[:26]}" if self.agent == "opencode" else str(made)

    def headers(self) -> dict[str, str]:
        if self.agent == "claude":
            return {
                "anthropic-version": "2023-06-01",
                "anthropic-beta": "claude-code-20250219,effort-2025-11-24",
                "X-Claude-Code-Session-Id": self.id,
                "x-stainless-lang": "js",
            }
        if self.agent == "codex":
            return {
                "session-id": self.id,
                "thread-id": self.id,
                "x-client-request-id": self.id,
                "originator": "codex_exec",
            }
        return {"x-session-id": self.id, "x-session-affinity": self.id}

    def body(self, turn: int) -> dict[str, Any]:
        """Return the request of a turn, counted from 0: all that was said before comes with it."""
        system, asked = f"You are {self.agent}. " + "Rules. " * 200, f"Task {self.number}: mend the test"
        rounds = [(f"Looking, step {done}. " * 20, f"Result {done}") for done in range(turn)]
        common: dict[str, Any] = {"model": "coder", "stream": False}
        if self.agent == "codex":
            items = [_item("developer", system), _item("user", asked)]
            for said, result in rounds:
                items += [_item("assistant", said), _item("user", result)]
            return common | {"store": False, "input": items, "tools": [], "prompt_cache_key": self.id}
        messages = [{"role": "user", "content": asked}]
        for said, result in rounds:
            messages += [{"role": "assistant", "content": said}, {"role": "user", "content": result}]
        if self.agent == "opencode":
            return common | {
                "max_tokens": 4096,
                "messages": [{"role": "system", "content": system}, *messages],
            }
        # The mark of the cache stands at the newest message, whose content is a list while it has one.
        last = messages[-1]
        mark = {"type": "text", "text": last["content"], "cache_control": {"type": "ephemeral"}}
        marked = [*messages[:-1], last | {"content": [mark]}]
        user = json.dumps({"device_id": "d", "account_uuid": "", "session_id": self.id})
        blocks = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]
        return common | {
            "messages": marked,
            "system": blocks,
            "max_tokens": 4096,
            "metadata": {"user_id": user},
        }


def _item(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
