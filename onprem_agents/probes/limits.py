"""The limits that agents run into: the length of a body, silence before the first token, the context window."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.probes.endpoint import streamed
from onprem_agents.probes.patient import Judge, Patient, ask, verdict
from onprem_agents.probes.smoke import chat_body, exchange
from onprem_agents.probes.smoke_causes import Asked, error_text, of_error, of_status
from onprem_agents.probes.verdict import Verdict, fine

BODY_BYTES = 4 * 1024 * 1024
# About four characters of English make a token, so this leaves a margin to the window.
_CHARACTERS_PER_TOKEN = 3
# vLLM 0.24 to 0.33 tell the window in their refusal (vllm/renderers and serving code, read 2026-11).
_WINDOW = re.compile(
    r"maximum (?:context|model) length (?:is|of) (\d+)|max_model_len[^0-9]{1,20}(\d+)", re.IGNORECASE
)


def limits(patient: Patient, *, slow: bool) -> Iterator[Verdict]:
    """Yield body, context and, when `slow`, the silence of a long prompt."""
    yield long_body(patient)
    yield context(patient)
    if slow:
        yield silence(patient)


def long_body(patient: Patient) -> Verdict:
    """Send a body as long as an agent's, which means no more than a short one."""
    return ask(
        patient,
        "long body",
        "chat/completions",
        chat_body(patient.role.model),
        lambda _: fine(f"{BODY_BYTES // 1024 // 1024} MiB went through"),
        padding_bytes=BODY_BYTES,
    )


def context(patient: Patient) -> Verdict:
    """Compare the window that the server tells with the contract's; asking for too much output costs nothing."""
    promised = patient.role.context_tokens
    body = {**chat_body(patient.role.model), "max_tokens": promised + 1}
    target = patient.openai
    asked = _asked(patient)
    try:
        response, text = exchange(target, patient.http, "POST", "chat/completions", body)
    except httpx.HTTPError as error:
        return verdict("context", of_error(error, asked), secret=target.key)
    told = _WINDOW.search(error_text(text)) if not response.is_success else None
    if told is None:
        if response.is_success or response.status_code == httpx.codes.BAD_REQUEST:
            return verdict(
                "context", fine(f"the server did not tell its window; the contract says {promised} tokens")
            )
        return verdict("context", of_status(response.status_code, text, asked), secret=target.key)
    served = int(told[1] or told[2])
    if served >= promised:
        return verdict("context", fine(f"{served} tokens are served, {promised} are promised"))
    fix = (
        f"agents are set up for {promised} tokens and will overflow: the platform team must deploy the stack"
        " again (vLLM's --max-model-len differs from its settings), then run onprem-agents setup"
    )
    evidence = f"the server's window is {served} tokens, the contract promises {promised}"
    return verdict("context", Diagnosis(cause="context", evidence=evidence, fix=fix))


def silence(patient: Patient) -> Verdict:
    """Send a prompt of half the window and wait: whatever cuts a silent stream shows itself here."""
    words = "word " * (patient.role.context_tokens * _CHARACTERS_PER_TOKEN // 2 // 5)
    return waited(patient, "silence", words, lambda _: fine("a prompt of half the window was answered"))


def waited(patient: Patient, probe: str, words: str, judge: Judge) -> Verdict:
    """Send a long prompt that asks for one word, and judge the text of a good stream."""
    body = streamed(chat_body(patient.role.model))
    body["messages"] = [{"role": "user", "content": f"{words}\nReply with the single word: ready"}]
    started = time.monotonic()
    target, asked = patient.openai, _asked(patient)
    try:
        response, text = exchange(target, patient.http, "POST", "chat/completions", body)
    except httpx.HTTPError as error:
        found = of_error(error, asked)
        if found.cause not in ("timeout", "cut"):
            return verdict(probe, found, secret=target.key)
        response, text = None, ""
    seconds = time.monotonic() - started
    if response is not None and response.is_success and "data:" in text:
        judged = judge(text)
        if judged.severity is Severity.OK:
            judged = replace(judged, evidence=f"{judged.evidence} after {seconds:.0f} s")
        return verdict(probe, judged, secret=target.key)
    if (
        response is not None
        and response.status_code != httpx.codes.GATEWAY_TIMEOUT
        and not response.is_success
    ):
        return verdict(probe, of_status(response.status_code, text, asked), secret=target.key)
    return verdict(
        probe,
        Diagnosis(
            cause="silence",
            evidence=f"the stream was given up after {seconds:.0f} s without a token",
            fix="a time limit on the way is shorter than a long prompt takes: compare the timeouts of gateway, route"
            " and server (onprem-agents plan STACK --json), or raise --timeout",
        ),
    )


def _asked(patient: Patient) -> Asked:
    target = patient.openai
    return Asked(
        base_url=target.base_url,
        model=target.model,
        key_source=target.key_source,
        timeout_seconds=target.timeout_seconds,
    )
