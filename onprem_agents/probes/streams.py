"""What a streamed answer says, put together again: chat chunks, Anthropic events, Responses events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from onprem_agents.agents.diagnosis import Diagnosis

MAX_EVENTS = 100_000


@dataclass(kw_only=True)
class Stream:
    """The parts of one streamed answer. `ended` tells whether it came to its proper end."""

    events: int = 0
    text: str = ""
    thought: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    ended: bool = False
    error: str = ""

    def call(self, index: int) -> dict[str, str]:
        """Return the call under construction at that index."""
        return self.calls.setdefault(index, {"name": "", "arguments": "", "parts": ""})


def events(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of every `data:` line; what is none is passed over."""
    for count, line in enumerate(text.splitlines()):
        if count > MAX_EVENTS:
            return
        if not line.startswith("data:"):
            continue
        try:
            data = json.loads(line[5:])
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            yield data


def of_chat(text: str) -> Stream:
    """Read the chunks of /v1/chat/completions."""
    stream = Stream(ended="data: [DONE]" in text or "data:[DONE]" in text)
    for event in events(text):
        stream.events += 1
        if "error" in event:
            stream.error = json.dumps(event["error"])
        for choice in _list(event.get("choices")):
            delta = _dict(choice.get("delta"))
            stream.text += _str(delta.get("content"))
            stream.thought += _str(delta.get("reasoning") or delta.get("reasoning_content"))
            for part in _list(delta.get("tool_calls")):
                index = part.get("index")
                call = stream.call(index if isinstance(index, int) else 0)
                function = _dict(part.get("function"))
                call["name"] += _str(function.get("name"))
                call["arguments"] += _str(function.get("arguments"))
                call["parts"] += "x" if function.get("arguments") else ""
    return stream


def of_messages(text: str) -> Stream:
    """Read the events of /v1/messages."""
    stream = Stream()
    for event in events(text):
        stream.events += 1
        index = event.get("index")
        place = index if isinstance(index, int) else 0
        kind = event.get("type")
        if kind == "content_block_start":
            block = _dict(event.get("content_block"))
            if block.get("type") == "tool_use":
                stream.call(place)["name"] = _str(block.get("name"))
        elif kind == "content_block_delta":
            delta = _dict(event.get("delta"))
            stream.text += _str(delta.get("text"))
            stream.thought += _str(delta.get("thinking"))
            if delta.get("type") == "input_json_delta":
                stream.call(place)["arguments"] += _str(delta.get("partial_json"))
        elif kind == "error":
            stream.error = json.dumps(event.get("error"))
        stream.ended |= kind == "message_stop"
    return stream


def of_responses(text: str) -> Stream:
    """Read the events of /v1/responses; items count when they are done, as Codex reads them."""
    stream = Stream()
    for event in events(text):
        stream.events += 1
        kind = event.get("type")
        item = _dict(event.get("item"))
        if kind == "response.output_item.done" and item.get("type") == "function_call":
            call = stream.call(len(stream.calls))
            call["name"], call["arguments"] = _str(item.get("name")), _str(item.get("arguments"))
        elif kind == "response.output_item.done" and item.get("type") == "message":
            stream.text += "".join(_str(part.get("text")) for part in _list(item.get("content")))
        elif kind == "response.output_item.done" and item.get("type") == "reasoning":
            stream.thought += "".join(_str(part.get("text")) for part in _list(item.get("content")))
        elif kind in ("response.failed", "error"):
            stream.error = json.dumps(event.get("error") or _dict(event.get("response")).get("error"))
        stream.ended |= kind == "response.completed"
    return stream


def trouble(stream: Stream, end: str, text: str) -> Diagnosis | None:
    """Return why a stream is none, or not a whole one; `end` is what closes it, `text` what came instead."""
    if stream.error:
        fix = "look at the log of the model server for this moment"
        return Diagnosis(
            cause="stream-error", evidence=f"an error within the stream: {stream.error}", fix=fix
        )
    if not stream.events:
        fix = "something between here and the model server does not stream: look at its buffering"
        return Diagnosis(cause="no-stream", evidence=f"no events but: {text or 'nothing'}", fix=fix)
    if not stream.ended:
        fix = "a time limit or restart cut the stream: compare the gateway's timeouts with the longest turn"
        return Diagnosis(cause="cut", evidence=f"{stream.events} events and no {end}", fix=fix)
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""
