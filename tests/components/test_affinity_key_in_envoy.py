"""The key by which the real Envoy keeps a session on its replica, read from the answer: whose it is, and how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.gateway_auth import CLIENT_ID_HEADER
from onprem_agents.manifests.session_affinity import AFFINITY_HEADER
from tests.components.agent_sessions import AGENTS, Session
from tests.components.real_envoy import bootstrap, free_port, lua_filter, running

CHAT = "/v1/chat/completions"
LONG = "x" * 200_000


@pytest.fixture(scope="module", params=[("claude-*",), ()], ids=["with aliases", "without"])
def envoy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Envoy that answers with the key; without other names of models it need not hold bodies."""
    port = free_port()
    told = {"inline_string": f"%REQ({AFFINITY_HEADER})%"}
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body_format": {"text_format_source": told}},
    }
    lua = lua_filter((), "coder", request.param, affinity=True)
    with running(tmp_path_factory.mktemp("envoy"), port, bootstrap(port, [route], [], lua)) as client:
        yield client


def key(envoy: httpx.Client, path: str, body: object, developer: str | None = "alice", **headers: str) -> str:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    identity = {} if developer is None else {CLIENT_ID_HEADER: developer}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = envoy.post(path, content=content, headers=told | identity)
    assert answer.status_code == 200, answer.text
    return answer.text


def of_turn(envoy: httpx.Client, session: Session, turn: int, developer: str = "alice", **more: str) -> str:
    return key(envoy, session.path, session.body(turn), developer, **{**session.headers(), **more})


@pytest.mark.parametrize("agent", AGENTS)
def test_every_turn_of_a_session_has_the_same_key_and_another_session_another(
    envoy: httpx.Client, agent: str
) -> None:
    first, second = Session(agent, 1), Session(agent, 2)

    keys = {of_turn(envoy, first, turn) for turn in range(4)}

    assert len(keys) == 1
    assert keys.isdisjoint({of_turn(envoy, second, 0)})
    assert len(next(iter(keys))) == 8, "a digest: neither session nor prompt goes on in it"


@pytest.mark.parametrize("agent", AGENTS)
def test_without_its_header_a_session_is_known_by_how_it_begins(envoy: httpx.Client, agent: str) -> None:
    def of(session: Session, turn: int) -> str:
        return key(envoy, session.path, session.body(turn))

    first, second = Session(agent, 1), Session(agent, 2)

    assert len({of(first, turn) for turn in range(4)}) == 1
    assert of(first, 0) != of(second, 0)


def test_an_agents_header_counts_more_than_what_the_body_says(envoy: httpx.Client) -> None:
    one, other = Session("opencode", 1), Session("opencode", 2)

    assert key(envoy, CHAT, one.body(0), **one.headers()) == key(envoy, CHAT, other.body(0), **one.headers())


def test_a_key_that_a_client_sends_counts_for_nothing(envoy: httpx.Client) -> None:
    session = Session("claude", 1)
    forged = {AFFINITY_HEADER: "00000000"}

    assert of_turn(envoy, session, 0, **forged) == of_turn(envoy, session, 0)
    assert key(envoy, CHAT, b"", **forged) == key(envoy, CHAT, b"")
    assert key(envoy, CHAT, b"not json", **forged) == key(envoy, CHAT, b"not json")
    assert key(envoy, CHAT, b"", None, **forged) == "-", "who has neither name nor session has no key at all"


def test_nobody_gets_to_another_developers_replica_by_naming_their_session(envoy: httpx.Client) -> None:
    session = Session("claude", 1)

    assert of_turn(envoy, session, 0, "mallory") != of_turn(envoy, session, 0, "alice")


def test_a_developers_second_key_leads_to_where_the_first_did(envoy: httpx.Client) -> None:
    session = Session("codex", 1)

    assert of_turn(envoy, session, 1, "alice.B") == of_turn(envoy, session, 0, "alice")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"not json",
        b"[]",
        b'{"model":"coder"}',
        b'{"messages":[]}',
        b'{"messages":',
        b"\x00\xff{{",
    ],
    ids=repr,
)
def test_a_request_that_tells_of_no_session_goes_by_its_developer(envoy: httpx.Client, body: bytes) -> None:
    assert key(envoy, CHAT, body) == key(envoy, CHAT, b"")
    assert key(envoy, CHAT, body, "bob") != key(envoy, CHAT, body)


def message(role: str, content: object) -> dict[str, Any]:
    return {"role": role, "content": content}


BEGUN = [message("system", "You are helpful."), message("user", "Fix the bug")]
GROWN = [*BEGUN, message("assistant", LONG), message("user", "more")]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"messages": BEGUN}, {"messages": GROWN}),
        ({"messages": BEGUN, "metadata": {"x": 1}}, {"messages": GROWN, "metadata": {"x": 2}}),
        ({"input": "Fix the bug"}, {"input": "Fix the bug", "temperature": 1}),
        (
            {"messages": [message("user", [{"type": "text", "text": "a", "cache_control": {"type": "e"}}])]},
            {"messages": [message("user", "a"), message("assistant", "b")]},
        ),
        (
            {"messages": [message("user", LONG)]},
            {"messages": [message("user", LONG), message("assistant", "b"), message("user", LONG)]},
        ),
        (
            {"metadata": {"user_id": '{"session_id":"s1"}'}, "messages": [message("user", "a")]},
            {"metadata": {"user_id": '{"session_id":"s1"}'}, "messages": [message("user", "compacted")]},
        ),
        ({"prompt_cache_key": "s1", "input": "a"}, {"prompt_cache_key": "s1", "input": "compacted"}),
    ],
    ids=[
        "grown",
        "what stands behind",
        "text alone",
        "marks of a cache",
        "longer than what is read",
        "metadata.user_id",
        "prompt_cache_key",
    ],
)
def test_what_changes_from_turn_to_turn_does_not_change_the_key(
    envoy: httpx.Client, one: dict[str, Any], same: dict[str, Any]
) -> None:
    assert key(envoy, CHAT, one) == key(envoy, CHAT, same)
    assert key(envoy, CHAT, one) != key(envoy, CHAT, b""), "it is the session's, not the developer's"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"messages": BEGUN}, {"messages": [BEGUN[0], message("user", "Fix the other bug")]}),
        ({"messages": BEGUN}, {"messages": [message("system", "You are terse."), BEGUN[1]]}),
        ({"system": "a", "messages": BEGUN}, {"system": "b", "messages": BEGUN}),
        ({"instructions": "a", "input": "x"}, {"instructions": "b", "input": "x"}),
        (
            {"metadata": {"user_id": "u1"}, "messages": [message("user", "a")]},
            {"metadata": {"user_id": "u1"}, "messages": [message("user", "b")]},
        ),
        ({"prompt_cache_key": "s1", "input": "a"}, {"prompt_cache_key": "s2", "input": "a"}),
    ],
    ids=["user", "system message", "system", "instructions", "a user is no session", "prompt_cache_key"],
)
def test_another_beginning_is_another_session(
    envoy: httpx.Client, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert key(envoy, CHAT, one) != key(envoy, CHAT, other)
