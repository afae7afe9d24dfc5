"""The smoke test: every way an endpoint can fail gets its own cause and fix, and the key shows up nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.errors import InvalidInput
from onprem_agents.probes.exchange import Target
from onprem_agents.probes.smoke import run
from onprem_agents.probes.verdict import Verdict, worst

pytestmark = pytest.mark.unit

KEY = "k-0123456789"
URL = "https://agents.example.internal/v1"
Handler = Callable[[httpx.Request], httpx.Response]
GOOD_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "write_file", "arguments": '{"path": "hello.txt", "content": "hi"}'},
}


def answer(message: dict[str, Any], finish_reason: str = "stop") -> httpx.Response:
    body = {
        "choices": [{"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish_reason}]
    }
    return httpx.Response(200, json=body)


def good(request: httpx.Request) -> httpx.Response:
    if "tools" in json.loads(request.content):
        return answer({"content": None, "tool_calls": [GOOD_CALL]}, "tool_calls")
    return answer({"content": "ready"})


def stream(*texts: str) -> httpx.Response:
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return httpx.Response(
        200, headers={"content-type": "text/event-stream"}, text="".join(lines) + "data: [DONE]\n\n"
    )


def probe(handler: Handler, *, streams: bool = True, **changes: Any) -> tuple[Verdict, ...]:
    """Probe what the handler answers; streams are good ones unless they are the handler's too."""

    def handle(request: httpx.Request) -> httpx.Response:
        if streams and request.method == "POST" and json.loads(request.content).get("stream"):
            return stream("rea", "dy")
        return handler(request)

    given: dict[str, Any] = {"base_url": URL, "model": "coder", "key": KEY, "key_source": "the variable X"}
    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        return run(Target(**(given | changes)), http)


def with_tool_answer(message: dict[str, Any], finish_reason: str = "stop") -> Verdict:
    def handler(request: httpx.Request) -> httpx.Response:
        if "tools" in json.loads(request.content):
            return answer(message, finish_reason)
        return answer({"content": "ready"})

    chat, tool, streaming = probe(handler)
    assert chat.severity is streaming.severity is Severity.OK
    return tool


def test_a_good_endpoint_passes_all_probes_with_the_requests_that_agents_build_on() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return stream("ready") if json.loads(request.content)["stream"] else good(request)

    chat, tool, streaming = probe(handler, streams=False)
    assert (chat.probe, chat.severity, chat.cause, chat.fix) == ("chat", Severity.OK, "ok", "")
    assert (tool.probe, tool.severity, tool.cause, tool.fix) == ("tool call", Severity.OK, "ok", "")
    assert chat.evidence.startswith("answered: ready, in ")
    assert tool.evidence.startswith("called write_file for hello.txt, in ")
    assert (streaming.probe, streaming.severity) == ("streaming", Severity.OK)
    assert streaming.evidence.startswith("1 events, to the end, too few or too quick to tell whether ")
    assert [str(request.url) for request in seen] == [f"{URL}/chat/completions"] * 3
    assert [request.headers["authorization"] for request in seen] == [f"Bearer {KEY}"] * 3
    first, second, _ = (json.loads(request.content) for request in seen)
    assert first["messages"] == [{"role": "user", "content": "Reply with the single word: ready"}]
    assert (first["model"], first["stream"]) == ("coder", False)
    assert "tools" not in first
    assert second["tool_choice"] == "auto"
    function = second["tools"][0]["function"]
    assert (function["name"], function["parameters"]["required"]) == ("write_file", ["path", "content"])


def test_without_a_key_no_header_is_sent() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        return good(request)

    assert worst(probe(handler, key=None, key_source=None)) is Severity.OK


@pytest.mark.parametrize(
    ("status", "body", "cause", "fix"),
    [
        (
            401,
            '{"error":"Unauthorized"}',
            "key-refused",
            "the key from the variable X is wrong, expired or revoked",
        ),
        (
            403,
            "RBAC: access denied",
            "key-forbidden",
            "the key from the variable X may not use this model or path",
        ),
        # LiteLLM 1.109.1 without a database, wrong key.
        (
            400,
            '{"error":{"message":"No connected db.","code":"400"}}',
            "key-refused",
            "the key from the variable X",
        ),
        # vLLM's words for an unknown model, and LiteLLM's.
        (
            404,
            '{"error":{"message":"The model `coder` does not exist.","type":"NotFoundError","code":404}}',
            "model",
            "use a served model name (served: qwen, fast): vLLM's --served-model-name",
        ),
        (
            400,
            '{"error":{"message":"Invalid model name passed in model=coder"}}',
            "model",
            "use a served model name",
        ),
        (404, '{"detail":"Not Found"}', "path", "nothing serves chat/completions at this address"),
        (405, "", "path", "nothing serves chat/completions at this address"),
        (413, "Payload Too Large", "body-limit", "raise the gateway's body limit"),
        (429, "slow down", "busy", "a quota is used up or the server is full"),
        (503, '{"error":"server overloaded"}', "busy", "a quota is used up or the server is full"),
        (500, "Internal Server Error", "server", "look at the log of the model server"),
        (502, "", "upstream", "the gateway runs but no model server answers behind it"),
        (503, "no healthy upstream", "upstream", "the gateway runs but no model server answers behind it"),
        (
            504,
            "upstream request timeout",
            "upstream",
            "the gateway runs but no model server answers behind it",
        ),
        (
            400,
            '{"error":{"message":"This model\'s maximum context length is 512 tokens."}}',
            "context",
            "the served window is too small for an agent",
        ),
        (422, '{"detail":[{"msg":"field required"}]}', "request", "the server refuses a plain request"),
    ],
)
def test_each_status_has_its_cause_and_fix(status: int, body: str, cause: str, fix: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [{"id": "qwen"}, {"id": "fast"}]})
        return httpx.Response(status, text=body, headers={"retry-after": "0"})

    verdict = probe(handler)[0]
    assert (verdict.severity, verdict.cause) == (Severity.BROKEN, cause)
    assert verdict.fix.startswith(fix)
    assert verdict.evidence.startswith(f"HTTP {status}: ")


@pytest.mark.parametrize(
    ("base_url", "fix"),
    [
        ("https://h.example", "the base URL must end at /v1: try https://h.example/v1"),
        ("https://h.example/", "the base URL must end at /v1: try https://h.example/v1"),
        ("https://h.example/v1/chat/completions", "give the base address alone: it ends at /v1"),
        ("https://h.example/v1/v1", "the address has /v1 twice: remove one"),
    ],
)
def test_an_address_of_the_wrong_shape_gets_the_right_one(base_url: str, fix: str) -> None:
    (verdict,) = probe(lambda _: httpx.Response(404, json={"detail": "Not Found"}), base_url=base_url)
    assert verdict.cause == "path"
    assert verdict.fix.startswith(fix)


def test_a_refusal_without_a_key_asks_for_one() -> None:
    (verdict,) = probe(lambda _: httpx.Response(401), key=None, key_source=None)
    assert verdict.cause == "key-missing"
    assert verdict.fix.startswith("no key was sent: name its variable with --key-env")


def test_a_redirect_is_not_followed_with_the_key() -> None:
    (verdict,) = probe(lambda _: httpx.Response(301, headers={"location": "https://evil.example/v1"}))
    assert verdict.cause == "redirect"
    assert verdict.evidence == "HTTP 301 points to https://evil.example/v1"


def test_a_login_page_is_not_taken_for_a_model() -> None:
    verdict = probe(lambda _: httpx.Response(200, html="<html>Sign in</html>"))[0]
    assert (verdict.severity, verdict.cause) == (Severity.BROKEN, "not-an-api")


@pytest.mark.parametrize(
    "text", ["[]", "null", '{"choices": []}', '{"choices": [{"message": null}]}', "[" * 100_000]
)
def test_json_of_another_shape_is_not_taken_for_an_answer(text: str) -> None:
    assert probe(lambda _: httpx.Response(200, text=text))[0].cause == "not-an-api"


@pytest.mark.parametrize(
    "content", ["<think>\nHm.</think>ready", "Hm.</think>\nready", "<|channel|>analysis", "[THINK]x[/THINK]"]
)
def test_thoughts_within_the_answer_point_to_the_reasoning_parser(content: str) -> None:
    verdict = probe(lambda _: answer({"content": content}))[0]
    assert verdict.cause == "reasoning-leak"
    assert verdict.fix == "start vLLM with the --reasoning-parser of this model's family"


def test_thoughts_beside_the_answer_are_as_they_should_be() -> None:
    chat = probe(lambda _: answer({"content": "ready", "reasoning": "<think>"}))[0]
    assert chat.severity is Severity.OK


def test_an_answer_that_went_into_the_thoughts_is_no_answer() -> None:
    verdict = probe(lambda _: answer({"content": None, "reasoning": "hm"}, "length"))[0]
    assert verdict.cause == "empty"
    assert verdict.evidence == "1024 tokens of thought and no answer (finish_reason length)"


def test_prose_instead_of_a_tool_call_points_to_the_parser() -> None:
    verdict = with_tool_answer({"content": "Sure, I have created hello.txt for you."})
    assert (verdict.severity, verdict.cause) == (Severity.BROKEN, "prose")
    assert "--enable-auto-tool-choice" in verdict.fix
    assert "--tool-call-parser" in verdict.fix
    assert verdict.evidence == "prose instead of a tool call: Sure, I have created hello.txt for you."


@pytest.mark.parametrize(
    "content",
    [
        '<tool_call>\n{"name": "write_file", "arguments": {}}\n</tool_call>',
        "<function=write_file><parameter=path>hello.txt</parameter></function>",
        '[TOOL_CALLS][{"name": "write_file"}]',
        '{"name": "write_file", "parameters": {"path": "hello.txt"}}',
    ],
)
def test_a_call_that_came_as_text_says_that_the_parser_does_not_fit(content: str) -> None:
    verdict = with_tool_answer({"content": content})
    assert verdict.cause == "tool-parser"
    assert verdict.fix.startswith("the parser does not fit: ")


def test_vllms_own_refusal_of_tools_points_to_the_flags() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "tools" not in json.loads(request.content or b"{}"):
            return answer({"content": "ready"})
        text = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        return httpx.Response(400, json={"error": {"message": text, "type": "BadRequestError"}})

    _, verdict, _ = probe(handler)
    assert verdict.cause == "tool-parser"
    assert verdict.fix.startswith("start vLLM with --enable-auto-tool-choice")


@pytest.mark.parametrize(
    "call",
    [
        GOOD_CALL | {"function": {"name": "write_file", "arguments": '{"path": "hello.txt"'}},
        GOOD_CALL | {"function": {"name": "write_file", "arguments": '{"path": "hello.txt"}'}},
        GOOD_CALL | {"function": {"name": "write_file", "arguments": '{"path": 1, "content": "hi"}'}},
        GOOD_CALL | {"function": {"name": "write_file", "arguments": "[]"}},
        GOOD_CALL | {"function": {"name": "write_file", "arguments": {"path": "a", "content": "b"}}},
        GOOD_CALL | {"function": {"name": "create", "arguments": '{"path": "a", "content": "b"}'}},
        {"id": "call_1"},
    ],
)
def test_a_call_that_does_not_fit_the_tool_is_no_call(call: dict[str, Any]) -> None:
    assert with_tool_answer({"content": None, "tool_calls": [call]}).cause == "tool-arguments"


def test_a_model_that_thinks_past_its_budget_is_told_apart_from_prose() -> None:
    verdict = with_tool_answer({"content": None, "reasoning": "hm"}, "length")
    assert (verdict.cause, verdict.evidence) == ("empty", "2048 tokens and no call")


def test_the_key_is_in_no_verdict_even_if_the_server_repeats_it() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        text = f"bad key {request.headers['authorization']}"
        return httpx.Response(401, text=text, headers={"x": KEY})

    (verdict,) = probe(handler)
    assert KEY not in repr(verdict)
    assert verdict.evidence == "HTTP 401: bad key Bearer ***"
    assert KEY not in repr(Target(base_url=URL, model="coder", key=KEY, key_source="the variable X"))


def test_no_part_of_the_key_is_left_where_evidence_is_cut_short() -> None:
    page = "x" * 265 + KEY
    verdict = probe(lambda _: httpx.Response(200, text=page))[0]
    assert verdict.cause == "not-an-api"
    assert verdict.evidence == f"HTTP 200 without a chat answer: {'x' * 265}***"


@pytest.mark.parametrize("key", ["1", "content", '"', "EMPTY"])
def test_a_made_up_key_does_not_spoil_the_reading_of_answers(key: str) -> None:
    assert [verdict.cause for verdict in probe(good, key=key)] == ["ok", "ok", "ok"]


def test_a_key_with_quotes_is_taken_out_of_json_too() -> None:
    key = 'a"b\\c-0123456789'
    (verdict,) = probe(lambda _: httpx.Response(401, json={"error": {"code": 1, "got": key}}), key=key)
    assert verdict.evidence == 'HTTP 401: {"code": 1, "got": "***"}'


@pytest.mark.parametrize(
    "base_url",
    [
        "agents.example.internal/v1",
        "ftp://agents.example.internal/v1",
        "https://user:pw@agents.example.internal/v1",
        "https://agents.example.internal/v1?key=x",
        "https:///v1",
        "https://a b/v1",
        "",
    ],
)
def test_an_address_that_could_never_work_is_refused_before_anything_is_sent(base_url: str) -> None:
    with pytest.raises(InvalidInput, match="--base-url") as caught:
        probe(good, base_url=base_url)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(key: str) -> None:
    with pytest.raises(InvalidInput, match="the variable X") as caught:
        probe(good, key=key)
    assert not key or key not in str(caught.value)


def test_a_one_letter_key_leaves_evidence_and_fix_readable() -> None:
    verdicts = probe(lambda _: httpx.Response(401, json={"error": "wrong key e"}), key="e")
    assert verdicts[0].evidence == "HTTP 401: wrong key ***"
    assert verdicts[0].fix.endswith("is wrong, expired or revoked: get a new one from the platform team")
