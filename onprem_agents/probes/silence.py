"""How long a stream is silent while a long prompt is read: whatever cuts silent streams shows itself here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.probes.exchange import SILENCE, Target, exchange
from onprem_agents.probes.patient import Judge, Patient, verdict
from onprem_agents.probes.smoke import CHAT_TOKENS, chat_body, streamed
from onprem_agents.probes.smoke_causes import of_error, of_status
from onprem_agents.probes.verdict import Verdict, fine

# About four characters of English make a token, so this leaves a margin to half the window.
_CHARACTERS_PER_TOKEN = 3
_ASKED = "Reply with the single word: ready"
_USUAL_IDLE_LIMIT_SECONDS = 60
"""Idle limit of many load balancers and proxies: AWS's ALB, NGINX's `proxy_read_timeout` (manuals, read 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class _Api:
    """One API that streams: how it is called here, where it is and how it is asked."""

    name: str
    path: str
    target: Target
    headers: dict[str, str] | None
    body: dict[str, Any]


def silence(patient: Patient) -> Iterator[Verdict]:
    """Stream the answer to a prompt of half the window from each API: whatever cuts silent streams shows itself."""
    words = "word " * (patient.role.context_tokens * _CHARACTERS_PER_TOKEN // 2 // len("word "))
    for api in (_chat, _messages, _responses):
        # Each prompt begins with a word of its own: none is answered from the cache of the one before.
        asked = api(patient, f"{secrets.token_hex(8)} {words}\n{_ASKED}")
        yield _streamed(
            patient, f"{asked.name}silence", asked, lambda _: fine("a prompt of half the window was answered")
        )


def waited(patient: Patient, probe: str, words: str, judge: Judge) -> Verdict:
    """Send a long prompt that asks for one word to the chat API, and judge the text of a good stream."""
    return _streamed(patient, probe, _chat(patient, f"{words}\n{_ASKED}"), judge)


def _chat(patient: Patient, text: str) -> _Api:
    body = streamed(chat_body(patient.role.model)) | {"messages": [{"role": "user", "content": text}]}
    return _Api(name="", path="chat/completions", target=patient.openai, headers=None, body=body)


def _messages(patient: Patient, text: str) -> _Api:
    target = patient.anthropic
    return _Api(
        name="messages ",
        path="messages?beta=true",
        target=target,
        headers=patient.anthropic_headers,
        body={
            "model": patient.role.model,
            "max_tokens": CHAT_TOKENS,
            "stream": True,
            "messages": [{"role": "user", "content": text}],
        },
    )


def _responses(patient: Patient, text: str) -> _Api:
    content = [{"type": "input_text", "text": text}]
    return _Api(
        name="responses ",
        path="responses",
        target=patient.openai,
        headers=None,
        body={
            "model": patient.role.model,
            "max_output_tokens": CHAT_TOKENS,
            "stream": True,
            "store": False,
            "input": [{"type": "message", "role": "user", "content": content}],
        },
    )


def _streamed(patient: Patient, probe: str, api: _Api, judge: Judge) -> Verdict:
    target = api.target
    asked = target.asked
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
        found = judge(text)
        if found.severity is Severity.OK:
            told = _told(seconds, response.extensions[SILENCE])
            found = replace(found, evidence=f"{found.evidence} {told}")
    elif response.is_success or response.status_code == httpx.codes.GATEWAY_TIMEOUT:
        found = _given_up(seconds)
    else:
        found = of_status(response.status_code, text, asked)
    return verdict(probe, found, secret=target.key)


def _told(seconds: float, silence_seconds: float) -> str:
    told = f"after {seconds:.0f} s, never silent for longer than {silence_seconds:.0f} s"
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
