"""What came: one JSON line for each request, so that a test can prove what reached a server and what did not.

Keys are written as fingerprints: whoever holds a key can tell whether it is the one, nobody can read it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripted_model.turn import Asked

_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"})


def fingerprint(key: str) -> str:
    """Return what stands in the record for a key: `sha256:` and the digest of its UTF-8 text."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


class Record:
    """A file of JSON lines with mode 0600, or nothing when no file is wanted."""

    def __init__(self, file: Path | None) -> None:
        self._descriptor: int | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(
        self,
        *,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        status: int,
        document: object,
        asked: Asked | None,
        refusal: str | None,
    ) -> None:
        """Write down one request and the status it got. `document` is its body read as JSON, if it is any."""
        if self._descriptor is None:
            return
        path, _, query = target.partition("?")
        line = {
            "time": round(time.time(), 3),
            "method": method,
            "path": path,
            "query": query,
            "headers": {name: _told(name, value) for name, value in headers},
            "body_bytes": len(body),
            "status": status,
            "refusal": refusal,
            "request": _selected(document, asked),
        }
        os.write(self._descriptor, (json.dumps(line) + "\n").encode())


def _told(name: str, value: str) -> str:
    if name not in _CREDENTIALS:
        return value
    scheme, space, key = value.partition(" ")
    return f"{scheme} {fingerprint(key)}" if space else fingerprint(value)


def _selected(document: object, asked: Asked | None) -> dict[str, Any] | None:
    """Return what a test may ask about; no text of a prompt is kept."""
    if not isinstance(document, dict):
        return None
    selected: dict[str, Any] = {"fields": sorted(map(str, document)), "model": document.get("model")}
    if asked is not None:
        selected |= {
            "stream": asked.stream,
            "max_output_tokens": asked.max_output_tokens,
            "roles": [entry.role for entry in asked.entries],
            "tools": [tool.name for tool in asked.tools],
        }
    return selected
