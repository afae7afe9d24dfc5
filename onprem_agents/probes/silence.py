"""How long a stream is silent while a long prompt is read: whatever cuts silent streams shows itself here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.probes.patient import Patient, verdict
from onprem_agents.probes.smoke import CHAT_TOKENS, SILENCE, Target, exchange
from onprem_agents.probes.smoke_causes import Asked, of_error, of_status
from onprem_agents.probes.verdict import Verdict, fine

# About four characters of English make a token, so this leaves a margin to half the window.
_CHARACTERS_PER_TOKEN = 3
_ASKED = "Reply with the single word: ready"
_USUAL_IDLE_LIMIT_SECONDS = 60
"""Idle limit of many load balancers and proxies: AWS's ALB, NGINX's `proxy_read_timeout` (manuals, read 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class _Api:
    """One API that streams: where it is, how it is asked, and the word before the probe's name."""

    prefix: str
    path: str
    target: Target
    headers: dict[str, str] | None
    body: dict[str, Any]


def silence(patient: Patient) -> Iterator[Verdict]:
    """Stream the answer to a prompt of half the window from each API."""
    for api in _apis(patient):
        yield _silence(patient, api)


def _apis(patient: Patient) -> Iterator[_Api]:
    role = patient.connection.main
    words = "word " * (role.context_tokens * _CHARACTERS_PER_TOKEN // 2 // len("word "))

    def text() -> str:
        # Each prompt begins with a word of its own: none is answered from the cache of the one before.
        return f"{secrets.token_hex(8)} {words}\n{_ASKED}"

    message = [{"role": "user", "content": text()}]
    chat = {"model": role.model, "max_tokens": CHAT_TOKENS, "stream": True, "messages": message}
    yield _Api(prefix="", path="chat/completions", target=patient.openai, headers=None, body=chat)
    anthropic = patient.anthropic
    headers = {"anthropic-version": "2023-06-01"} | ({"x-api-key": anthropic.key} if anthropic.key else {})
    message = [{"role": "user", "content": text()}]
    messages = {"model": role.model, "max_tokens": CHAT_TOKENS, "stream": True, "messages": message}
    yield _Api(
        prefix="messages ", path="messages?beta=true", target=anthropic, headers=headers, body=messages
    )
    responses = {
        "model": role.model,
        "max_output_tokens": CHAT_TOKENS,
        "stream": True,
        "store": False,
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text()}]}],
    }
    yield _Api(prefix="responses ", path="responses", target=patient.openai, headers=None, body=responses)


def _silence(patient: Patient, api: _Api) -> Verdict:
    target, probe = api.target, f"{api.prefix}silence"
    asked = Asked(
        base_url=target.base_url,
        model=target.model,
        key_source=target.key_source,
        timeout_seconds=target.timeout_seconds,
    )
    started = time.monotonic()
    try:
        response, text = exchange(target, patient.http, "POST", api.path, api.body, headers=api.headers)
    except httpx.HTTPError as error:
        found = of_error(error, asked)
        if found.cause in ("timeout", "cut"):
            found = _given_up(time.monotonic() - started)
        return verdict(probe, found, secret=target.key)
    seconds = time.monotonic() - started
    if response.is_success and "data:" in text:
        found = fine(_told(seconds, response.extensions[SILENCE]))
    elif response.is_success or response.status_code == httpx.codes.GATEWAY_TIMEOUT:
        found = _given_up(seconds)
    else:
        found = of_status(response.status_code, text, asked)
    return verdict(probe, found, secret=target.key)


def _told(seconds: float, silence_seconds: float) -> str:
    told = (
        f"a prompt of half the window was answered after {seconds:.0f} s, never silent for longer than"
        f" {silence_seconds:.0f} s"
    )
    if silence_seconds < _USUAL_IDLE_LIMIT_SECONDS:
        return told
    return f"{told}: a hop in between whose idle limit is shorter would cut it"


def _given_up(seconds: float) -> Diagnosis:
    return Diagnosis(
        cause="silence",
        evidence=f"the stream was given up after {seconds:.0f} s without a token",
        fix="a time limit on the way is shorter than a long prompt takes: compare the timeouts of gateway, route"
        " and server (onprem-agents plan STACK --json), or raise --timeout",
    )
