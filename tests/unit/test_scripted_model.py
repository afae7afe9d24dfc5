"""The scripted model's own behaviour: what it understands, checks, writes down and admits to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripted_model.http import Cut
from scripted_model.record import fingerprint
from tests.unit.scripted import Send, sender

KEY = "sk-not-for-anybodys-eyes-0123456789"


@pytest.fixture
def record_file(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def send(record_file: Path) -> Send:
    return sender(record_file)


def tool(name: str, *parameters: str) -> dict[str, Any]:
    return {
        "name": name,
        "input_schema": {"type": "object", "properties": {each: {"type": "string"} for each in parameters}},
    }


CLAUDE_TOOLS = [
    tool("Write", "file_path", "content"),
    tool("Read", "file_path", "offset"),
    tool("Edit", "file_path", "old_string", "new_string"),
    tool("Bash", "command"),
]


def messages(text: str, *more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "model": "coder",
        "max_tokens": 100,
        "system": "Working directory: /repo\n",
        "messages": [{"role": "user", "content": text}, *more],
        "tools": CLAUDE_TOOLS,
    } | fields


def done(count: int) -> list[dict[str, Any]]:
    """Return the turns after `count` calls were made and answered."""
    turns: list[dict[str, Any]] = []
    for number in range(count):
        call = {"type": "tool_use", "id": f"t{number}", "name": "Read", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "fine"}
        turns += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return turns


def calls(answer: Any) -> list[tuple[str, dict[str, str]]]:
    return [(part["name"], part["input"]) for part in answer["content"] if part["type"] == "tool_use"]


def words(answer: Any) -> str:
    return "".join(part["text"] for part in answer["content"] if part["type"] == "text")


def test_it_creates_a_file_under_an_absolute_path_and_then_says_so(send: Send) -> None:
    text = "create hello.txt containing the word hi"

    assert calls(send("/v1/messages", messages(text))[1]) == [
        ("Write", {"file_path": "/repo/hello.txt", "content": "hi"})
    ]
    after = send("/v1/messages", messages(text, *done(1)))[1]
    assert calls(after) == []
    assert words(after) == "Done: hello.txt is there."
    assert after["stop_reason"] == "end_turn"


def test_two_files_are_created_in_parallel_unless_the_client_forbids_it(send: Send) -> None:
    text = "create a.txt containing one and b.txt containing two"

    assert len(calls(send("/v1/messages", messages(text))[1])) == 2
    one = messages(text, tool_choice={"type": "auto", "disable_parallel_tool_use": True})
    assert len(calls(send("/v1/messages", one)[1])) == 1


def test_it_reads_edits_and_runs_one_after_the_other(send: Send) -> None:
    text = 'read calc.py, replace "a - b" with "a + b", then run "python3 check.py"'

    wanted: list[list[tuple[str, dict[str, str]]]] = [
        [("Read", {"file_path": "/repo/calc.py"})],
        [("Edit", {"file_path": "/repo/calc.py", "old_string": "a - b", "new_string": "a + b"})],
        [("Bash", {"command": "python3 check.py"})],
        [],
    ]
    for count, expected in enumerate(wanted):
        assert calls(send("/v1/messages", messages(text, *done(count)))[1]) == expected


def test_a_new_task_in_the_same_conversation_begins_anew(send: Send) -> None:
    later = [
        *done(1),
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "create b.txt containing x"},
    ]

    assert calls(send("/v1/messages", messages("create a.txt containing x", *later))[1])[0][1][
        "file_path"
    ].endswith("b.txt")


def test_where_only_a_shell_is_offered_the_shell_does_it(send: Send) -> None:
    shell = {
        "type": "function",
        "name": "exec_command",
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]},
    }
    text = 'create note.txt containing "it\'s"'
    _, answer = send("/v1/responses", {"model": "coder", "input": text, "tools": [shell]})
    (call,) = [item for item in answer["output"] if item["type"] == "function_call"]

    assert json.loads(call["arguments"]) == {"cmd": "printf '%s\\n' 'it'\"'\"'s' > note.txt"}


@pytest.mark.parametrize(
    ("words", "sandbox"),
    [("", None), (" Ask for escalated permissions first.", "require_escalated")],
)
def test_codex_is_asked_to_leave_its_sandbox_where_the_task_says_so(
    send: Send, words: str, sandbox: str | None
) -> None:
    properties = {"cmd": {"type": "string"}, "sandbox_permissions": {"type": "string"}}
    parameters = {"type": "object", "properties": properties, "required": ["cmd"]}
    shell = {"type": "function", "name": "exec_command", "parameters": parameters}
    text = f"create note.txt containing x.{words}"
    _, answer = send("/v1/responses", {"model": "coder", "input": text, "tools": [shell]})
    (call,) = [item for item in answer["output"] if item["type"] == "function_call"]

    assert json.loads(call["arguments"]).get("sandbox_permissions") == sandbox


def test_a_call_that_a_client_insists_on_is_made_with_arguments_that_fit(send: Send) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {"type": "integer"}},
        "required": ["city", "unit", "days"],
    }
    function = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    body = {"model": "coder", "messages": [{"role": "user", "content": "weather?"}], "tools": [function]}
    _, answer = send("/v1/chat/completions", body | {"tool_choice": "required"})
    (call,) = answer["choices"][0]["message"]["tool_calls"]

    assert json.loads(call["function"]["arguments"]) == {"city": "scripted", "unit": "C", "days": 1}
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def test_what_it_does_not_understand_it_answers_with_what_it_is(send: Send) -> None:
    assert "scripted stand-in, no model" in words(send("/v1/messages", messages("why is the sky blue?"))[1])
    assert send("/v1/models", b"", "GET")[1]["data"][0]["owned_by"].startswith("scripted-model (a stand-in")


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        (
            "/v1/messages",
            {"model": "coder", "messages": [{"role": "user", "content": "x"}]},
            400,
            "max_tokens",
        ),
        ("/v1/messages", messages("x", messages=[]), 400, "messages"),
        ("/v1/messages", messages("x", tools=[{"type": "web_search", "name": "web"}]), 400, "input_schema"),
        ("/v1/messages", messages("x", model="gpt"), 404, "The model `gpt` does not exist. Served: coder."),
        ("/v1/messages", messages("x", max_tokens=65537), 400, "max_model_len=max_total_tokens=65536"),
        ("/v1/messages", messages("[play errors=429] x"), 400, "[play errors=429]: errors"),
        ("/v1/messages", b"{", 400, "the body is not JSON"),
        (
            "/v1/chat/completions",
            {"model": "coder", "messages": [{"role": "user"}], "tools": []},
            400,
            "tools",
        ),
        (
            "/v1/chat/completions",
            {"model": "coder", "messages": [{"role": "man", "content": "x"}]},
            400,
            "role",
        ),
        (
            "/v1/responses",
            {"model": "coder", "input": "x", "tools": [{"type": "namespace", "name": "m"}]},
            400,
            "tools",
        ),
        ("/v1/completions", {"model": "coder", "prompt": "x"}, 404, "no such path"),
    ],
)
def test_what_does_not_fit_the_api_is_refused_with_the_place(
    send: Send, path: str, body: object, status: int, told: str
) -> None:
    got, answer = send(path, body)

    assert got == status
    assert told in answer["error"]["message"]
    assert ("type" in answer) == path.startswith("/v1/messages"), "Anthropic's shape on its own paths only"


def test_the_record_holds_every_request_but_no_key_and_no_prompt(send: Send, record_file: Path) -> None:
    send(
        "/v1/messages?beta=true",
        messages("a secret prompt"),
        **{"x-api-key": KEY, "authorization": f"Bearer {KEY}"},
    )
    send("/nowhere", b"")
    text = record_file.read_text()
    first, second = map(json.loads, text.splitlines())

    assert (first["method"], first["path"], first["query"], first["status"]) == (
        "POST",
        "/v1/messages",
        "beta=true",
        200,
    )
    assert first["headers"] == {"x-api-key": fingerprint(KEY), "authorization": f"Bearer {fingerprint(KEY)}"}
    assert first["request"]["tools"] == ["Write", "Read", "Edit", "Bash"]
    assert first["request"]["roles"] == ["system", "user"]
    assert (second["path"], second["status"]) == ("/nowhere", 404)
    assert KEY not in text
    assert "secret prompt" not in text
    assert record_file.stat().st_mode & 0o777 == 0o600


def test_usage_follows_the_size_of_the_body(send: Send) -> None:
    def tokens(text: str) -> int:
        usage = send("/v1/messages", messages(text))[1]["usage"]
        return int(usage["input_tokens"] + usage["cache_read_input_tokens"])

    assert 9_990 <= tokens("x" * 40_000) - tokens("x") <= 10_010


def test_a_second_turn_finds_the_first_one_cached_on_each_api(send: Send) -> None:
    first = {"role": "user", "content": "word " * 4_000}
    turns: list[dict[str, str]] = [first, {"role": "assistant", "content": "Done."}]
    later = [*turns, {"role": "user", "content": "Reply with the word next."}]

    cold = send("/v1/chat/completions", {"model": "coder", "messages": [first]})[1]["usage"]
    warm = send("/v1/chat/completions", {"model": "coder", "messages": later})[1]["usage"]
    told = send("/v1/messages", {"model": "coder", "messages": later, "max_tokens": 9})[1]["usage"]
    items = send("/v1/responses", {"model": "coder", "input": later})[1]["usage"]

    assert cold["prompt_tokens_details"] == {"cached_tokens": 0}
    assert 0.95 < warm["prompt_tokens_details"]["cached_tokens"] / warm["prompt_tokens"] < 1
    assert (
        0.95 < told["cache_read_input_tokens"] / (told["input_tokens"] + told["cache_read_input_tokens"]) < 1
    )
    assert 0.95 < items["input_tokens_details"]["cached_tokens"] / items["input_tokens"] < 1


def test_a_prompt_that_differs_at_its_start_finds_nothing_cached(send: Send) -> None:
    def cached(text: str) -> int:
        body = {"model": "coder", "messages": [{"role": "user", "content": text}]}
        usage = send("/v1/chat/completions", body)[1]["usage"]
        return int(usage["prompt_tokens_details"]["cached_tokens"])

    text = "word " * 1_000

    assert [cached(f"a {text}"), cached(f"b {text}"), cached(f"a {text}") > 1_200] == [0, 0, True]


def test_a_play_holds_for_as_many_requests_as_it_says(send: Send) -> None:
    text = "[play error=503 times=2] reply with the word ready"

    assert [send("/v1/messages", messages(text))[0] for _ in range(3)] == [503, 503, 200]


def test_a_play_for_requests_with_tools_passes_titles_and_summaries_by(send: Send) -> None:
    text = "[play error=503 times=1 with_tools=1] reply with the word ready"

    assert [
        send("/v1/messages", body)[0] for body in (messages(text, tools=[]), messages(text), messages(text))
    ] == [200, 503, 200]


def test_a_queued_play_for_requests_with_tools_waits_for_one(send: Send) -> None:
    send("/scripted/plays", {"error": "429", "with_tools": True})

    assert [
        send("/v1/messages", body)[0] for body in (messages("x", tools=[]), messages("x"), messages("x"))
    ] == [200, 429, 200]


def test_a_play_can_be_queued_for_a_request_whose_text_is_somebody_elses(send: Send) -> None:
    assert send("/scripted/plays", {"error": "429", "path": "/v1/responses", "retry_after": 3})[0] == 200

    assert send("/v1/messages", messages("x"))[0] == 200
    assert send("/v1/responses", {"model": "coder", "input": "x"})[0] == 429
    assert send("/v1/responses", {"model": "coder", "input": "x"})[0] == 200
    assert send("/scripted/plays", {"eror": "429"})[0] == 400


def test_a_cut_stream_ends_in_the_middle(send: Send) -> None:
    with pytest.raises(Cut):
        send("/v1/messages", messages("[play cut=3] x", stream=True))


@pytest.mark.parametrize(
    ("path", "body", "first", "last"),
    [
        (
            "/v1/messages",
            messages("create a.txt containing x", stream=True),
            b"message_start",
            b"message_stop",
        ),
        (
            "/v1/responses",
            {"model": "coder", "input": "x", "stream": True},
            b"response.created",
            b"response.completed",
        ),
        (
            "/v1/chat/completions",
            {"model": "coder", "messages": [{"role": "user", "content": "x"}], "stream": True},
            b'"role": "assistant"',
            b"[DONE]",
        ),
    ],
)
def test_streams_begin_and_end_as_clients_expect(
    send: Send, path: str, body: object, first: bytes, last: bytes
) -> None:
    events = send(path, body)[1]

    assert first in events[0]
    assert last in events[-1]
    assert all(event.endswith(b"\n\n") for event in events)


def test_streamed_arguments_are_the_whole_ones_in_pieces(send: Send) -> None:
    events = send("/v1/messages", messages("create a.txt containing x", stream=True))[1]
    deltas = [json.loads(event.partition(b"data: ")[2]) for event in events]
    pieces = [each["delta"]["partial_json"] for each in deltas if "partial_json" in each.get("delta", {})]

    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"file_path": "/repo/a.txt", "content": "x"}
