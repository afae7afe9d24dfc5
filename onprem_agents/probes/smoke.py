"""The smoke test of an endpoint: one chat request, one tool call, one stream, each with verdict, evidence and fix.

It needs a base URL, a model name and, where asked for, a key: any server of the OpenAI chat API will do. The
key goes into one header and nowhere else; evidence is cleaned of it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.probes.exchange import ARRIVALS, SILENCE, Target, exchange, exchange_when_free
from onprem_agents.probes.judges import leaked, no_call
from onprem_agents.probes.pace import Pace, pace
from onprem_agents.probes.smoke_causes import PARSER_FIX, Asked, of_error, of_status
from onprem_agents.probes.streams import of_chat, trouble
from onprem_agents.probes.verdict import Verdict, fine

CHAT_TOKENS = 1024  # a reasoning model thinks before the one word; the often shown 16 end within the thought
TOOL_TOKENS = 2048
# How much later a long answer must begin than a short one before that means anything.
_LATE_SECONDS = 0.5
# Long enough that the times of its events tell whether something holds them back, short enough for a slow server.
COUNT = "Count from 1 to 100, one number on each line, and nothing else."
# Failures that every further probe would only repeat.
_SAME_FOR_ALL = frozenset(
    {"key-missing", "key-refused", "key-forbidden", "model", "path", "redirect", "upstream", "busy"}
)
TOOL = {
    "type": "function",
    "function": {
        "name": "write_file",
        "description": "Create a file with the given content.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    },
}


def run(target: Target, http: httpx.Client) -> tuple[Verdict, ...]:
    """Probe the endpoint. The others are left out when they could only repeat what the first one found.

    Raises `InvalidInput` when address or key could never work.
    """
    return tuple(one_by_one(target, http))


def one_by_one(target: Target, http: httpx.Client, *, tools: bool = True) -> Iterator[Verdict]:
    """Yield the same verdicts as they come; without `tools` none of a tool call. Raises as `run` does."""
    check_target(target)
    chat = _probe(target, http, "chat", chat_body(target.model), _of_message(_judge_chat))
    yield chat
    if chat.severity is Severity.UNREACHABLE or chat.cause in _SAME_FOR_ALL:
        return
    if tools:
        yield _probe(target, http, "tool call", tool_body(target.model), _of_message(judge_tool_call))
    yield streaming(target, http)


def check_target(target: Target) -> None:
    """Refuse an address or a key that could never work, before anything is sent. Raises `InvalidInput`."""
    problems = []
    if not _is_plain_address(target.base_url):
        problems.append(
            Problem(
                where="--base-url",
                cause="bad-value",
                found="something that is not a plain http(s) address",
                why="the probes need scheme, host and path, and no user, password, query or blank",
                fix="give an address such as https://agents.example.internal/v1",
            )
        )
    if target.key is not None and not re.fullmatch(r"[\x21-\x7e]+", target.key):
        problems.append(
            Problem(
                where=target.key_source or "the key",
                cause="bad-secret",
                found="a key that is empty or holds blanks, line ends or characters outside ASCII",
                why="no header can carry it",
                fix="put the bare key there, on one line",
            )
        )
    if problems:
        raise InvalidInput("smoke", problems)


def _is_plain_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not re.search(r"[@?#\s\\]", text)


def chat_body(model: str) -> dict[str, Any]:
    """Return the chat request that asks for one word."""
    message = {"role": "user", "content": "Reply with the single word: ready"}
    return {"model": model, "messages": [message], "max_tokens": CHAT_TOKENS, "stream": False}


def tool_body(model: str) -> dict[str, Any]:
    """Return the chat request that asks for one call of the tool."""
    text = "Create the file hello.txt containing the word hi. Use the tool."
    return {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "tools": [TOOL],
        "tool_choice": "auto",
        "max_tokens": TOOL_TOKENS,
        "stream": False,
    }


def streamed(body: dict[str, Any]) -> dict[str, Any]:
    """Return a chat request whose answer comes in pieces, the usage in the last one."""
    return {**body, "stream": True, "stream_options": {"include_usage": True}}


def _probe(
    target: Target,
    http: httpx.Client,
    name: str,
    body: dict[str, Any],
    judge: Callable[[httpx.Response, str], Diagnosis],
) -> Verdict:
    asked = target.asked
    started = time.monotonic()
    try:
        response, text = exchange_when_free(target, http, "POST", "chat/completions", body)
    except httpx.HTTPError as error:
        found = of_error(error, asked)
    else:
        found = (
            judge(response, text) if response.is_success else _refused(target, http, asked, response, text)
        )
    verdict = Verdict.of(name, found, secret=target.key)
    if verdict.severity is Severity.OK:
        verdict = replace(verdict, evidence=f"{verdict.evidence}, in {time.monotonic() - started:.1f} s")
    return verdict


def _refused(
    target: Target, http: httpx.Client, asked: Asked, response: httpx.Response, text: str
) -> Diagnosis:
    served = _served_models(target, http) if response.status_code in (400, 404) else ()
    location = response.headers.get("location", "")
    return of_status(response.status_code, text, asked, location=location, served=served)


def _of_message(
    judge: Callable[[dict[str, Any], str], Diagnosis],
) -> Callable[[httpx.Response, str], Diagnosis]:
    """Return what judges a whole answer by its message and the reason of its end."""

    def judge_answer(_: httpx.Response, text: str) -> Diagnosis:
        try:
            choice = json.loads(text)["choices"][0]
            message = choice["message"]
            content = str(message.get("content") or "")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            fix = (
                "something other than a model server answers there (a login page, perhaps): check --base-url"
            )
            return Diagnosis(cause="not-an-api", evidence=f"HTTP 200 without a chat answer: {text}", fix=fix)
        if bad := leaked(content):
            return bad
        return judge(message, str(choice.get("finish_reason")))

    return judge_answer


def streaming(target: Target, http: httpx.Client) -> Verdict:
    """Stream an answer of some length: does it come to its end, and does each event come when it is made?"""
    count = {"messages": [{"role": "user", "content": COUNT}]}
    counted = _probe(target, http, "streaming", streamed(chat_body(target.model) | count), _judge_stream)
    if counted.cause != "buffered":
        return counted
    count_again = _pace_of(target, http, chat_body(target.model) | count)
    if count_again.held and count_again.blocks > 1:
        return counted
    # What holds a whole answer back makes a short one much less late; a queue before a fast server makes both late.
    word = _pace_of(target, http, chat_body(target.model))
    if count_again.held and count_again.wait_seconds > 2 * word.wait_seconds + _LATE_SECONDS:
        return counted
    evidence = f"{counted.evidence}, and not so when asked again or for less"
    return replace(counted, cause="ok", severity=Severity.OK, fix="", evidence=evidence)


def _pace_of(target: Target, http: httpx.Client, body: dict[str, Any]) -> Pace:
    try:
        response, _ = exchange_when_free(target, http, "POST", "chat/completions", streamed(body))
    except httpx.HTTPError:
        return pace(())
    return pace(response.extensions[ARRIVALS])


def _judge_stream(response: httpx.Response, text: str) -> Diagnosis:
    stream = of_chat(text)
    if bad := trouble(stream, "[DONE]", text):
        return bad
    came = pace(response.extensions[ARRIVALS])
    if came.held:
        fix = (
            "something on the way holds events back: switch its buffering off (NGINX: proxy_buffering off), or go"
            " around it with NO_PROXY; agents show nothing while it fills, and give up long turns"
        )
        return Diagnosis(cause="buffered", evidence=came.text, fix=fix)
    told = (
        "each when it was made"
        if came.tells
        else "too few or too quick to tell whether something holds them back"
    )
    silence = f"never silent for longer than {response.extensions[SILENCE]:.1f} s"
    return fine(f"{stream.events} events, to the end, {told}, {silence}")


def _served_models(target: Target, http: httpx.Client) -> tuple[str, ...]:
    """Return the names that the endpoint lists, if it does; they only help a message."""
    try:
        response, text = exchange(target, http, "GET", "models", None)
        names = [entry["id"] for entry in json.loads(text)["data"]] if response.is_success else []
    except (httpx.HTTPError, ValueError, LookupError, TypeError, RecursionError):
        names = []
    return tuple(name for name in names if isinstance(name, str))[:20]


def _judge_chat(message: dict[str, Any], finish_reason: str) -> Diagnosis:
    content = (message.get("content") or "").strip()
    if not content:
        thought = message.get("reasoning") or message.get("reasoning_content")
        spent = f"{CHAT_TOKENS} tokens of thought and no answer" if thought else "an empty answer"
        fix = "check the --reasoning-parser and the chat template; all text went into the reasoning"
        return Diagnosis(cause="empty", evidence=f"{spent} (finish_reason {finish_reason})", fix=fix)
    return fine(f"answered: {content}")


def judge_tool_call(message: dict[str, Any], finish_reason: str) -> Diagnosis:
    """Return whether a chat message calls the tool with arguments that fit it."""
    content = message.get("content") or ""
    calls = message.get("tool_calls")
    if not calls:
        if finish_reason == "length" and no_call(content).cause == "prose":
            fix = "the model thinks too long before it acts: lower its reasoning effort"
            return Diagnosis(cause="empty", evidence=f"{TOOL_TOKENS} tokens and no call", fix=fix)
        return no_call(content)
    try:
        function = calls[0]["function"]
        arguments = json.loads(function["arguments"])
        well_formed = function["name"] == "write_file" and all(
            isinstance(arguments.get(key), str) for key in ("path", "content")
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        well_formed = False
    if not well_formed:
        evidence = f"a tool call that does not fit the tool: {json.dumps(calls)}"
        return Diagnosis(
            cause="tool-arguments", evidence=evidence, fix=f"the parser does not fit: {PARSER_FIX}"
        )
    return fine(f"called write_file for {arguments['path']}")
