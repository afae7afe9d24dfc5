"""What long prompts and long waits meet between an agent and its model: nothing that cuts them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import pytest

from onprem_agents.units import parse_duration
from tests.gateway.envoy import Envoy
from tests.gateway.gateway import GREETING, Gateway, bodies

MIB = 2**20
SILENCE_SECONDS = 180
TEN_MINUTES_SECONDS = 600
TIMES_FASTER = 40
UVICORN_IDLE_SECONDS = 5
GENERATING = tuple(path for path in bodies() if not path.endswith("count_tokens"))


def ask(gateway: Gateway, path: str, body: Any, timeout_seconds: float = 60.0) -> httpx.Response:
    with gateway.client(timeout_seconds) as client:
        return client.post(path, json=body, headers={"x-api-key": gateway.key("alice")})


@pytest.mark.parametrize("path", bodies())
def test_a_prompt_of_four_mebibytes_passes(gateway: Gateway, path: str) -> None:
    text = "x" * (4 * MIB) + f"\n\n{GREETING}"

    answer = ask(gateway, path, bodies(text)[path])

    assert answer.status_code == 200, answer.text[:300]
    assert gateway.record()[-1]["body_bytes"] > 4 * MIB


def test_three_minutes_of_silence_before_the_first_token_cut_nothing(gateway: Gateway) -> None:
    text = f"[play silence={SILENCE_SECONDS}] {GREETING}"

    def wait(path: str) -> tuple[float, str]:
        begun = time.monotonic()
        answer = ask(gateway, path, bodies(text, stream=True)[path], SILENCE_SECONDS + 60)
        return time.monotonic() - begun, answer.raise_for_status().text

    with ThreadPoolExecutor(max_workers=len(GENERATING)) as pool:
        results = list(pool.map(wait, GENERATING))
    for seconds, text in results:
        assert seconds >= SILENCE_SECONDS
        assert "ready" in text
    assert results[0][1].rstrip().endswith("[DONE]")
    assert "message_stop" in results[2][1]


def test_ten_minutes_of_stream_in_fast_motion_arrive_as_they_are_made_and_whole(gateway: Gateway) -> None:
    """One event stands for one second; what fast motion cannot show, the limits, is the next test's matter."""
    directive = f"[play tokens={TEN_MINUTES_SECONDS} rate={TIMES_FASTER}] go on"
    body = bodies(directive, stream=True)["/v1/chat/completions"]
    with (
        gateway.client() as client,
        client.stream(
            "POST", "/v1/chat/completions", json=body, headers={"x-api-key": gateway.key("bob")}
        ) as got,
    ):
        arrivals = [time.monotonic() for line in got.iter_lines() if line.startswith("data: {")]

    assert len(arrivals) == TEN_MINUTES_SECONDS + 2, "role, 600 words, finish"
    real_seconds = TEN_MINUTES_SECONDS / TIMES_FASTER
    assert arrivals[-1] - arrivals[0] >= real_seconds - 1, "event by event, not in one go at the end"
    assert max(later - earlier for earlier, later in pairwise(arrivals)) < 5


def test_no_limit_that_envoy_runs_with_is_shorter_than_a_turn_of_ten_minutes(gateway: Gateway) -> None:
    envoy = Envoy.of(gateway)
    routes = [
        route["route"]
        for route in found_in(envoy.configuration("dynamic_route_configs"), "route")
        if "/rule/" in route.get("name", "") and route["route"].get("timeout") != "0s"
    ]
    managers = found_in(envoy.configuration("dynamic_listeners"), "stream_idle_timeout")

    assert len(routes) == len(bodies()), "one for each path that an agent may POST"
    limits = [route[name] for route in routes for name in ("timeout", "idle_timeout")]
    limits += [route["max_stream_duration"]["max_stream_duration"] for route in routes]
    limits += [manager["stream_idle_timeout"] for manager in managers]
    assert len(limits) > len(routes) * 3, "that of the whole connection as well"
    assert all(parse_duration(limit) >= TEN_MINUTES_SECONDS for limit in limits), limits


def test_a_connection_without_a_request_is_ended_before_any_server_would_end_it(gateway: Gateway) -> None:
    """A request sent just as uvicorn ends the connection, after 5 s, is answered 503 by Envoy."""
    envoy = Envoy.of(gateway)

    def limits() -> list[float]:
        options = found_in(envoy.configuration("dynamic_active_clusters"), "common_http_protocol_options")
        return [parse_duration(option["common_http_protocol_options"]["idle_timeout"]) for option in options]

    # Envoy Gateway 1.9 sends no endpoints again for a changed cluster: Envoy takes it after 15 s without them.
    assert soon(limits)
    assert max(limits()) < UVICORN_IDLE_SECONDS
    ask(gateway, "/v1/chat/completions", bodies()["/v1/chat/completions"]).raise_for_status()
    assert envoy.server_connections() > 0
    assert soon(lambda: envoy.server_connections() == 0), (
        "the longest that Envoy keeps one by itself is an hour"
    )


def soon(what: Callable[[], object]) -> bool:
    """Return whether it becomes true within a minute."""
    deadline = time.monotonic() + 60
    while not (true := bool(what())) and time.monotonic() < deadline:
        time.sleep(0.2)
    return true


def found_in(document: Any, name: str) -> list[dict[str, Any]]:
    """Return every object in the document that has a field of that name."""
    if isinstance(document, list):
        return [found for item in document for found in found_in(item, name)]
    if not isinstance(document, dict):
        return []
    own = [document] if name in document else []
    return own + [found for item in document.values() for found in found_in(item, name)]


@pytest.mark.parametrize("path", GENERATING)
@pytest.mark.parametrize(("error", "status"), [("429", 429), ("503", 503), ("context", 400), ("404", 404)])
def test_a_servers_error_arrives_as_it_is(gateway: Gateway, path: str, error: str, status: int) -> None:
    answer = ask(gateway, path, bodies(f"[play error={error} retry_after=7] {GREETING}")[path])

    assert answer.status_code == status
    assert answer.headers.get("retry-after") == (None if error == "context" else "7")
    words = "maximum context length is 65536" if error == "context" else "the script asks for this error"
    assert words in answer.json()["error"]["message"]


def test_a_cut_stream_is_seen_as_one(gateway: Gateway) -> None:
    body = bodies(f"[play cut=2] {GREETING}", stream=True)["/v1/chat/completions"]

    with pytest.raises(httpx.RemoteProtocolError):
        ask(gateway, "/v1/chat/completions", body)
