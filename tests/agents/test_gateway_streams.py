"""What long prompts and long waits meet between an agent and its model: nothing that cuts them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.agents.gateway import GREETING, Gateway, bodies

MIB = 2**20
SILENCE_SECONDS = 180
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


def test_a_long_stream_arrives_as_it_is_made_and_whole(gateway: Gateway) -> None:
    body = bodies("[play tokens=600 rate=40] go on", stream=True)["/v1/chat/completions"]
    with (
        gateway.client() as client,
        client.stream(
            "POST", "/v1/chat/completions", json=body, headers={"x-api-key": gateway.key("bob")}
        ) as got,
    ):
        arrivals = [time.monotonic() for line in got.iter_lines() if line.startswith("data: {")]

    assert len(arrivals) == 602, "role, 600 words, finish"
    assert arrivals[-1] - arrivals[0] >= 14, "600 events at 40 a second, not in one go at the end"
    assert max(later - earlier for earlier, later in pairwise(arrivals)) < 5


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
