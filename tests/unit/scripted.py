"""The scripted model without its socket: a function that sends it a request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripted_model.http import HttpRequest
from scripted_model.record import Record
from scripted_model.server import ScriptedModel
from tests.unit.event_loop import finished

Send = Callable[..., tuple[int, Any]]


def sender(record_file: Path, **options: Any) -> Send:
    """Return what sends one scripted model a request and gives status and answer, of a stream its events."""
    model = ScriptedModel({"coder": 65536}, Record(record_file), **options)

    def send(path: str, body: object, method: str = "POST", **headers: str) -> tuple[int, Any]:
        request = HttpRequest(
            method=method,
            target=path,
            headers=tuple(headers.items()),
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )

        async def answer() -> tuple[int, Any]:
            response = await model(request)
            if response.stream is None:
                return response.status, json.loads(response.body)
            return response.status, [event async for event in response.stream]

        return finished(answer())

    return send
