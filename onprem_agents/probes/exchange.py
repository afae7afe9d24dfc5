"""One request to an endpoint and its answer, with the times at which the answer came."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes.address import Address, AtAddress
from onprem_agents.probes.pace import Arrival
from onprem_agents.probes.smoke_causes import Asked, is_busy

MAX_ANSWER_BYTES = 4 * 1024 * 1024
SILENCE = "longest_silence_seconds"
ARRIVALS = "arrivals"
# Claude Code 2.1.330, Codex 0.169.0 and opencode 1.18.33 try a busy gateway again five times and more, and wait for
# what Retry-After says (run 2026-11); here it is enough to tell a moment from an hour.
_BUSY_TRIES, _BUSY_WAIT_SECONDS, _MOST_WAIT_SECONDS = 2, 1.0, 5.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """The endpoint under test; `key_source` says where the key is from, `timeout_seconds` bounds a probe."""

    base_url: str
    model: str
    key: str | None = None
    key_source: str | None = None
    timeout_seconds: float = 120.0

    @property
    def asked(self) -> Asked:
        """What is asked, for the words of a failure."""
        return Asked(
            base_url=self.base_url,
            model=self.model,
            key_source=self.key_source if self.key is not None else None,
            timeout_seconds=self.timeout_seconds,
        )

    def __repr__(self) -> str:
        return f"Target(base_url={self.base_url!r}, model={self.model!r}, key_source={self.key_source!r})"


def client(target: Target, *, ca_file: Path | None = None, address: Address | None = None) -> httpx.Client:
    """Return an HTTP client for the endpoint, which is looked for at `address` where one is given.

    Raises `EnvironmentProblem` for an unusable CA file.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        message = f"the CA file {ca_file} cannot be used ({error}); give a readable PEM file with --ca-file"
        raise EnvironmentProblem(message) from error
    if address is not None:
        return httpx.Client(transport=AtAddress(context, address), timeout=target.timeout_seconds)
    return httpx.Client(verify=context, timeout=target.timeout_seconds)


def exchange(
    target: Target,
    http: httpx.Client,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    *,
    headers: dict[str, str] | None = None,
    padding_bytes: int = 0,
) -> tuple[httpx.Response, str]:
    """Send one request and return the answer with its text, cut at 4 MiB; raises `httpx.HTTPError`.

    `headers` take the place of the Bearer header; `padding_bytes` of blanks make the body long, not its meaning.
    The answer's extension `SILENCE` tells for how long no byte came, in seconds; `ARRIVALS` tells what came when.
    """
    if headers is None:
        headers = {"Authorization": f"Bearer {target.key}"} if target.key is not None else {}
    content = json.dumps(body).encode() + b" " * padding_bytes if body is not None else None
    url = f"{target.base_url.rstrip('/')}/{path}"
    began = time.monotonic()
    deadline = began + target.timeout_seconds
    parts = bytearray()
    arrivals: list[Arrival] = []
    silence, heard = 0.0, began
    headers = headers | ({"content-type": "application/json"} if content is not None else {})
    with http.stream(
        method, url, content=content, headers=headers, timeout=target.timeout_seconds
    ) as response:
        for part in response.iter_bytes():
            parts += part
            now = time.monotonic()
            silence, heard = max(silence, now - heard), now
            arrivals.append(Arrival(seconds=now - began, events=part.count(b"data:")))
            if len(parts) > MAX_ANSWER_BYTES:
                break
            if now > deadline:
                raise httpx.ReadTimeout("the answer was still incomplete")
    response.extensions[SILENCE] = max(silence, time.monotonic() - heard)
    response.extensions[ARRIVALS] = tuple(arrivals)
    return response, parts.decode("utf-8", "replace")


def exchange_when_free(
    target: Target,
    http: httpx.Client,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    *,
    headers: dict[str, str] | None = None,
    padding_bytes: int = 0,
) -> tuple[httpx.Response, str]:
    """As `exchange`; a gateway or server that is busy at the moment is asked again, as agents do."""
    for tries_left in range(_BUSY_TRIES, -1, -1):
        response, text = exchange(
            target, http, method, path, body, headers=headers, padding_bytes=padding_bytes
        )
        if tries_left and is_busy(response.status_code, text):
            time.sleep(_wait_seconds(response.headers.get("retry-after", "")))
            continue
        break
    return response, text


def _wait_seconds(retry_after: str) -> float:
    told = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else _BUSY_WAIT_SECONDS
    return min(told, _MOST_WAIT_SECONDS)
