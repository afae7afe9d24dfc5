"""What a good answer says of the server that gave it: tool calls whole, in text or missing; thoughts apart."""

from __future__ import annotations

import json
import re

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.probes.smoke_causes import PARSER_FIX
from onprem_agents.probes.streams import Stream, trouble
from onprem_agents.probes.verdict import fine

# Marks of thoughts (DeepSeek, Qwen, Gemma, gpt-oss) and of tool calls (Hermes, Qwen, Mistral, Llama, Gemma,
# gpt-oss) in text that no parser has taken out; chat templates of these families, 2026-11.
THOUGHT = re.compile(r"</?think(?:ing)?>|<\|channel[|>]|\[/?THINK\]", re.IGNORECASE)
_RAW_CALL = re.compile(
    r"</?tool_call|<function=|\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call|\"name\"\s*:\s*\"write_file\"|```tool"
)


def one_call(stream: Stream, end: str, text: str = "") -> Diagnosis:
    """Judge a stream that should hold one whole call of a tool."""
    if bad := trouble(stream, end, text):
        return bad
    if not stream.calls:
        return no_call(stream.text)
    if broken := broken_call(stream):
        return Diagnosis(cause="tool-arguments", evidence=f"broken arguments: {broken}", fix=PARSER_FIX)
    return fine(f"called {next(iter(stream.calls.values()))['name']}")


def several_calls(stream: Stream, end: str, text: str) -> Diagnosis:
    """Judge a stream that may hold several calls: how many there are, and whether any, is the model's choice."""
    if bad := trouble(stream, end, text):
        return bad
    if broken := broken_call(stream):
        return Diagnosis(
            cause="tool-parser", evidence=f"a call among several is broken: {broken}", fix=PARSER_FIX
        )
    if not stream.calls:
        found = no_call(stream.text)
        told = f"the model answered in prose, which is its own choice here: {stream.text or 'nothing'}"
        return found if found.cause == "tool-parser" else fine(told, cause="own-choice")
    if len(stream.calls) == 1:
        return fine("one call at a time: slower, and agents live with it", cause="one-at-a-time")
    return fine(f"{len(stream.calls)} calls in one answer")


def no_call(text: str) -> Diagnosis:
    """Return the diagnosis of an answer without the call that was asked for: left in the text, or not made."""
    if _RAW_CALL.search(text):
        evidence = f"the call came as text: {text}"
        return Diagnosis(cause="tool-parser", evidence=evidence, fix=f"the parser does not fit: {PARSER_FIX}")
    fix = f"{PARSER_FIX}; if they are set, this model is not fit for agents"
    return Diagnosis(cause="prose", evidence=f"prose instead of a tool call: {text or 'nothing'}", fix=fix)


def leaked(text: str) -> Diagnosis | None:
    """Return the diagnosis of thoughts within an answer; None where there are none."""
    if not THOUGHT.search(text):
        return None
    fix = "start vLLM with the --reasoning-parser of this model's family"
    return Diagnosis(cause="reasoning-leak", evidence=f"thoughts within the answer: {text}", fix=fix)


def broken_call(stream: Stream) -> str:
    """Return the first call that no agent could make use of, or nothing."""
    for call in stream.calls.values():
        try:
            whole = isinstance(json.loads(call["arguments"]), dict) and bool(call["name"])
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            return f"{call['name']}({call['arguments']})"
    return ""
