"""Who gets through the real gateway, and what of a request reaches the server behind it."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from embedded.gateway import Session
from scripted_model.record import fingerprint
from tests.gateway.gateway import POST_PATHS, Gateway, all_are, answers, bodies, both_headers, send
from tests.gateway.keys import onprem_keys, seconds_until

# Routes of vLLM 0.33 and LiteLLM 1.109.1 that no agent needs.
FOREIGN = (
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/version"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("POST", "/tokenize"),
    ("POST", "/invocations"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/load_lora_adapter"),
    ("GET", "/v1/responses/resp_1"),
    ("POST", "/key/generate"),
    ("GET", "/health/readiness"),
    ("GET", "/model/info"),
    ("GET", "/spend/logs"),
    ("POST", "/chat/completions"),
    ("POST", "/scripted/plays"),
    ("POST", "/v1/messages/../scripted/plays"),
)
REVOKED_WITHIN_SECONDS = 5.0


def test_without_a_key_or_with_a_wrong_one_nothing_answers_and_nothing_arrives(gateway: Gateway) -> None:
    before = len(gateway.record())

    assert answers(gateway, {}) == all_are(401)
    for headers in both_headers("nobodys-key-0123456789abcdef0123456789"):
        assert answers(gateway, headers) == all_are(401)
    assert len(gateway.record()) == before


@pytest.mark.parametrize("developer", ["alice", "bob"])
def test_a_developers_key_opens_all_five_paths_in_either_header(gateway: Gateway, developer: str) -> None:
    before = len(gateway.record())

    for headers in both_headers(gateway.key(developer)):
        assert answers(gateway, headers) == all_are(200)
    came = gateway.record()[before:]
    assert {line["headers"]["x-client-id"] for line in came} == {developer}
    assert [line["path"] for line in came] == [*POST_PATHS, *POST_PATHS], "/v1/models is the gateway's own"


def test_no_developers_key_reaches_the_server_and_the_record_would_show_one(gateway: Gateway) -> None:
    key = gateway.key("alice")
    for headers in (*both_headers(key), {"Authorization": f"Bearer {key}", "x-api-key": key}):
        assert answers(gateway, headers)["/v1/messages"] == 200
    came = Path(gateway.told["record_file"]).read_text()

    assert key not in came
    assert fingerprint(key) not in came
    assert {
        line["headers"].get("authorization") for line in gateway.record() if line["method"] == "POST"
    } == {gateway.record()[-1]["headers"]["authorization"]}, (
        "one and the same key everywhere: that between gateway and server"
    )
    session = Session.read(gateway.checkout.layout)
    assert session is not None
    httpx.get(f"{session.upstream}/v1/models", headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    assert fingerprint(key) in str(gateway.record()[-1]), "around the gateway the key does arrive"
    assert key not in Path(gateway.told["record_file"]).read_text()
    file = Path(gateway.told["record_file"])
    file.write_text(
        "".join(line for line in file.read_text().splitlines(True) if fingerprint(key) not in line)
    )


def test_identity_headers_that_a_client_sends_do_not_survive(gateway: Gateway) -> None:
    forged = {"x-client-id": "root", "x-user-id": "root", "x-user-group": "admin", "x-onprem-model": "fast"}
    headers = {"x-api-key": gateway.key("bob")} | forged
    with gateway.client() as client:
        client.post("/v1/messages", json=bodies()["/v1/messages"], headers=headers).raise_for_status()
    came = gateway.record()[-1]["headers"]

    assert came["x-client-id"] == "bob"
    assert not {"x-user-id", "x-user-group", "x-onprem-model", "x-api-key"} & set(came)


@pytest.mark.parametrize(("method", "path"), FOREIGN)
def test_a_path_that_agents_do_not_need_does_not_exist_even_with_a_key(
    gateway: Gateway, method: str, path: str
) -> None:
    before = len(gateway.record())

    assert send(gateway, method, path, {"x-api-key": gateway.key("alice")}) in {400, 404}
    assert len(gateway.record()) == before


def test_two_keys_open_during_an_exchange_and_a_revoked_one_closes_within_seconds_cutting_no_stream(
    gateway: Gateway, tmp_path: Path
) -> None:
    old = gateway.key("dave")
    processes = set(gateway.checkout.processes())

    onprem_keys(gateway, "rotate", "dave", "--key-file", str(tmp_path / "key"))
    new = (tmp_path / "key").read_text().strip()
    seconds_until(lambda: answers(gateway, {"x-api-key": new}) == all_are(200))
    for headers in (*both_headers(old), *both_headers(new)):
        assert answers(gateway, headers) == all_are(200)
    assert gateway.key("dave") == new

    running: list[str] = []

    def stream() -> None:
        body = bodies("[play tokens=400 rate=20] go on", stream=True)["/v1/chat/completions"]
        with gateway.client() as client:
            running.append(client.post("/v1/chat/completions", json=body, headers={"x-api-key": old}).text)

    thread = threading.Thread(target=stream)
    thread.start()
    onprem_keys(gateway, "rotate", "dave", "--finish")
    assert (
        seconds_until(lambda: answers(gateway, {"x-api-key": old}) == all_are(401)) < REVOKED_WITHIN_SECONDS
    )
    assert thread.is_alive(), "the stream that began with the old key goes on"
    thread.join(timeout=60)
    assert running[0].count('"content": "word ') == 400
    assert running[0].rstrip().endswith("data: [DONE]")
    assert answers(gateway, {"x-api-key": new}) == all_are(200)

    onprem_keys(gateway, "revoke", "dave")
    assert (
        seconds_until(lambda: answers(gateway, {"x-api-key": new}) == all_are(401)) < REVOKED_WITHIN_SECONDS
    )
    assert processes <= set(gateway.checkout.processes()), "nothing was restarted"
