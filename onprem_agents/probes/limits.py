"""The limits that agents run into: the length of a body, the context window, silence before the first token."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.probes.exchange import exchange_when_free
from onprem_agents.probes.patient import Patient, ask, verdict
from onprem_agents.probes.silence import silence
from onprem_agents.probes.smoke import chat_body
from onprem_agents.probes.smoke_causes import error_text, of_error, of_status
from onprem_agents.probes.verdict import Verdict, fine

BODY_BYTES = 4 * 1024 * 1024
# vLLM 0.24 to 0.33 tell the window in their refusal (vllm/renderers and serving code, read 2026-11).
_WINDOW = re.compile(
    r"maximum (?:context|model) length (?:is|of) (\d+)|max_model_len[^0-9]{1,20}(\d+)", re.IGNORECASE
)


def limits(patient: Patient, *, slow: bool) -> Iterator[Verdict]:
    """Yield body, context and, when `slow`, the silence of a long prompt."""
    yield long_body(patient)
    yield context(patient)
    if slow:
        yield from silence(patient)


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
    asked = patient.openai.asked
    try:
        response, text = exchange_when_free(target, patient.http, "POST", "chat/completions", body)
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
