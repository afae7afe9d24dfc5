"""A restart of the gateway's Envoy, as `kubectl rollout restart` goes: the next one starts, the old one drains.

On this host Envoy Gateway (1.9.1, host mode) has no shutdown manager: it ends its Envoy at once. So the test takes
the part of the kubelet and of the shutdown manager, by the latter's rules (internal/cmd/envoy/shutdown_manager.go):
fail the health checks, wait until no connection is left or `drainTimeout` is over, then SIGTERM. The two Envoys
share the port as two pods share a Service; closing the old one's listeners stands for its end as an endpoint.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from onprem_agents.units import parse_duration
from tests.gateway.envoy import Envoy
from tests.gateway.gateway import Gateway, bodies, started

PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
TOKENS = 160
LONG = f"[play tokens={TOKENS} rate=20] go on"
ENDS = {
    "/v1/chat/completions": "[DONE]",
    "/v1/responses": "response.completed",
    "/v1/messages": "message_stop",
}


@pytest.fixture
def envoy(gateway: Gateway) -> Iterator[Envoy]:
    """The gateway's Envoy; whatever becomes of it, the gateway is whole again afterwards."""
    yield Envoy.of(gateway)
    for pid, command in gateway.checkout.processes().items():
        if command.partition(" ")[0].endswith("/bin/envoy"):
            os.kill(pid, signal.SIGKILL)
    started(gateway.checkout)
    assert status(gateway) == 200


def status(gateway: Gateway) -> int:
    """Return the status of a short request on a new connection."""
    body = bodies()["/v1/messages"]
    with gateway.client() as client:
        return client.post("/v1/messages", json=body, headers=key(gateway)).status_code


def key(gateway: Gateway) -> dict[str, str]:
    return {"x-api-key": gateway.checkout.key("alice")}


@contextmanager
def long_streams(gateway: Gateway) -> Iterator[dict[str, Future[str]]]:
    """Run a stream of 8 s on each API, and go on once each has begun."""

    def stream(path: str) -> str:
        parts = []
        with (
            gateway.client() as client,
            client.stream("POST", path, json=bodies(LONG, stream=True)[path], headers=key(gateway)) as got,
        ):
            for part in got.iter_text():
                begun.add(path)
                parts.append(part)
        return "".join(parts)

    begun: set[str] = set()
    with ThreadPoolExecutor(max_workers=len(PATHS)) as pool:
        running = {path: pool.submit(stream, path) for path in PATHS}
        deadline = time.monotonic() + 10
        while begun != set(PATHS):
            assert time.monotonic() < deadline, f"only {begun} began"
            time.sleep(0.05)
        yield running


def test_a_restart_lets_running_streams_finish_and_serves_new_requests_all_the_while(
    gateway: Gateway, envoy: Envoy, tmp_path: Path
) -> None:
    with gateway.checkout.client() as cluster:
        proxy = cluster.get("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy", "coding-agents", "coding-agents")
    drain_seconds = parse_duration(proxy["spec"]["shutdown"]["drainTimeout"])
    assert drain_seconds >= 600, "the longest turn of the stack"

    with long_streams(gateway) as running, envoy.successor(tmp_path):
        envoy.order("healthcheck/fail")
        statuses = [status(gateway) for _ in range(4)]
        envoy.order("drain_listeners")
        statuses += [status(gateway) for _ in range(4)]
        assert envoy.connections() == len(PATHS), "the streams are all that the old one still has"
        assert not any(stream.done() for stream in running.values())
        deadline = time.monotonic() + drain_seconds
        while envoy.connections() and time.monotonic() < deadline:
            time.sleep(0.2)
        envoy.end()
        texts = {path: stream.result(timeout=10) for path, stream in running.items()}
        statuses += [status(gateway) for _ in range(4)]

    assert set(statuses) == {200}, "before, while and after the old one drains"
    for path, text in texts.items():
        assert text.count("word ") >= TOKENS, path
        assert ENDS[path] in text


def test_without_draining_the_same_end_cuts_the_streams(gateway: Gateway, envoy: Envoy) -> None:
    with long_streams(gateway) as running:
        envoy.end()
        for stream in running.values():
            with pytest.raises(httpx.HTTPError):
                stream.result(timeout=10)
