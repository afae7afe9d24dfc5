"""Does the platform serve what agents ask for: keys, chat, streams, tools, messages, responses."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

import httpx

from onprem_agents.agents import Agent
from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.probes.patient import Patient, ask, verdict
from onprem_agents.probes.smoke import (
    CHAT_TOKENS,
    THOUGHT,
    TOOL,
    TOOL_TOKENS,
    chat_body,
    exchange,
    one_by_one,
    streamed,
    tool_body,
)
from onprem_agents.probes.smoke_causes import PARSER_FIX
from onprem_agents.probes.streams import Stream, of_chat, of_messages, of_responses, trouble
from onprem_agents.probes.verdict import Verdict, fine

_WORD = "Reply with the single word: ready"
_TASK = "Create the file hello.txt containing the word hi. Use the tool."
_TWO = (
    "Create two files with the tool, both at once: a.txt containing the word one, and b.txt containing the word"
    " two. Make both calls in this one answer."
)
_SCHEMA = TOOL["function"]["parameters"]  # type: ignore[index] # a literal of another module
# What a client does with its key: Bearer by Codex and opencode, x-api-key (or both) by Claude Code; 2026-11.
_HEADERS: tuple[Callable[[str], dict[str, str]], ...] = (
    lambda key: {"Authorization": f"Bearer {key}"},
    lambda key: {"x-api-key": key},
)


def keys(patient: Patient) -> Iterator[Verdict]:
    """Yield whether the gateway refuses no key and a wrong one, with either header."""
    made_up = [headers(f"onprem-{secrets.token_urlsafe(24)}") for headers in _HEADERS]
    for probe, tries in (("no key", [dict[str, str]()]), ("wrong key", made_up)):
        for headers in tries:
            try:
                response = _chat_with(patient, headers)
            except httpx.HTTPError:
                return  # the probe with the real key will tell
            if response.is_success or response.status_code not in (401, 403):
                how = next(iter(headers), "no header")
                evidence = f"a request with {how} and no valid key got HTTP {response.status_code}, not 401"
                fix = "the gateway lets strangers in: the platform team must look at its SecurityPolicy"
                yield verdict(probe, Diagnosis(cause="key-not-checked", evidence=evidence, fix=fix))
                break
        else:
            yield verdict(probe, fine("refused, as it must be"))


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
    response, _ = exchange(
        patient.openai, patient.http, "POST", "chat/completions", chat_body("none"), headers=headers
    )
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


def anthropic(patient: Patient) -> Iterator[Verdict]:
    """Yield what Claude Code needs: an answer, a streamed tool call, the count of tokens."""
    model, target = patient.role.model, patient.anthropic
    headers = patient.anthropic_headers
    text = {"model": model, "max_tokens": CHAT_TOKENS, "messages": [{"role": "user", "content": _WORD}]}
    call = {
        "model": model,
        "max_tokens": TOOL_TOKENS,
        "stream": True,
        "system": [{"type": "text", "text": "You work with tools.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": _TASK}]}],
        "tools": [{"name": "write_file", "description": "Create a file.", "input_schema": _SCHEMA}],
    }
    path = "messages?beta=true"
    yield ask(patient, "messages", path, text, _judge_message, target=target, headers=headers)
    yield ask(
        patient,
        "messages tool call",
        path,
        call,
        lambda answer: _one_call(of_messages(answer), "message_stop"),
        target=target,
        headers=headers,
    )
    count = {"model": model, "messages": text["messages"]}
    path = "messages/count_tokens?beta=true"
    yield ask(patient, "count_tokens", path, count, _judge_count, target=target, headers=headers)


def responses(patient: Patient) -> Iterator[Verdict]:
    """Yield what Codex needs: a streamed call of a tool on the Responses API."""
    body = {
        "model": patient.role.model,
        "stream": True,
        "store": False,
        "input": [
            {
                "type": "message",
                "role": "developer",
                "content": [{"type": "input_text", "text": "Use tools."}],
            },
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": _TASK}]},
        ],
        "tools": [
            {"type": "function", "name": "write_file", "description": "Create a file.", "parameters": _SCHEMA}
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    yield ask(
        patient,
        "responses",
        "responses",
        body,
        lambda text: _one_call(of_responses(text), "response.completed"),
    )


def _judge_reasoning(text: str) -> Diagnosis:
    stream = of_chat(text)
    if bad := trouble(stream, "[DONE]", text):
        return bad
    if THOUGHT.search(stream.text):
        fix = "start vLLM with the --reasoning-parser of this model's family"
        return Diagnosis(
            cause="reasoning-leak", evidence=f"thoughts within the answer: {stream.text}", fix=fix
        )
    if not stream.text.strip():
        fix = "check the --reasoning-parser: all text went into the reasoning"
        return Diagnosis(cause="empty", evidence="thoughts and no answer", fix=fix)
    how = f"{len(stream.thought)} characters of thought apart" if stream.thought else "it did not think"
    return fine(f"the answer is clean; {how}")


def _judge_arguments(text: str) -> Diagnosis:
    return _one_call(of_chat(text), "[DONE]", text)


def _judge_two(text: str) -> Diagnosis:
    stream = of_chat(text)
    if bad := trouble(stream, "[DONE]", text):
        return bad
    if broken := _broken_call(stream):
        return _parser(f"a call among several is broken: {broken}")
    if not stream.calls:
        return _parser(f"prose instead of two calls: {stream.text or 'nothing'}")
    if len(stream.calls) == 1:
        return fine("one call at a time: slower, and agents live with it", cause="one-at-a-time")
    return fine(f"{len(stream.calls)} calls in one answer")


def _one_call(stream: Stream, end: str, text: str = "") -> Diagnosis:
    if bad := trouble(stream, end, text):
        return bad
    if not stream.calls:
        return _parser(f"no tool call in the stream, but: {stream.text or 'nothing'}")
    if broken := _broken_call(stream):
        return Diagnosis(cause="tool-arguments", evidence=f"broken arguments: {broken}", fix=PARSER_FIX)
    return fine(f"called {next(iter(stream.calls.values()))['name']}")


def _broken_call(stream: Stream) -> str:
    for call in stream.calls.values():
        try:
            whole = isinstance(json.loads(call["arguments"]), dict) and bool(call["name"])
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            return f"{call['name']}({call['arguments']})"
    return ""


def _parser(evidence: str) -> Diagnosis:
    return Diagnosis(cause="tool-parser", evidence=evidence, fix=PARSER_FIX)


def _judge_message(text: str) -> Diagnosis:
    try:
        blocks = json.loads(text)["content"]
        words = "".join(block.get("text", "") for block in blocks if block.get("type") == "text").strip()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Diagnosis(
            cause="not-an-api",
            evidence=f"HTTP 200 without an Anthropic message: {text}",
            fix="the address serves no /v1/messages: Claude Code needs vLLM's own, or the translation of the stack",
        )
    if THOUGHT.search(words):
        fix = "start vLLM with the --reasoning-parser of this model's family"
        return Diagnosis(cause="reasoning-leak", evidence=f"thoughts within the answer: {words}", fix=fix)
    return (
        fine(f"answered: {words}") if words else Diagnosis(cause="empty", evidence="no text", fix=PARSER_FIX)
    )


def _judge_count(text: str) -> Diagnosis:
    try:
        tokens = json.loads(text)["input_tokens"]
    except (ValueError, LookupError, TypeError, RecursionError):
        tokens = None
    if isinstance(tokens, int) and tokens > 0:
        return fine(f"{tokens} tokens")
    fix = "only /context of Claude Code needs it; the server behind the gateway does not count"
    return Diagnosis(cause="count", severity=Severity.BROKEN, evidence=f"no count but: {text}", fix=fix)
