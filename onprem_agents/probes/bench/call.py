"""One streamed round of the chat API: when its first token came, when the last, and what the server counted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any

import httpx

from onprem_agents.errors import cleaned
from onprem_agents.probes.bench.sample import Answer, Usage
from onprem_agents.probes.exchange import Target
from onprem_agents.probes.smoke_causes import of_error, of_status

_MOST_ERROR_BYTES = 64 * 1024
_MOST_ANSWER_CHARS = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: an endpoint, a client and what the answers are to be like.

    With `exact` vLLM is told to go on until an answer has its length (`ignore_eos`, an extra of its API); other servers
    may refuse that.
    """

    target: Target
    http: httpx.AsyncClient
    exact: bool = True

    async def ask(self, messages: list[dict[str, str]], output_tokens: int) -> Answer:
        """Send one request and read its stream to the end; a failure is an answer too."""
        body: dict[str, Any] = {
            "model": self.target.model,
            "messages": messages,
            "max_tokens": output_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self.exact:
            body["ignore_eos"] = True
        key = self.target.key
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        url = f"{self.target.base_url.rstrip('/')}/chat/completions"
        began = time.monotonic()
        try:
            async with self.http.stream("POST", url, json=body, headers=headers) as response:
                if not response.is_success:
                    return await self._refused(response, began)
                answer = await _read(response, began)
        except httpx.HTTPError as error:
            found = of_error(error, self.target.asked)
            return Answer(
                cause=found.cause,
                evidence=cleaned(found.evidence, secret=key),
                fix=found.fix,
                seconds=time.monotonic() - began,
            )
        return replace(answer, evidence=cleaned(answer.evidence, secret=key))

    async def _refused(self, response: httpx.Response, began: float) -> Answer:
        text = (await _start_of(response)).decode("utf-8", "replace")
        location = response.headers.get("location", "")
        found = of_status(response.status_code, text, self.target.asked, location=location)
        told = response.headers.get("retry-after", "")
        return Answer(
            cause=found.cause,
            evidence=cleaned(found.evidence, secret=self.target.key),
            fix=found.fix,
            seconds=time.monotonic() - began,
            retry_after_seconds=float(told) if told.isascii() and told.isdigit() else None,
        )


async def _start_of(response: httpx.Response) -> bytes:
    data = bytearray()
    async for part in response.aiter_bytes():
        data += part
        if len(data) > _MOST_ERROR_BYTES:
            break
    return bytes(data)


class _Text:
    """Text that comes in parts."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.chars = 0

    def add(self, part: object) -> bool:
        """Take a part and tell whether it was any."""
        if not isinstance(part, str) or not part:
            return False
        self._parts.append(part)
        self.chars += len(part)
        return True

    @property
    def parts(self) -> int:
        return len(self._parts)

    @property
    def whole(self) -> str:
        return "".join(self._parts)


async def _read(response: httpx.Response, began: float) -> Answer:
    """Read a stream event by event; comments of a server that keeps it alive end a silence, and are no tokens."""
    heard, silence = began, 0.0
    first: float | None = None
    text, thought = _Text(), _Text()
    usage, error, ended = Usage(), "", False
    async for line in response.aiter_lines():
        now = time.monotonic()
        silence, heard = max(silence, now - heard), now
        if not line.startswith("data:"):
            continue
        if line[5:].strip() == "[DONE]":
            ended = True
            continue
        event = _event(line)
        usage = _usage(event) or usage
        error = error or _error(event)
        delta = _delta(event)
        if text.add(delta.get("content")) | thought.add(_thought(delta)) or delta.get("tool_calls"):
            first = now - began if first is None else first
        if text.chars + thought.chars > _MOST_ANSWER_CHARS:
            break
    end = time.monotonic()
    answer = Answer(
        cause="ok",
        seconds=end - began,
        first_seconds=first,
        silence_seconds=max(silence, end - heard),
        events=text.parts + thought.parts,
        text=text.whole or thought.whole,
        usage=usage,
    )
    if error:
        return replace(answer, cause="server", evidence=error, fix="look at the server's log for this moment")
    if not ended or first is None:
        evidence = "the stream ended early" if not ended else "the stream ended without a token"
        return replace(
            answer,
            cause="cut" if not ended else "empty",
            evidence=evidence,
            fix="look at the logs of gateway and server for this moment",
        )
    return answer


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line[5:])
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _delta(event: dict[str, Any]) -> dict[str, Any]:
    choices = event.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else {}


def _thought(delta: dict[str, Any]) -> object:
    return delta.get("reasoning") or delta.get("reasoning_content")


def _error(event: dict[str, Any]) -> str:
    return json.dumps(event["error"]) if "error" in event else ""


def _usage(event: dict[str, Any]) -> Usage | None:
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_tokens=_count(details.get("cached_tokens")) if isinstance(details, dict) else None,
        output_tokens=_count(usage.get("completion_tokens")),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
