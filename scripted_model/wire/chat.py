"""`/v1/chat/completions`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from scripted_model.thinking import Budget, Effort, thinking
from scripted_model.turn import Asked, Call, Entry, Tool, Turn, Usage, pieces
from scripted_model.wire.shared import Content, Part, event, joined, split_arguments, texts


class _Function(Part):
    name: str = Field(min_length=1)
    parameters: dict[str, Any] = Field(default={})


class _Tool(Part):
    type: Literal["function"]
    function: _Function


class _CalledFunction(Part):
    name: str
    arguments: str


class _ToolCall(Part):
    id: str
    type: Literal["function"] = "function"
    function: _CalledFunction


class _Message(Part):
    role: Literal["developer", "system", "user", "assistant", "tool"]
    content: Content = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None


class _Choice(Part):
    type: Literal["function"]
    function: Part


class _StreamOptions(Part):
    include_usage: bool = False


class Request(Part):
    """The fields of a chat request that decide something; vLLM ignores what it does not know."""

    model: str
    messages: Annotated[list[_Message], Field(min_length=1)]
    tools: Annotated[list[_Tool], Field(min_length=1)] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    reasoning_effort: Effort | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    thinking_token_budget: Budget | None = None


def parse(body: object) -> Asked:
    """Return what a request asks for. Raises pydantic's `ValidationError`."""
    request = Request.model_validate(body)
    choice = request.tool_choice
    return Asked(
        api="chat",
        model=request.model,
        entries=tuple(entry for message in request.messages for entry in _entries(message)),
        tools=tuple(
            Tool(name=tool.function.name, schema=tool.function.parameters) for tool in request.tools or ()
        ),
        choice=(choice.function.model_extra or {}).get("name", "auto")
        if isinstance(choice, _Choice)
        else choice or "auto",
        parallel=request.parallel_tool_calls is not False,
        stream=bool(request.stream),
        include_usage=request.stream_options is not None and request.stream_options.include_usage,
        max_output_tokens=request.max_completion_tokens or request.max_tokens,
        thinking=thinking(
            request.reasoning_effort, request.chat_template_kwargs, request.thinking_token_budget
        ),
    )


def _entries(message: _Message) -> Iterator[Entry]:
    if message.role == "tool":
        yield Entry(role="tool", text=joined(texts(message.content)))
        return
    role = "system" if message.role == "developer" else message.role
    for text in texts(message.content):
        yield Entry(role=role, text=text)


def answer(asked: Asked, turn: Turn, usage: Usage, answer_id: str) -> dict[str, Any]:
    """Return the whole answer of a request without streaming."""
    message = {
        "role": "assistant",
        "content": turn.text or None,
        "reasoning": turn.reasoning or None,
        "tool_calls": [_called(call) for call in turn.calls],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(turn)}
    head = _head(asked, answer_id, "chat.completion")
    return head | {"choices": [choice], "usage": _usage(usage)}


def events(asked: Asked, turn: Turn, usage: Usage, answer_id: str) -> Iterator[bytes]:
    """Yield the events of a streamed answer."""
    head = _head(asked, answer_id, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event(head | {"choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(turn.reasoning):
        yield chunk({"reasoning": piece})
    for piece in pieces(turn.text):
        yield chunk({"content": piece})
    for index, call in enumerate(turn.calls):
        yield chunk({"tool_calls": [_called(call, "") | {"index": index}]})
        for part in split_arguments(call.arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, _finish(turn))
    if asked.include_usage:
        yield event(head | {"choices": [], "usage": _usage(usage)})
    yield event("[DONE]")


def _head(asked: Asked, answer_id: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer_id}", "object": kind, "created": int(time.time()), "model": asked.model}


def _called(call: Call, arguments: str | None = None) -> dict[str, Any]:
    text = json.dumps(call.arguments) if arguments is None else arguments
    return {
        "id": f"chatcmpl-tool-{call.id}",
        "type": "function",
        "function": {"name": call.name, "arguments": text},
    }


def _finish(turn: Turn) -> str:
    return "tool_calls" if turn.calls else "stop"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
