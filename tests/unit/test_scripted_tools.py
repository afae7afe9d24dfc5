"""The kinds of tools in `/v1/responses`, as vLLM 0.32.0 took and answered them on a CPU (2026-11-28)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.scripted import Send, sender

pytestmark = pytest.mark.unit

NOTE = {
    "type": "function",
    "name": "note",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}
NOTES = {"type": "namespace", "name": "mcp__notes", "description": "Notes.", "tools": [NOTE]}
PATCH = {"type": "custom", "name": "patch", "format": {"type": "text"}}
WEB = {"type": "web_search"}


@pytest.fixture
def send(tmp_path: Path) -> Send:
    return sender(tmp_path / "record.jsonl")


def body(tool: dict[str, Any], text: str = "x", **fields: Any) -> dict[str, Any]:
    return {"model": "coder", "input": text, "tools": [tool]} | fields


def call_in(answer: Any) -> dict[str, Any]:
    (call,) = [item for item in answer["output"] if "call_id" in item]
    assert isinstance(call, dict)
    return call


def said(answer: Any) -> str:
    return "".join(
        part["text"] for item in answer["output"] if item["type"] == "message" for part in item["content"]
    )


def test_a_tool_of_a_namespace_is_called_by_its_own_name_beside_that_of_the_namespace(send: Send) -> None:
    call = call_in(send("/v1/responses", body(NOTES, 'use the tool note with text "keep me"'))[1])

    assert (call["name"], call["namespace"]) == ("note", "mcp__notes")
    assert json.loads(call["arguments"]) == {"text": "keep me"}


def test_the_stream_of_such_a_call_says_the_same(send: Send) -> None:
    _, events = send("/v1/responses", body(NOTES, 'use the tool note with text "keep me"', stream=True))
    told = [json.loads(event.decode().partition("data: ")[2]) for event in events]
    items = [event["item"] for event in told if event["type"].startswith("response.output_item")]
    (arguments,) = [event for event in told if event["type"] == "response.function_call_arguments.done"]

    assert {(item["name"], item["namespace"]) for item in items if "call_id" in item} == {
        ("note", "mcp__notes")
    }
    assert arguments["name"] == "note"


@pytest.mark.parametrize("named", ["note", "mcp__notes__note"])
def test_a_request_may_insist_on_it_by_either_name(send: Send, named: str) -> None:
    chosen = body(NOTES, tool_choice={"type": "function", "name": named})

    assert call_in(send("/v1/responses", chosen)[1])["namespace"] == "mcp__notes"


def test_a_custom_tool_is_called_with_bare_text(send: Send) -> None:
    asked = body(PATCH, 'use the tool patch with input "a b"')
    call = call_in(send("/v1/responses", asked)[1])
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "patch", "a b")

    result = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "ok"}
    later = [{"role": "user", "content": asked["input"]}, call, result]
    assert said(send("/v1/responses", asked | {"input": later})[1]) == "Done: patch was used."


def test_the_stream_of_a_custom_call_brings_its_text_in_pieces(send: Send) -> None:
    _, events = send("/v1/responses", body(PATCH, 'use the tool patch with input "a b"', stream=True))
    told = [json.loads(event.decode().partition("data: ")[2]) for event in events]
    deltas = [event["delta"] for event in told if event["type"] == "response.custom_tool_call_input.delta"]

    assert "".join(deltas) == "a b"


def test_kinds_that_vllm_shows_to_no_model_are_taken_and_not_used(send: Send) -> None:
    status, answer = send("/v1/responses", body(WEB, "create a.txt containing x"))

    assert status == 200
    assert not [item for item in answer["output"] if "call_id" in item]


def test_where_no_tool_fits_it_says_so(send: Send) -> None:
    answer = send("/v1/responses", body(NOTES, 'use the tool paint with text "red"'))[1]

    assert said(answer) == "No tool that is offered does what comes next."


@pytest.mark.parametrize(
    ("request_body", "told"),
    [
        (body({"type": "namespace", "name": "m", "tools": []}), "description"),
        (body({"type": "unheard of", "name": "m"}), "tools"),
        (
            body(PATCH | {"format": {"type": "grammar", "syntax": "lark", "definition": ""}}),
            "Custom tools with a grammar format are not supported",
        ),
        (
            {"model": "coder", "input": [{"type": "reasoning", "encrypted_content": "x"}]},
            "Encrypted content is not supported",
        ),
    ],
)
def test_what_vllm_refuses_is_refused(send: Send, request_body: dict[str, Any], told: str) -> None:
    status, answer = send("/v1/responses", request_body)

    assert status == 400
    assert told in answer["error"]["message"]


def shown(kind: str, **picture: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": kind, **picture}]}]


_URL = "data:image/png;base64,eA=="
_SOURCE = {"type": "base64", "media_type": "image/png", "data": "eA=="}
_RESULT = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "image", "source": _SOURCE}]}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/chat/completions", {"messages": shown("image_url", image_url={"url": _URL})}),
        ("/v1/responses", {"input": shown("input_image", image_url=_URL)}),
        ("/v1/messages", {"messages": shown("image", source=_SOURCE), "max_tokens": 9}),
        ("/v1/messages", {"messages": [{"role": "user", "content": [_RESULT]}], "max_tokens": 9}),
    ],
)
def test_a_server_for_text_alone_refuses_a_picture_by_each_api(
    path: str, fields: dict[str, Any], send: Send, tmp_path: Path
) -> None:
    blind = sender(tmp_path / "record-of-the-other.jsonl", faults=("no-pictures",))

    assert send(path, {"model": "coder"} | fields)[0] == 200
    status, answer = blind(path, {"model": "coder"} | fields)
    assert (status, answer["error"]["message"].partition(". ")[0]) == (
        400,
        "At most 0 image(s) may be provided in one prompt",
    )
