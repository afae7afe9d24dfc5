"""A stack with LiteLLM between gateway and model: the same agents, the same keys, the same work.

LiteLLM is the package of the pinned release, run on this machine with the arguments, environment and files that the
stack declares for its pods.
"""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from embedded.gateway import Session, litellm
from embedded.scripted_model.record import fingerprint
from tests.agents import closed_network
from tests.agents.gateway import GREETING, POST_PATHS, Gateway, all_are, answers, bodies, both_headers, send
from tests.agents.machine import UNATTENDED, Machine
from tests.agents.scenarios import OWNERS, check_came, work

# What LiteLLM 1.109.1 asks of a model server for each agent: Anthropic's API becomes chat completions.
ASKED = {"opencode": "/v1/chat/completions", "codex": "/v1/responses", "claude": "/v1/chat/completions"}
GENERATING = POST_PATHS[:3]
# Of LiteLLM's own 900 routes, those that would make keys, change it, tell about it, or pass requests on to elsewhere.
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


def proxy_log(gateway: Gateway) -> str:
    return litellm.process(gateway.checkout.layout).log.read_text()


def requests_seen(gateway: Gateway) -> list[str]:
    """Return the lines of LiteLLM's access log."""
    return [line for line in proxy_log(gateway).splitlines() if "HTTP/1.1" in line]


def ask(gateway: Gateway, path: str, text: str = GREETING, *, stream: bool = False) -> httpx.Response:
    with gateway.client() as client:
        return client.post(
            path, json=bodies(text, stream=stream)[path], headers={"x-api-key": gateway.key("alice")}
        )


@pytest.mark.parametrize("repetition", [1, 2, 3])
@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_works_through_litellm_as_without_it(
    machine: Machine, gateway: Gateway, agent: str, repetition: int
) -> None:
    done = work(machine, gateway)

    assert done.came, f"repetition {repetition}"
    check_came(done.came, path=ASKED[agent], key=gateway.key(OWNERS[agent]))


@pytest.mark.parametrize("agent", UNATTENDED)
def test_with_litellm_too_an_agent_asks_for_no_other_name(
    machine: Machine, gateway: Gateway, tmp_path: Path
) -> None:
    if not closed_network.is_possible():
        pytest.skip("unshare and ip are missing, or may make no network here")

    with closed_network.around(gateway.port, tmp_path) as (within, names):
        work(machine, gateway, within=within)
        asked_for = set(names.read_text().split())

    assert asked_for == set()


def test_it_declares_both_upstreams_and_tells_where_litellm_is(gateway: Gateway) -> None:
    session = Session.read(gateway.checkout.layout)

    assert session is not None
    assert gateway.checkout.platform("litellm")["upstreams"] == {
        "models": {"coder": session.upstream},
        "proxy": session.proxy,
    }


def test_keys_are_checked_before_litellm(gateway: Gateway) -> None:
    before = len(requests_seen(gateway)), len(gateway.posted())

    assert answers(gateway, {}) == all_are(401)
    for headers in both_headers("nobodys-key-0123456789abcdef0123456789"):
        assert answers(gateway, headers) == all_are(401)
    assert (len(requests_seen(gateway)), len(gateway.posted())) == before


def test_a_developers_key_opens_all_five_paths_and_goes_no_further_than_the_gateway(gateway: Gateway) -> None:
    layout = gateway.checkout.layout
    with gateway.checkout.client() as client:
        secrets = {
            name: client.get("v1", "Secret", name, "coding-agents")["data"]["apiKey"]
            for name in ("vllm-server-key", "translation-proxy-key")
        }
    before = len(gateway.posted())
    key = gateway.key("bob")

    for headers in both_headers(key):
        forged = {"x-client-id": "root", "x-user-id": "root", "x-litellm-api-key": "root"}
        assert answers(gateway, headers | forged) == all_are(200)

    came = gateway.posted()[before:]
    assert [line["path"] for line in came] == [ASKED[agent] for agent in ("opencode", "codex", "claude")] * 2
    shown = {line["headers"]["authorization"] for line in came}
    assert shown == {f"Bearer {fingerprint(decoded(secrets['vllm-server-key']))}"}
    assert not {"x-api-key", "x-client-id", "x-user-id", "x-litellm-api-key"} & {
        name for line in came for name in line["headers"]
    }
    told = proxy_log(gateway) + Path(gateway.told["record_file"]).read_text()
    told += "".join(file.read_text() for file in (layout.state / "gateway" / "litellm").rglob("*.yaml"))
    for secret in (key, *map(decoded, secrets.values())):
        assert secret not in told
    assert fingerprint(decoded(secrets["translation-proxy-key"])) not in told


@pytest.mark.parametrize(("method", "path"), OWN_ROUTES)
def test_a_route_of_litellms_own_does_not_exist_even_with_a_key(
    gateway: Gateway, method: str, path: str
) -> None:
    before = len(requests_seen(gateway))

    assert send(gateway, method, path, {"x-api-key": gateway.key("alice")}) in {400, 404}
    assert len(requests_seen(gateway)) == before


def test_around_the_gateway_the_log_would_show_a_request(gateway: Gateway) -> None:
    session = Session.read(gateway.checkout.layout)
    assert session is not None
    before = len(requests_seen(gateway))

    answer = httpx.get(f"{session.proxy}/health/liveliness", trust_env=False)

    assert answer.status_code == 200
    assert len(requests_seen(gateway)) == before + 1


@pytest.mark.parametrize("path", GENERATING)
def test_a_stream_of_one_word_400_times_over_arrives_as_it_is_made_and_whole(
    gateway: Gateway, path: str
) -> None:
    body = bodies("[play tokens=400 rate=80] go on", stream=True)[path]
    arrivals, last = [], ""
    with (
        gateway.client() as client,
        client.stream("POST", path, json=body, headers={"x-api-key": gateway.key("alice")}) as got,
    ):
        for line in got.iter_lines():
            if "word " in line and "delta" in line:
                arrivals.append(time.monotonic())
            last = line or last

    assert len(arrivals) == 400, "LiteLLM's own limit of 100 equal chunks would have cut it"
    assert arrivals[-1] - arrivals[0] >= 4.5, "400 events at 80 a second, not in one go at the end"
    assert max(later - earlier for earlier, later in pairwise(arrivals)) < 2
    assert any(end in last for end in ("[DONE]", "message_stop"))


def test_claude_code_learns_how_full_its_window_is(gateway: Gateway) -> None:
    text = ask(gateway, "/v1/messages", stream=True).text
    (delta,) = (line for line in text.splitlines() if '"message_delta"' in line and line.startswith("data"))

    assert '"input_tokens": 0' not in delta
    assert '"input_tokens": ' in delta, "without it Claude Code never compacts"


@pytest.mark.parametrize("path", GENERATING)
@pytest.mark.parametrize(("error", "status"), [("429", 429), ("503", 503), ("context", 400), ("401", 401)])
def test_a_servers_error_keeps_its_status_and_words_and_is_asked_for_once(
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


def test_a_litellm_that_dies_ends_the_trial_with_its_log_and_leaves_nothing(gateway: Gateway) -> None:
    checkout = gateway.checkout
    process = litellm.process(checkout.layout)
    pid = process.pid()
    child = checkout.start("gateway", "litellm", "--json")
    output = child.stdout
    assert output is not None
    wait_for(lambda: "runs until Ctrl-C" in output.readline(), seconds=120)
    assert process.pid() == pid, "what runs as wanted is not started anew"

    process._signal(signal.SIGKILL)
    text, _ = child.communicate(timeout=120)

    assert child.returncode == 1
    assert f"litellm has died; its log is {process.log}" in text
    assert "upstreams" not in checkout.platform("litellm")
    assert checkout.processes() == {}


def decoded(value: str) -> str:
    return base64.b64decode(value).decode()


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
