"""How the scripted model thinks: as vLLM would of the same request, and no more than its budget; how it sums up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.scripted import Send, sender


@pytest.fixture
def send(tmp_path: Path) -> Send:
    return sender(tmp_path / "record.jsonl")


MESSAGES: dict[str, Any] = {
    "model": "coder",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "hi"}],
}
CHAT: dict[str, Any] = {"model": "coder", "messages": [{"role": "user", "content": "Think step by step."}]}
RESPONSES: dict[str, Any] = {"model": "coder", "input": "hi"}


def thoughts(answer: Any) -> str:
    """Return what was thought before an answer, in any of the three APIs."""
    if "choices" in answer:
        return answer["choices"][0]["message"]["reasoning"] or ""
    blocks = [block for block in answer.get("content", []) if block["type"] == "thinking"]
    items = [item for item in answer.get("output", []) if item["type"] == "reasoning"]
    return "".join([block["thinking"] for block in blocks] + [item["content"][0]["text"] for item in items])


@pytest.mark.parametrize(
    ("path", "body", "fields", "thinks"),
    [
        ("/v1/chat/completions", CHAT, {}, True),
        ("/v1/chat/completions", CHAT, {"reasoning_effort": "none"}, False),
        ("/v1/chat/completions", CHAT, {"chat_template_kwargs": {"enable_thinking": False}}, False),
        ("/v1/chat/completions", CHAT, {"chat_template_kwargs": {"thinking": False}}, False),
        (
            "/v1/chat/completions",
            CHAT,
            {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}},
            False,
        ),
        ("/v1/messages", MESSAGES, {"thinking": {"type": "adaptive"}}, True),
        ("/v1/messages", MESSAGES, {"thinking": {"type": "disabled"}}, False),
        (
            "/v1/messages",
            MESSAGES,
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}},
            False,
        ),
        ("/v1/responses", RESPONSES, {"reasoning": {"summary": "auto"}}, True),
        ("/v1/responses", RESPONSES, {"reasoning": {"effort": "none"}}, False),
    ],
)
def test_it_thinks_as_vllm_would_of_that_request(
    send: Send, path: str, body: dict[str, Any], fields: dict[str, Any], thinks: bool
) -> None:
    status, answer = send(path, body | fields)

    assert status == 200
    assert bool(thoughts(answer)) == thinks


def test_a_budget_ends_its_thought_and_an_effort_stretches_it(send: Send) -> None:
    def words(**fields: Any) -> int:
        return len(thoughts(send("/v1/chat/completions", CHAT | fields)[1]).split())

    assert words(thinking_token_budget=7) == 7
    assert words(reasoning_effort="low") < words(reasoning_effort="medium") < words(reasoning_effort="max")
    assert words(thinking_token_budget=0) == 0
    assert words(thinking_token_budget=-1) == words()


@pytest.mark.parametrize(
    ("path", "body", "fields", "words"),
    [
        ("/v1/chat/completions", CHAT, {"reasoning_effort": "lots"}, "reasoning_effort"),
        ("/v1/chat/completions", CHAT, {"thinking_token_budget": 2.5}, "thinking_token_budget"),
        ("/v1/messages", MESSAGES, {"thinking": {"type": "enabled", "budget_tokens": 1023}}, "budget_tokens"),
        (
            "/v1/messages",
            MESSAGES,
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            "less than max_tokens",
        ),
    ],
)
def test_it_refuses_of_thinking_what_vllm_refuses(
    send: Send, path: str, body: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    status, answer = send(path, body | fields)

    assert status == 400
    assert words in answer["error"]["message"]


def test_a_name_that_thinks_only_where_asked_says_so_by_what_it_does(tmp_path: Path) -> None:
    send = sender(tmp_path / "record.jsonl", unthinking=["coder"])

    def ask(**fields: Any) -> str:
        return thoughts(send("/v1/chat/completions", CHAT | fields)[1])

    assert not ask()
    assert ask(reasoning_effort="low")
    assert ask(chat_template_kwargs={"enable_thinking": True})


def test_who_asks_for_a_summary_gets_one_in_its_form(send: Send) -> None:
    text = "Respond with TEXT ONLY. Your task: <example>\n<summary>\n1. What it is\n</summary>\n</example>"
    body = MESSAGES | {"messages": [{"role": "user", "content": text}]}

    (said,) = (block for block in send("/v1/messages", body)[1]["content"] if block["type"] == "text")

    assert re.search(r"<summary>\n.+\n</summary>", said["text"], re.DOTALL)
