"""Does the platform serve what all agents ask for: keys are checked, and the chat API answers, calls and streams."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx

from onprem_agents.agents import Agent
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.probes.exchange import exchange_when_free
from onprem_agents.probes.judges import leaked, one_call, several_calls
from onprem_agents.probes.patient import Patient, ask, verdict
from onprem_agents.probes.smoke import chat_body, one_by_one, streamed, tool_body
from onprem_agents.probes.smoke_causes import error_text, of_status
from onprem_agents.probes.streams import of_chat, trouble
from onprem_agents.probes.verdict import Verdict, fine

_TWO = (
    "Create two files with the tool, both at once: a.txt containing the word one, and b.txt containing the word"
    " two. Make both calls in this one answer."
)
# What a client does with its key: Bearer by Codex and opencode, x-api-key (or both) by Claude Code; 2026-11.
_HEADERS: tuple[Callable[[str], dict[str, str]], ...] = (
    lambda key: {"Authorization": f"Bearer {key}"},
    lambda key: {"x-api-key": key},
)
# Nobody serves a role of this name: a server that says so has let the request through.
_NO_MODEL = "none"


def keys(patient: Patient) -> Iterator[Verdict]:
    """Yield whether the gateway refuses no key and a wrong one, with either header."""
    made_up = [headers(f"onprem-{secrets.token_urlsafe(24)}") for headers in _HEADERS]
    for probe, tries in (("no key", [dict[str, str]()]), ("wrong key", made_up)):
        for headers in tries:
            try:
                response = _chat_with(patient, headers)
            except httpx.HTTPError:
                return  # the probe with the real key will tell
            if bad := _not_refused(patient, response, next(iter(headers), "no header")):
                yield verdict(probe, bad)
                break
        else:
            yield verdict(probe, fine("refused, as it must be"))


def _not_refused(patient: Patient, response: httpx.Response, how: str) -> Diagnosis | None:
    """Return what another answer than a refusal means: only one from behind the gateway shows that it is open."""
    status, text = response.status_code, response.extensions["text"]
    if status in (401, 403):
        return None
    evidence = f"a request with {how} and no valid key got HTTP {status}, not 401"
    asked = replace(patient.openai, model=_NO_MODEL).asked
    found = of_status(status, text, asked, location=response.headers.get("location", ""))
    if response.is_success or found.cause in ("model", "request", "context", "tool-parser"):
        fix = "the gateway lets strangers in: the platform team must look at its SecurityPolicy"
        return Diagnosis(cause="key-not-checked", evidence=evidence, fix=fix)
    if found.cause in ("busy", "upstream", "server"):
        evidence = (
            f"{evidence}, so whether strangers are refused was not seen: {error_text(text) or 'no text'}"
        )
        fix = "the gateway or the server behind it is busy or starting: run this again in some minutes"
        return Diagnosis(cause="busy", evidence=evidence, fix=fix)
    return replace(found, evidence=f"{evidence}: {found.evidence}")


def key_of_agent(patient: Patient, agent: Agent, key: str, setting: str) -> Iterator[Verdict]:
    """Yield whether the gateway takes a key that an agent was given beside setup's own."""
    host = patient.connection.anthropic_base_url.removeprefix("https://")
    try:
        response = _chat_with(patient, {"Authorization": f"Bearer {key}"})
    except (httpx.HTTPError, UnicodeEncodeError):
        return  # the probe with the key of setup will tell
    probe = f"{agent.name} key"
    if response.status_code in (401, 403):
        evidence = (
            f"{agent.name} sends the key from {setting}, and the gateway answers HTTP {response.status_code}"
        )
        fix = f"take it out and run: onprem-agents setup {agent.name} --host {host}; or put a valid key there"
        yield verdict(probe, Diagnosis(cause="key-refused", evidence=evidence, fix=fix), secret=key)
    else:
        yield verdict(probe, fine(f"the gateway takes the key from {setting}"), secret=key)


def _chat_with(patient: Patient, headers: dict[str, str]) -> httpx.Response:
    """Return the answer to a short chat request that has these headers and not the patient's own key."""
    response, text = exchange_when_free(
        patient.openai, patient.http, "POST", "chat/completions", chat_body(_NO_MODEL), headers=headers
    )
    response.extensions["text"] = text
    return response


def chat(patient: Patient) -> Iterator[Verdict]:
    """Yield the smoke test's verdicts: one answer, one stream and, of a role that has them, one tool call."""
    found = one_by_one(patient.openai, patient.http, tools=patient.role.tool_calling)
    yield from (verdict(item.probe, item) for item in found)


def openai_streams(patient: Patient) -> Iterator[Verdict]:
    """Yield streamed arguments and parallel calls of the chat API, and thoughts apart from content."""
    model = patient.role.model
    if patient.role.tool_calling:
        yield ask(
            patient, "streamed tool call", "chat/completions", streamed(tool_body(model)), _judge_arguments
        )
        two = {**tool_body(model), "messages": [{"role": "user", "content": _TWO}]}
        yield ask(patient, "parallel tool calls", "chat/completions", streamed(two), _judge_two)
    if patient.role.reasoning:
        yield ask(patient, "reasoning", "chat/completions", streamed(chat_body(model)), _judge_reasoning)


def _judge_reasoning(text: str) -> Diagnosis:
    stream = of_chat(text)
    if bad := trouble(stream, "[DONE]", text) or leaked(stream.text):
        return bad
    if not stream.text.strip():
        fix = "check the --reasoning-parser: all text went into the reasoning"
        return Diagnosis(cause="empty", evidence="thoughts and no answer", fix=fix)
    how = f"{len(stream.thought)} characters of thought apart" if stream.thought else "it did not think"
    return fine(f"the answer is clean; {how}")


def _judge_arguments(text: str) -> Diagnosis:
    return one_call(of_chat(text), "[DONE]", text)


def _judge_two(text: str) -> Diagnosis:
    return several_calls(of_chat(text), "[DONE]", text)
