"""The doctor and the platform: a sound one passes every probe, each fault has its probe, cause and fix."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import httpx
import pytest

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.agents.machine import Machine
from onprem_agents.probes.agent_shapes import claude_body
from onprem_agents.probes.endpoint import chat, keys
from onprem_agents.probes.examination import platform_probes
from onprem_agents.probes.limits import context
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.picture import red_png
from onprem_agents.probes.silence import silence
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.developer_key import DeveloperKey
from tests.unit.contract_samples import contract
from tests.unit.platform_server import KEY, Platform, platform

STREAMS = ("streaming", "streamed tool call", "parallel tool calls", "reasoning")


def examined(server: Platform, tmp_path: Path, *, key: str | None = KEY, slow: bool = False) -> list[Verdict]:
    own = DeveloperKey(value=key, source="the test") if key else None
    machine = Machine(home=tmp_path, project=tmp_path, variables={})
    with httpx.Client(trust_env=False) as http:
        patient = Patient(connection=server.contract(), key=own, http=http, timeout_seconds=10)
        return list(platform_probes(patient, machine, None, slow=slow))


def faults(found: list[Verdict]) -> dict[str, str]:
    return {verdict.probe: verdict.cause for verdict in found if verdict.severity is not Severity.OK}


def test_a_sound_platform_passes_every_probe(tmp_path: Path) -> None:
    with platform() as server:
        found = examined(server, tmp_path, slow=True)
    assert faults(found) == {}
    assert [verdict.probe for verdict in found] == [
        "dns",
        "connection",
        "no key",
        "wrong key",
        "chat",
        "tool call",
        "streaming",
        "streamed tool call",
        "parallel tool calls",
        "reasoning",
        "messages",
        "messages tool call",
        "count_tokens",
        "responses",
        "namespace tools",
        "thinking",
        "thinking off",
        "thinking budget",
        "messages thinking",
        "responses thinking",
        "long body",
        "context",
        "silence",
        "messages silence",
        "responses silence",
    ]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("open", {"no key": "key-not-checked", "wrong key": "key-not-checked"}),
        ("model", {"chat": "model"}),
        ("upstream", {"chat": "upstream"}),
        ("body-limit", {"long body": "body-limit"}),
        ("window", {"context": "context"}),
        ("no-count", {"count_tokens": "path"}),
        (
            "no-messages",
            dict.fromkeys(("messages", "messages tool call", "messages thinking"), "path"),
        ),
        ("no-responses", dict.fromkeys(("responses", "responses thinking"), "path")),
        ("responses-cut", {"responses": "cut"}),
        ("cut-arguments", {"streamed tool call": "tool-arguments", "parallel tool calls": "tool-parser"}),
        (
            "no-tools",
            {
                "tool call": "prose",
                "streamed tool call": "prose",
                "messages tool call": "prose",
            },
        ),
        (
            "raw-calls",
            dict.fromkeys(("tool call", "streamed tool call", "parallel tool calls"), "tool-parser"),
        ),
        ("template", {"responses": "chat-template"}),
        ("busy-with-429", {"no key": "busy", "wrong key": "busy", "chat": "busy"}),
        ("busy-with-503", {"no key": "busy", "wrong key": "busy", "chat": "busy"}),
        ("busy-with-529", {"no key": "busy", "wrong key": "busy", "chat": "busy"}),
        ("thoughts", {"chat": "reasoning-leak", "reasoning": "reasoning-leak"}),
        ("cut", dict.fromkeys(STREAMS, "cut")),
        (
            "stream-error",
            dict.fromkeys((*STREAMS, "thinking", "thinking off", "thinking budget"), "stream-error"),
        ),
    ],
)
def test_each_fault_has_its_probe_and_cause(fault: str, expected: dict[str, str], tmp_path: Path) -> None:
    with platform(fault) as server:
        found = examined(server, tmp_path)
    assert faults(found) == expected
    assert all(verdict.fix and verdict.evidence for verdict in found if verdict.severity is not Severity.OK)
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (502, "upstream connect error", "busy"),
        (500, "", "busy"),
        (302, "", "redirect"),
        (413, "", "body-limit"),
        (404, "Not Found", "path"),
        (404, '{"error":{"message":"The model `none` does not exist."}}', "key-not-checked"),
        (200, "{}", "key-not-checked"),
    ],
)
def test_only_an_answer_from_behind_the_gateway_says_that_it_lets_strangers_in(
    status: int, text: str, expected: str
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"location": "https://login.example"} if status == 302 else {}
        return httpx.Response(status, text=text, headers=headers)

    with platform() as server, httpx.Client(transport=httpx.MockTransport(answer)) as http:
        found = list(keys(Patient(connection=server.contract(), key=None, http=http, timeout_seconds=10)))
    assert [(item.probe, item.cause) for item in found] == [("no key", expected), ("wrong key", expected)]
    assert all(("lets strangers in" in item.fix) is (expected == "key-not-checked") for item in found)


def test_a_moment_of_much_to_do_is_waited_out_as_agents_do(tmp_path: Path) -> None:
    with platform("busy-once") as server:
        found = examined(server, tmp_path)
    assert faults(found) == {}


def test_a_proxy_that_holds_all_events_until_the_last_one_is_told() -> None:
    with platform("buffers") as server, httpx.Client(trust_env=False) as http:
        own = DeveloperKey(value=KEY, source="the test")
        patient = Patient(connection=server.contract(), key=own, http=http, timeout_seconds=30)
        *_, streaming = chat(patient)
    assert (streaming.probe, streaming.severity, streaming.cause) == (
        "streaming",
        Severity.BROKEN,
        "buffered",
    )
    assert "came at once, the first after" in streaming.evidence
    assert "proxy_buffering off" in streaming.fix


def test_prose_to_the_parallel_probe_is_the_models_choice(tmp_path: Path) -> None:
    with platform("prose-to-two") as server:
        found = examined(server, tmp_path)
    assert faults(found) == {}
    assert {item.probe: item.cause for item in found}["parallel tool calls"] == "own-choice"


def test_a_server_that_knows_no_namespaces_is_told_and_is_no_fault(tmp_path: Path) -> None:
    with platform("no-namespaces") as server:
        found = examined(server, tmp_path)
    assert faults(found) == {}
    (told,) = (item for item in found if item.probe == "namespace tools")
    assert told.cause == "no-namespaces"
    assert "Codex works, its MCP servers and sub-agents do not" in told.evidence


def test_requests_have_the_shapes_of_the_agents(tmp_path: Path) -> None:
    with platform() as server:
        examined(server, tmp_path)
        codex, namespaces, *_ = [body for path, body in server.bodies if path == "/v1/responses"]
        words, claude, *_ = [body for path, body in server.bodies if path == "/v1/messages?beta=true"]
    assert [item["role"] for item in codex["input"]] == ["developer", "developer", "user", "user"]
    assert len({item["id"] for item in codex["input"]}) == 4
    assert (codex["store"], codex["include"]) == (False, ["reasoning.encrypted_content"])
    assert [tool["type"] for tool in namespaces["tools"]] == ["namespace"]
    assert words["stop_sequences"] == ["</answer>"]
    assert [block["cache_control"]["type"] for block in claude["system"]] == ["ephemeral", "ephemeral"]
    assert claude["thinking"]["type"] == "enabled"
    assert claude["max_tokens"] > claude["thinking"]["budget_tokens"]
    assert [message["role"] for message in claude["messages"]] == ["user"], "setup switches the other off"


def test_a_system_message_goes_along_where_the_contract_lets_claude_code_send_one() -> None:
    with httpx.Client() as http:
        sample = contract()
        role = sample.main.model_copy(update={"claude_capabilities": ()})
        connection = sample.model_copy(update={"roles": (role, *sample.roles[1:])})
        body = claude_body(Patient(connection=connection, key=None, http=http, timeout_seconds=1))
    assert [message["role"] for message in body["messages"]] == ["user", "system"]


@pytest.mark.parametrize(("fault", "cause"), [("", "ok"), ("blind", "no-pictures")])
def test_a_role_that_sees_is_shown_a_picture_by_each_api(fault: str, cause: str, tmp_path: Path) -> None:
    with platform(fault) as server:
        roles = server.contract().to_wire()["roles"]
        server.changes = {"roles": [roles[0] | {"vision": True}, *roles[1:]]}
        found = examined(server, tmp_path)
    told = {item.probe: item.cause for item in found if "picture" in item.probe}
    assert told == dict.fromkeys(("picture", "messages picture", "responses picture"), cause)
    assert faults(found) == ({} if cause == "ok" else told)


def test_the_picture_is_a_png_of_one_colour() -> None:
    data = base64.b64decode(red_png())
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    start = data.index(b"IDAT") + 4
    rows = zlib.decompress(data[start : data.index(b"IEND") - 8])
    assert rows == (b"\0" + b"\xff\0\0" * 64) * 64


def test_a_proxy_that_buffers_shows_as_no_stream(tmp_path: Path) -> None:
    with platform("no-stream", "cut") as server:
        assert faults(examined(server, tmp_path))["streaming"] == "no-stream"


def test_one_call_at_a_time_is_told_and_is_no_fault(tmp_path: Path) -> None:
    with platform("one-at-a-time") as server:
        found = examined(server, tmp_path)
    assert faults(found) == {}
    assert next(item.cause for item in found if item.probe == "parallel tool calls") == "one-at-a-time"


def test_no_key_and_a_wrong_key_are_two_causes(tmp_path: Path) -> None:
    with platform() as server:
        assert faults(examined(server, tmp_path, key=None)) == {"key": "key-missing"}
        wrong = examined(server, tmp_path, key="onprem-revoked-0123456789012345678901")
    assert faults(wrong) == {"chat": "key-refused"}
    assert "the key from the test is wrong, expired or revoked" in wrong[-1].fix


def test_both_ways_to_show_a_key_are_tried(tmp_path: Path) -> None:
    with platform() as server:
        examined(server, tmp_path)
        headers = [set(map(str.lower, row[1])) for row in server.seen]
    assert any("authorization" in names for names in headers)
    assert any("x-api-key" in names for names in headers)
    assert any(not {"authorization", "x-api-key"} & names for names in headers)


def test_a_stream_that_stays_silent_too_long_is_told() -> None:
    with platform("silent-on-long-prompts") as server, httpx.Client(trust_env=False, timeout=0.5) as http:
        own = DeveloperKey(value=KEY, source="the test")
        found, *_ = silence(Patient(connection=server.contract(), key=own, http=http, timeout_seconds=0.5))
    assert (found.probe, found.cause) == ("silence", "silence")
    assert "without a token" in found.evidence


def test_the_long_body_is_long_and_means_the_same(tmp_path: Path) -> None:
    with platform() as server:
        examined(server, tmp_path)
        assert max(length for _, _, length in server.seen) > 4 * 1024 * 1024


def test_a_server_that_does_not_tell_its_window_is_no_fault() -> None:
    with platform("tells-no-window") as server, httpx.Client(trust_env=False) as http:
        own = DeveloperKey(value=KEY, source="the test")
        patient = Patient(connection=server.contract(), key=own, http=http, timeout_seconds=10)
        found = context(patient)
    assert (found.severity, found.cause) == (Severity.OK, "ok")
    assert "did not tell" in found.evidence
