"""Requests in the shapes that agents send when setup configured them for this contract.

Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33, whose requests were recorded 2026-11. A chat template that
takes one system message alone, a server that knows no namespace: it shows here, and not in a developer's first hour.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.probes.judges import leaked, one_call
from onprem_agents.probes.patient import Patient, ask
from onprem_agents.probes.picture import ASKED, red_png
from onprem_agents.probes.smoke import CHAT_TOKENS, TOOL, TOOL_TOKENS, chat_body, streamed
from onprem_agents.probes.smoke_causes import PARSER_FIX
from onprem_agents.probes.streams import Stream, of_chat, of_messages, of_responses, trouble
from onprem_agents.probes.thinking import messages_thinking, responses_thinking
from onprem_agents.probes.verdict import Verdict, fine

NAMESPACE, PICTURE = "namespace tools", "picture"
_WORD = "Reply with the single word: ready"
_TASK = "Create the file hello.txt containing the word hi. Use the tool."
_RULES, _PLACE = "You work with tools.", "The working folder is /work, the system is Linux."
_SCHEMA = TOOL["function"]["parameters"]  # type: ignore[index] # a literal of another module
_MESSAGES = "messages?beta=true"


def anthropic(patient: Patient) -> Iterator[Verdict]:
    """Yield what Claude Code needs: an answer, with a stop sequence, a streamed tool call, the count of tokens."""
    model = patient.role.model
    words = [{"role": "user", "content": _WORD}]
    text = {"model": model, "max_tokens": CHAT_TOKENS, "messages": words, "stop_sequences": ["</answer>"]}
    yield _messages(patient, "messages", text, _judge_message)
    yield _messages(
        patient,
        "messages tool call",
        claude_body(patient),
        lambda answer: one_call(of_messages(answer), "message_stop", answer),
    )
    if patient.role.vision:
        image = {"type": "base64", "media_type": "image/png", "data": red_png()}
        content = [{"type": "image", "source": image}, {"type": "text", "text": ASKED}]
        seen = {"model": model, "max_tokens": CHAT_TOKENS, "stream": True}
        seen |= {"messages": [{"role": "user", "content": content}]}
        found = _messages(patient, f"messages {PICTURE}", seen, _seen(of_messages, "message_stop"))
        yield _of_picture(found)
    count, path = {"model": model, "messages": words}, "messages/count_tokens?beta=true"
    yield _messages(patient, "count_tokens", count, _judge_count, path=path)


def claude_body(patient: Patient) -> dict[str, Any]:
    """Return a turn of Claude Code: instructions in two blocks, its place, a tool, and thinking as the contract has it.

    The message of the role `system` goes along where the contract's capabilities let Claude Code send one.
    """
    cached = {"cache_control": {"type": "ephemeral"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": _TASK, **cached}]}]
    if "-mid_conv_system" not in patient.role.claude_capabilities:
        messages.append({"role": "system", "content": [{"type": "text", "text": _PLACE}]})
    return {
        "model": patient.role.model,
        "stream": True,
        "system": [{"type": "text", "text": text, **cached} for text in (_RULES, _PLACE)],
        "messages": messages,
        "tools": [{"name": "write_file", "description": "Create a file.", "input_schema": _SCHEMA}],
        "metadata": {
            "user_id": json.dumps({"device_id": "0" * 64, "account_uuid": "", "session_id": "doctor"})
        },
        **messages_thinking(patient.role.thinking, answer_tokens=TOOL_TOKENS),
    }


def responses(patient: Patient) -> Iterator[Verdict]:
    """Yield what Codex needs: a streamed tool call, and tools of MCP servers, which come in namespaces."""
    plain = _responses(patient, "responses", codex_body(patient))
    yield plain
    if plain.cause != "ok":
        return  # what follows would only repeat it
    space = {"type": "namespace", "name": "files", "description": "Files.", "tools": [_function()]}
    found = _responses(patient, NAMESPACE, codex_body(patient) | {"tools": [space]})
    if found.cause == "prose":
        found = replace(found, severity=Severity.OK, cause="own-choice", fix="")
    elif found.cause in ("request", "tool-parser"):
        evidence = f"not taken ({found.evidence}): Codex works, its MCP servers and sub-agents do not"
        found = replace(found, severity=Severity.OK, cause="no-namespaces", evidence=evidence, fix="")
    yield found
    if patient.role.vision:
        image = {"type": "input_image", "image_url": f"data:image/png;base64,{red_png()}"}
        item = _item("user", ASKED, "task")
        item["content"].append(image)
        body = {"model": patient.role.model, "stream": True, "store": False, "input": [item]}
        judge = _seen(of_responses, "response.completed")
        yield _of_picture(ask(patient, f"responses {PICTURE}", "responses", body, judge))


def codex_body(patient: Patient) -> dict[str, Any]:
    """Return a turn of Codex: two developer and two user messages, each with an id, and what it sends beside them."""
    said = (("developer", _RULES), ("developer", _PLACE), ("user", "<environment/>"), ("user", _TASK))
    return {
        "model": patient.role.model,
        "stream": True,
        "store": False,
        "input": [_item(role, text, str(index)) for index, (role, text) in enumerate(said)],
        "tools": [_function()],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto", **responses_thinking(patient.role.thinking)},
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "onprem-doctor",
        "client_metadata": {"session_id": "onprem-doctor"},
    }


def chat_picture(patient: Patient) -> Iterator[Verdict]:
    """Yield whether the chat API takes a picture, of a role that is said to see."""
    if not patient.role.vision:
        return
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{red_png()}"}}
    content = [{"type": "text", "text": ASKED}, image]
    body = streamed(chat_body(patient.role.model)) | {"messages": [{"role": "user", "content": content}]}
    yield _of_picture(ask(patient, PICTURE, "chat/completions", body, _seen(of_chat, "[DONE]")))


def _function() -> dict[str, Any]:
    return {
        "type": "function",
        "name": "write_file",
        "description": "Create a file.",
        "strict": False,
        "parameters": _SCHEMA,
    }


def _item(role: str, text: str, name: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "id": f"msg_onprem_{name}", "role": role, "content": content}


def _messages(
    patient: Patient,
    probe: str,
    body: dict[str, Any],
    judge: Callable[[str], Diagnosis],
    *,
    path: str = _MESSAGES,
) -> Verdict:
    return ask(patient, probe, path, body, judge, target=patient.anthropic, headers=patient.anthropic_headers)


def _responses(patient: Patient, probe: str, body: dict[str, Any]) -> Verdict:
    return ask(
        patient,
        probe,
        "responses",
        body,
        lambda text: one_call(of_responses(text), "response.completed", text),
    )


def _seen(read: Callable[[str], Stream], end: str) -> Callable[[str], Diagnosis]:
    def judge(text: str) -> Diagnosis:
        stream = read(text)
        return trouble(stream, end, text) or fine(f"it looked and said: {stream.text or stream.thought}")

    return judge


def _of_picture(found: Verdict) -> Verdict:
    if found.cause not in ("request", "server"):
        return found
    fix = (
        "the contract says that this role sees, and the server takes no picture: the platform team must look at"
        " --language-model-only and --limit-mm-per-prompt of vLLM, or deploy the stack again"
    )
    return replace(found, cause="no-pictures", fix=fix)


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
    if bad := leaked(words):
        return bad
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
