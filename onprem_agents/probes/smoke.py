"""The smoke test of an endpoint: one chat request, one tool call, one stream, each with verdict, evidence and fix.

It needs a base URL, a model name and, where asked for, a key: any server of the OpenAI chat API will do. The
key goes into one header and nowhere else; evidence is cleaned of it.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.probes.address import Address, AtAddress
from onprem_agents.probes.smoke_causes import PARSER_FIX, Asked, of_error, of_status
from onprem_agents.probes.streams import of_chat, trouble
from onprem_agents.probes.verdict import Verdict, fine

CHAT_TOKENS = 1024  # a reasoning model thinks before the one word; the often shown 16 end within the thought
TOOL_TOKENS = 2048
MAX_ANSWER_BYTES = 4 * 1024 * 1024
SILENCE = "longest_silence_seconds"
# Failures that every further probe would only repeat.
_SAME_FOR_ALL = frozenset(
    {"key-missing", "key-refused", "key-forbidden", "model", "path", "redirect", "upstream"}
)
# Marks of thoughts (DeepSeek, Qwen, Gemma, gpt-oss) and of tool calls (Hermes, Qwen, Mistral, Llama, Gemma,
# gpt-oss) in text that no parser has taken out; chat templates of these families, 2026-11.
THOUGHT = re.compile(r"</?think(?:ing)?>|<\|channel[|>]|\[/?THINK\]", re.IGNORECASE)
_RAW_CALL = re.compile(
    r"</?tool_call|<function=|\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call|\"name\"\s*:\s*\"write_file\"|```tool"
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
    yield _probe(target, http, "streaming", streamed(chat_body(target.model)), _judge_stream)


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
        response, text = exchange(target, http, "POST", "chat/completions", body)
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
        if THOUGHT.search(content):
            fix = "start vLLM with the --reasoning-parser of this model's family"
            return Diagnosis(
                cause="reasoning-leak", evidence=f"thoughts within the answer: {content}", fix=fix
            )
        return judge(message, str(choice.get("finish_reason")))

    return judge_answer


def _judge_stream(response: httpx.Response, text: str) -> Diagnosis:
    stream = of_chat(text)
    silence = f"never silent for longer than {response.extensions[SILENCE]:.1f} s"
    return trouble(stream, "[DONE]", text) or fine(f"{stream.events} events, to the end, {silence}")


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
    The answer's extension `SILENCE` tells for how long no byte came, in seconds.
    """
    if headers is None:
        headers = {"Authorization": f"Bearer {target.key}"} if target.key is not None else {}
    content = json.dumps(body).encode() + b" " * padding_bytes if body is not None else None
    url = f"{target.base_url.rstrip('/')}/{path}"
    deadline = time.monotonic() + target.timeout_seconds
    parts = bytearray()
    silence, heard = 0.0, time.monotonic()
    headers = headers | ({"content-type": "application/json"} if content is not None else {})
    with http.stream(
        method, url, content=content, headers=headers, timeout=target.timeout_seconds
    ) as response:
        for part in response.iter_bytes():
            parts += part
            silence, heard = max(silence, time.monotonic() - heard), time.monotonic()
            if len(parts) > MAX_ANSWER_BYTES:
                break
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer was still incomplete")
    response.extensions[SILENCE] = max(silence, time.monotonic() - heard)
    return response, parts.decode("utf-8", "replace")


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
        if _RAW_CALL.search(content):
            evidence = f"the call came as text: {content}"
            return Diagnosis(
                cause="tool-parser", evidence=evidence, fix=f"the parser does not fit: {PARSER_FIX}"
            )
        if finish_reason == "length":
            fix = "the model thinks too long before it acts: lower its reasoning effort"
            return Diagnosis(cause="empty", evidence=f"{TOOL_TOKENS} tokens and no call", fix=fix)
        evidence = f"prose instead of a tool call: {content or 'nothing'}"
        fix = f"{PARSER_FIX}; if they are set, this model is not fit for agents"
        return Diagnosis(cause="prose", evidence=evidence, fix=fix)
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
