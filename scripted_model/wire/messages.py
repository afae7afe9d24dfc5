"""`/v1/messages`, Anthropic's API as vLLM serves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from scripted_model.thinking import thinking
from scripted_model.turn import Asked, Entry, Tool, Turn, Usage, pieces
from scripted_model.wire.shared import Content, Part, event, joined, split_arguments, texts


class _Block(Part):
    type: Literal[
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
        "tool_reference",
    ]
    text: str | None = None
    content: Content = None
    is_error: bool | None = None


class _Message(Part):
    # vLLM takes the role `system` within messages since 0.24 (2026-11).
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


class _SystemBlock(Part):
    type: Literal["text"]
    text: str


class _Tool(Part):
    name: str = Field(min_length=1)
    # vLLM wants a schema for every tool, Anthropic's own server tools have none.
    input_schema: dict[str, Any]


class _Choice(Part):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class _Thinking(Part):
    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: Annotated[int, Field(ge=1024)] | None = None


class _OutputConfig(Part):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None


class CountRequest(Part):
    """The fields of a request to count tokens."""

    model: str
    messages: Annotated[list[_Message], Field(min_length=1)]
    system: str | list[_SystemBlock] | None = None
    tools: list[_Tool] | None = None


class Request(CountRequest):
    """The fields of a messages request that decide something."""

    max_tokens: Annotated[int, Field(ge=1)]
    tool_choice: _Choice | None = None
    stream: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    chat_template_kwargs: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _room_for_an_answer(self) -> Request:
        budget = self.thinking.budget_tokens if self.thinking is not None else None
        if budget is not None and budget >= self.max_tokens:
            raise ValueError("thinking.budget_tokens must be less than max_tokens")
        return self


_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def parse(body: object) -> Asked:
    """Return what a request asks for. Raises pydantic's `ValidationError`."""
    request = Request.model_validate(body)
    choice = request.tool_choice
    return Asked(
        api="messages",
        model=request.model,
        entries=(*_system(request), *(entry for message in request.messages for entry in _entries(message))),
        tools=tuple(Tool(name=tool.name, schema=tool.input_schema) for tool in request.tools or ()),
        choice=(choice.name or "auto" if choice.type == "tool" else _CHOICES[choice.type])
        if choice is not None
        else "auto",
        parallel=choice is None or not choice.disable_parallel_tool_use,
        stream=bool(request.stream),
        max_output_tokens=request.max_tokens,
        thinking=thinking(_effort(request), request.chat_template_kwargs, _budget(request)),
    )


def _effort(request: Request) -> str | None:
    """An effort stands behind a thinking that is switched off."""
    if request.thinking is not None and request.thinking.type == "disabled":
        return "none"
    return request.output_config.effort if request.output_config is not None else None


def _budget(request: Request) -> int | None:
    enabled = request.thinking is not None and request.thinking.type == "enabled"
    return request.thinking.budget_tokens if request.thinking is not None and enabled else None


def check_count(body: object) -> str:
    """Return the model that a request to count tokens names. Raises pydantic's `ValidationError`."""
    return CountRequest.model_validate(body).model


def _system(request: Request) -> list[Entry]:
    if request.system is None:
        return []
    told = [request.system] if isinstance(request.system, str) else [block.text for block in request.system]
    return [Entry(role="system", text=text) for text in told]


def _entries(message: _Message) -> Iterator[Entry]:
    if isinstance(message.content, str):
        yield Entry(role=message.role, text=message.content)
        return
    for block in message.content:
        if block.type == "tool_result":
            text = joined(texts(block.content))
            yield Entry(role="tool", text=text, failed=bool(block.is_error))
        elif block.text:
            yield Entry(role=message.role, text=block.text)


def answer(asked: Asked, turn: Turn, usage: Usage, answer_id: str) -> dict[str, Any]:
    """Return the whole answer of a request without streaming."""
    blocks: list[dict[str, Any]] = []
    if turn.reasoning:
        blocks.append({"type": "thinking", "thinking": turn.reasoning, "signature": answer_id})
    if turn.text:
        blocks.append({"type": "text", "text": turn.text})
    blocks += [
        {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": call.arguments}
        for call in turn.calls
    ]
    told = _input(usage) | {"output_tokens": usage.output_tokens}
    return _head(asked, answer_id) | {"content": blocks, "stop_reason": _stop(turn), "usage": told}


def events(asked: Asked, turn: Turn, usage: Usage, answer_id: str) -> Iterator[bytes]:
    """Yield the events of a streamed answer."""
    told = _input(usage) | {"output_tokens": 0}
    yield _event("message_start", message=_head(asked, answer_id) | {"usage": told})
    for index, (start, deltas) in enumerate(_blocks(turn, answer_id)):
        yield _event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    yield _event(
        "message_delta",
        delta={"stop_reason": _stop(turn), "stop_sequence": None},
        usage=_input(usage) | {"output_tokens": usage.output_tokens},
    )
    yield _event("message_stop")


def _input(usage: Usage) -> dict[str, int]:
    """Return the prompt's tokens, those that were cached beside the others (vLLM 0.32, entrypoints/anthropic)."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
    }


def _blocks(turn: Turn, answer_id: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if turn.reasoning:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(turn.reasoning)]
        signature = {"type": "signature_delta", "signature": answer_id}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]
    if turn.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(turn.text)]
        yield {"type": "text", "text": ""}, deltas
    for call in turn.calls:
        parts = split_arguments(call.arguments)
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        yield {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": {}}, deltas


def _event(name: str, /, **fields: object) -> bytes:
    return event({"type": name, **fields}, name)


def _head(asked: Asked, answer_id: str) -> dict[str, Any]:
    return {
        "id": f"msg_{answer_id}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop(turn: Turn) -> str:
    return "tool_use" if turn.calls else "end_turn"
