"""What passes between a client, the gateway and LiteLLM, and what does not: keys, routes, headers, streams, errors.

LiteLLM is the package of the pinned release, run on this machine with the arguments, environment and files that the
stack declares for its pods.
"""

from __future__ import annotations

import base64
import functools
import shlex
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from embedded.gateway import Session, litellm
from embedded.ports import LOOPBACK
from onprem_agents.plan import KEEP_ALIVE_SECONDS, PROXY_KEY_SECRET, SERVER_KEY_SECRET
from scripted_model.record import fingerprint
from tests.gateway.gateway import GREETING, POST_PATHS, Gateway, all_are, answers, bodies, both_headers, send

CHAT = "/v1/chat/completions"
GENERATING = POST_PATHS[:3]
# The paths at the model server for those: LiteLLM 1.109.1 makes chat completions of Anthropic's API.
ASKED = (CHAT, "/v1/responses", CHAT)
# Of LiteLLM's own routes those that would make keys, change it, tell about it, or pass requests on to elsewhere.
OWN_ROUTES = (
    ("POST", "/key/generate"),
    ("GET", "/key/info"),
    ("POST", "/user/new"),
    ("POST", "/model/new"),
    ("GET", "/model/info"),
    ("GET", "/v1/model/info"),
    ("POST", "/config/update"),
    ("GET", "/get/config/callbacks"),
    ("GET", "/config/yaml"),
    ("GET", "/health"),
    ("GET", "/health/liveliness"),
    ("GET", "/metrics"),
    ("GET", "/routes"),
    ("GET", "/ui"),
    ("GET", "/ui/"),
    ("POST", "/login"),
    ("GET", "/global/spend"),
    ("GET", "/openapi.json"),
    ("POST", "/mcp"),
    ("POST", "/vllm/v1/chat/completions"),
    ("POST", "/anthropic/v1/messages"),
    ("POST", "/engines/coder/chat/completions"),
    ("POST", "/v1/messages/../../key/generate"),
    ("POST", "/v1/messages/%2e%2e/%2e%2e/key/generate"),
    ("POST", "/v1/messages%2f..%2f..%2fkey%2fgenerate"),
    ("POST", "//key/generate"),
    ("DELETE", "/v1/messages"),
    ("GET", "/v1/chat/completions"),
)


@pytest.fixture
def gateway(litellm_gateway: Gateway) -> Gateway:
    return litellm_gateway


@functools.cache
def key_of(gateway_command: str) -> str:
    """Return what a key command prints, asked once."""
    done = subprocess.run(
        shlex.split(gateway_command), capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def as_alice(gateway: Gateway) -> dict[str, str]:
    return {"x-api-key": key_of(gateway.key_command("alice"))}


def secret(gateway: Gateway, name: str) -> str:
    """Return a key that only the cluster knows."""
    with gateway.checkout.client() as client:
        return base64.b64decode(client.get("v1", "Secret", name, "coding-agents")["data"]["apiKey"]).decode()


def proxy(gateway: Gateway) -> str:
    """Return LiteLLM's own address, behind the gateway."""
    session = Session.read(gateway.checkout.layout)
    assert session is not None
    assert session.proxy is not None
    return session.proxy


def proxy_log(gateway: Gateway) -> str:
    return litellm.process(gateway.checkout.layout).log.read_text()


def requests_seen(gateway: Gateway) -> list[str]:
    """Return the lines of LiteLLM's access log."""
    return [line for line in proxy_log(gateway).splitlines() if "HTTP/1.1" in line]


def ask(gateway: Gateway, path: str, text: str = GREETING, *, stream: bool = False) -> httpx.Response:
    with gateway.client() as client:
        return client.post(path, json=bodies(text, stream=stream)[path], headers=as_alice(gateway))


def test_keys_are_checked_before_litellm(gateway: Gateway) -> None:
    before = len(requests_seen(gateway)), len(gateway.posted())

    assert answers(gateway, {}) == all_are(401)
    for headers in both_headers("nobodys-key-0123456789abcdef0123456789"):
        assert answers(gateway, headers) == all_are(401)
    assert (len(requests_seen(gateway)), len(gateway.posted())) == before


def test_a_developers_key_opens_all_five_paths_and_goes_no_further_than_the_gateway(gateway: Gateway) -> None:
    servers, proxys = (secret(gateway, name) for name in (SERVER_KEY_SECRET, PROXY_KEY_SECRET))
    key = as_alice(gateway)["x-api-key"]
    before = len(gateway.posted())

    for headers in both_headers(key):
        assert answers(gateway, headers | {"x-client-id": "root", "x-user-id": "root"}) == all_are(200)

    came = gateway.posted()[before:]
    assert [line["path"] for line in came] == [*ASKED, *ASKED], "it counts tokens itself"
    assert {line["headers"]["authorization"] for line in came} == {f"Bearer {fingerprint(servers)}"}
    assert not {"x-api-key", "x-client-id", "x-user-id"} & {name for line in came for name in line["headers"]}
    told = proxy_log(gateway) + Path(gateway.told["record_file"]).read_text()
    folder = gateway.checkout.layout.state / "gateway" / "litellm"
    told += "".join(file.read_text() for file in folder.rglob("*.yaml"))
    assert [hidden for hidden in (key, servers, proxys, fingerprint(proxys)) if hidden in told] == []


def test_a_route_of_litellms_own_does_not_exist_even_with_a_key(gateway: Gateway) -> None:
    before = len(requests_seen(gateway))

    refused = {route: send(gateway, *route, as_alice(gateway)) for route in OWN_ROUTES}

    assert {route: status for route, status in refused.items() if status not in {400, 404}} == {}
    assert len(requests_seen(gateway)) == before


def test_around_the_gateway_the_log_would_show_a_request(gateway: Gateway) -> None:
    before = len(requests_seen(gateway))
    headers = {"Authorization": f"Bearer {secret(gateway, PROXY_KEY_SECRET)}"}

    answer = httpx.get(f"{proxy(gateway)}/model/info", headers=headers, trust_env=False)

    assert answer.status_code == 200
    assert len(requests_seen(gateway)) == before + 1


def test_headers_by_which_clients_steer_litellm_stop_at_the_gateway(gateway: Gateway) -> None:
    steering = {"x-litellm-timeout": "0.001", "x-litellm-num-retries": "5", "x-litellm-tags": "mine"}
    keys = {"Authorization": f"Bearer {secret(gateway, PROXY_KEY_SECRET)}"}
    before = len(gateway.posted())

    with gateway.client() as client:
        through = client.post(
            CHAT, json=bodies()[CHAT], headers=as_alice(gateway) | steering | {"x-litellm-api-key": "mine"}
        )
    around = httpx.post(proxy(gateway) + CHAT, json=bodies()[CHAT], headers=keys, trust_env=False)

    assert through.status_code == 200
    assert len(gateway.posted()) == before + 2
    assert "x-litellm-model-api-base" in around.headers, "LiteLLM does tell the model server's address"
    assert [name for name in through.headers if name.startswith(("x-litellm-", "llm_provider-"))] == []


@pytest.mark.parametrize("path", GENERATING)
def test_a_request_cannot_send_litellm_to_a_server_of_its_own(gateway: Gateway, path: str) -> None:
    elsewhere = socket.create_server((LOOPBACK, 0))
    url = f"http://{LOOPBACK}:{elsewhere.getsockname()[1]}"
    model = {"model_name": "coder", "litellm_params": {"model": "openai/x", "api_base": url, "api_key": "x"}}
    fields: tuple[dict[str, object], ...] = (
        {"api_base": url},
        {"base_url": url},
        {"extra_body": {"api_base": url}},
        {"user_config": {"model_list": [model]}},
        {"model_list": [model]},
        {"fallbacks": [{"model": "openai/x", "api_base": url, "api_key": "x"}]},
        {"metadata": {"langfuse_host": url}},
        {"api_key": "os.environ/VLLM_API_KEY"},
    )
    before = len(gateway.posted())

    with elsewhere, gateway.client() as client:
        for field in fields:
            body = bodies()[path] | field
            answer = client.post(path, json=body, headers=as_alice(gateway))
            assert (answer.status_code, "Rejected Request" in answer.text) == (401, True), field
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert len(gateway.posted()) == before


@pytest.mark.parametrize("path", GENERATING)
def test_a_stream_of_one_word_400_times_over_arrives_as_it_is_made_and_whole(
    gateway: Gateway, path: str
) -> None:
    body = bodies("[play tokens=400 rate=80] go on", stream=True)[path]
    arrivals, last = [], ""
    with (
        gateway.client() as client,
        client.stream("POST", path, json=body, headers=as_alice(gateway)) as got,
    ):
        for line in got.iter_lines():
            if "word " in line and "delta" in line:
                arrivals.append(time.monotonic())
            last = line or last

    assert len(arrivals) == 400, "LiteLLM's own limit of 100 equal chunks would have cut it"
    assert arrivals[-1] - arrivals[0] >= 4.5, "400 events at 80 a second, not in one go at the end"
    assert max(later - earlier for earlier, later in pairwise(arrivals)) < 2
    assert any(end in last for end in ("[DONE]", "message_stop"))


def test_litellm_writes_into_a_stream_on_which_the_model_is_silent(gateway: Gateway) -> None:
    """Twice as long as its interval and some more; the model itself sends nothing meanwhile."""
    text = f"[play silence={KEEP_ALIVE_SECONDS * 2 + 5} keep_alive=3600] {GREETING}"

    def longest_silence(path: str) -> float:
        body = bodies(text, stream=True)[path]
        with (
            gateway.client() as client,
            client.stream("POST", path, json=body, headers={"x-api-key": gateway.key("alice")}) as got,
        ):
            arrivals = [time.monotonic(), *(time.monotonic() for _ in got.iter_raw())]
        return max(later - earlier for earlier, later in pairwise(arrivals))

    with ThreadPoolExecutor(max_workers=len(GENERATING)) as pool:
        silences = dict(zip(GENERATING, pool.map(longest_silence, GENERATING), strict=True))

    assert {path: seconds for path, seconds in silences.items() if seconds > KEEP_ALIVE_SECONDS * 2} == {}


def test_claude_code_learns_how_full_its_window_is(gateway: Gateway) -> None:
    text = ask(gateway, "/v1/messages", stream=True).text
    (delta,) = (line for line in text.splitlines() if '"message_delta"' in line and line.startswith("data"))

    assert '"input_tokens": 0' not in delta
    assert '"input_tokens": ' in delta, "without it Claude Code never compacts"


@pytest.mark.parametrize("path", GENERATING)
@pytest.mark.parametrize(("error", "status"), [("429", 429), ("503", 503), ("context", 400), ("401", 401)])
def test_a_servers_error_keeps_its_status_and_words_and_the_server_is_asked_once(
    gateway: Gateway, path: str, error: str, status: int
) -> None:
    before = len(gateway.posted())

    answer = ask(gateway, path, f"[play error={error}] {GREETING}, secret prompt")
    words = "maximum context length is 65536" if error == "context" else "the script asks for this error"

    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    assert len(gateway.posted()) == before + 1
    assert ask(gateway, path).status_code == 200, "the server is not put aside for it"
    assert "secret prompt" not in proxy_log(gateway)


@pytest.mark.parametrize("path", POST_PATHS)
def test_a_prompt_of_four_mebibytes_passes_litellm(gateway: Gateway, path: str) -> None:
    assert ask(gateway, path, "x" * 4 * 2**20 + f"\n\n{GREETING}").status_code == 200
