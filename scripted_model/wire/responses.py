"""`/v1/responses`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from scripted_model.thinking import Effort, thinking
from scripted_model.turn import Asked, Call, Entry, Tool, Turn, Usage, pieces
from scripted_model.wire.shared import Content, Part, event, joined, split_arguments, texts


class _Item(Part):
    type: Literal[
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
    ] = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: Content = None
    call_id: str | None = None
    output: Content = None
    encrypted_content: str | None = None

    @model_validator(mode="after")
    def _legible(self) -> Self:
        if self.type == "reasoning" and self.encrypted_content:
            raise ValueError("Encrypted content is not supported.")
        return self


# What vLLM 0.32.0 was asked on a CPU on 2026-11-28: functions as they are; functions of a namespace under both names in
# one, and called by both apart; custom tools as a function of one text, but none with a grammar; the provider's own
# kinds are taken and shown to nobody.
class _Function(Part):
    type: Literal["function"]
    name: str = Field(min_length=1)
    parameters: dict[str, Any] | None = None


class _Format(Part):
    type: Literal["text", "grammar"]

    @model_validator(mode="after")
    def _bare_text(self) -> Self:
        if self.type == "grammar":
            raise ValueError(
                "Custom tools with a grammar format are not supported; only free-form text custom tools are accepted."
            )
        return self


class _Custom(Part):
    type: Literal["custom"]
    name: str = Field(min_length=1)
    format: _Format | None = None


class _Namespace(Part):
    type: Literal["namespace"]
    name: str = Field(min_length=1)
    description: str
    tools: list[Annotated[_Function | _Custom, Field(discriminator="type")]]


class _Unseen(Part):
    type: Literal["web_search", "image_generation", "tool_search", "local_shell"]


_Tool = Annotated[_Function | _Custom | _Namespace | _Unseen, Field(discriminator="type")]
_CUSTOM_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


class _Choice(Part):
    type: Literal["function", "custom"]
    name: str


class _Reasoning(Part):
    effort: Effort | None = None


class Request(Part):
    """The fields of a responses request that decide something."""

    model: str
    input: str | Annotated[list[_Item], Field(min_length=1)]
    instructions: str | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    reasoning: _Reasoning | None = None
    chat_template_kwargs: dict[str, Any] | None = None


def parse(body: object) -> Asked:
    """Return what a request asks for. Raises pydantic's `ValidationError`."""
    request = Request.model_validate(body)
    tools = tuple(tool for each in request.tools or () for tool in _tools(each))
    items = [_Item(role="user", content=request.input)] if isinstance(request.input, str) else request.input
    choice = request.tool_choice
    return Asked(
        api="responses",
        model=request.model,
        entries=(*_instructions(request), *(entry for item in items for entry in _entries(item))),
        tools=tools,
        choice=_chosen(choice.name, tools) if isinstance(choice, _Choice) else choice or "auto",
        parallel=request.parallel_tool_calls is not False,
        stream=bool(request.stream),
        max_output_tokens=request.max_output_tokens,
        thinking=thinking(
            request.reasoning.effort if request.reasoning is not None else None,
            request.chat_template_kwargs,
            None,
        ),
    )


def _tools(offered: _Function | _Custom | _Namespace | _Unseen) -> Iterator[Tool]:
    match offered:
        case _Function():
            yield Tool(name=offered.name, schema=offered.parameters or {})
        case _Custom():
            yield Tool(name=offered.name, schema=_CUSTOM_INPUT, custom=True)
        case _Namespace():
            for tool in offered.tools:
                if isinstance(tool, _Function):
                    name = f"{offered.name}__{tool.name}"
                    yield Tool(name=name, schema=tool.parameters or {}, namespace=offered.name)


def _chosen(name: str, tools: Sequence[Tool]) -> str:
    """Return the whole name of a tool that a request may name by its own in a namespace."""
    inside = [tool.name for tool in tools if tool.namespace and tool.name == f"{tool.namespace}__{name}"]
    return name if any(tool.name == name for tool in tools) or not inside else inside[0]


def _instructions(request: Request) -> list[Entry]:
    return [Entry(role="system", text=request.instructions)] if request.instructions else []


def _entries(item: _Item) -> Iterator[Entry]:
    if item.type in ("function_call_output", "custom_tool_call_output"):
        yield Entry(role="tool", text=joined(texts(item.output)))
    elif item.type == "message":
        role = item.role or "user"
        for text in texts(item.content):
            yield Entry(role="system" if role == "developer" else role, text=text)


def answer(asked: Asked, turn: Turn, usage: Usage, answer_id: str) -> dict[str, Any]:
    """Return the whole answer of a request without streaming."""
    items = [item for item, _ in _items(asked, turn, answer_id)]
    return _response(asked, answer_id, "completed", items, usage)


def events(asked: Asked, turn: Turn, usage: Usage, answer_id: str) -> Iterator[bytes]:
    """Yield the events of a streamed answer."""
    number = count()

    def told(name: str, /, **fields: object) -> bytes:
        return event({"type": name, "sequence_number": next(number), **fields}, name)

    yield told("response.created", response=_response(asked, answer_id, "in_progress", [], None))
    yield told("response.in_progress", response=_response(asked, answer_id, "in_progress", [], None))
    items = []
    for index, (item, deltas) in enumerate(_items(asked, turn, answer_id)):
        items.append(item)
        begun = item | {"status": "in_progress"}
        begun |= {
            name: empty for name, empty in (("content", []), ("arguments", ""), ("input", "")) if name in item
        }
        yield told("response.output_item.added", output_index=index, item=begun)
        place = {"item_id": item["id"], "output_index": index}
        for name, fields in deltas:
            yield told(name, **place, **fields)
        yield told("response.output_item.done", output_index=index, item=item)
    yield told("response.completed", response=_response(asked, answer_id, "completed", items, usage))


Deltas = list[tuple[str, dict[str, Any]]]


def _items(asked: Asked, turn: Turn, answer_id: str) -> Iterator[tuple[dict[str, Any], Deltas]]:
    """Yield each item of the output with the events that tell it bit by bit."""
    if turn.reasoning:
        part: dict[str, Any] = {"type": "reasoning_text", "text": turn.reasoning}
        item = {"type": "reasoning", "id": f"rs_{answer_id}", "summary": [], "content": [part]}
        yield item | {"status": "completed"}, _text_deltas("response.reasoning_text", turn.reasoning)
    if turn.text:
        part = {"type": "output_text", "text": turn.text, "annotations": []}
        item = {"type": "message", "id": f"msg_{answer_id}", "role": "assistant", "content": [part]}
        around = {"content_index": 0, "part": part | {"text": ""}}
        deltas = [("response.content_part.added", around), *_text_deltas("response.output_text", turn.text)]
        deltas.append(("response.content_part.done", {"content_index": 0, "part": part}))
        yield item | {"status": "completed"}, deltas
    for call in turn.calls:
        tool = next((tool for tool in asked.tools if tool.name == call.name), None)
        namespace = tool.namespace if tool is not None else None
        yield _custom_call(call) if tool and tool.custom else _function_call(call, namespace)


def _function_call(call: Call, namespace: str | None) -> tuple[dict[str, Any], Deltas]:
    text, own = json.dumps(call.arguments), call.name.removeprefix(f"{namespace}__")
    item = {
        "type": "function_call",
        "id": f"fc_{call.id}",
        "call_id": f"call_{call.id}",
        "name": own,
        "namespace": namespace,
    }
    name = "response.function_call_arguments"
    deltas: Deltas = [(f"{name}.delta", {"delta": part}) for part in split_arguments(call.arguments)]
    deltas.append((f"{name}.done", {"arguments": text, "name": own}))
    return item | {"arguments": text, "status": "completed"}, deltas


def _custom_call(call: Call) -> tuple[dict[str, Any], Deltas]:
    text = str(call.arguments.get("input", ""))
    item = {
        "type": "custom_tool_call",
        "id": f"ctc_{call.id}",
        "call_id": f"call_{call.id}",
        "name": call.name,
    }
    name = "response.custom_tool_call_input"
    deltas: Deltas = [(f"{name}.delta", {"delta": piece}) for piece in pieces(text)]
    return item | {"input": text}, [*deltas, (f"{name}.done", {"input": text})]


def _text_deltas(name: str, text: str) -> Deltas:
    deltas = [(f"{name}.delta", {"content_index": 0, "delta": piece}) for piece in pieces(text)]
    return [*deltas, (f"{name}.done", {"content_index": 0, "text": text})]


def _response(
    asked: Asked, answer_id: str, status: str, items: list[dict[str, Any]], usage: Usage | None
) -> dict[str, Any]:
    told = None
    if usage is not None:
        told = {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": usage.cached_tokens},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
    return {
        "id": f"resp_{answer_id}",
        "object": "response",
        "created_at": int(time.time()),
        "model": asked.model,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": items,
        "parallel_tool_calls": asked.parallel,
        "usage": told,
    }
