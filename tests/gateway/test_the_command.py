"""`./dev gateway` itself: what it prints, what it changes, how it ends, and what it says when it cannot work."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from embedded.gateway import Session
from embedded.gateway.redirect import Redirect
from embedded.gateway.running import project_folder
from embedded.gateway.trial import REDIRECT_FILE
from embedded.ports import LOOPBACK
from tests.cluster.end_to_end.checkout import Checkout
from tests.gateway.gateway import Gateway, bodies


def test_it_tells_how_to_reach_it_and_leads_to_a_server_on_loopback(gateway: Gateway) -> None:
    told = gateway.told

    assert set(told) == {"base_url", "anthropic_base_url", "ca_file", "record_file", "key_command"}
    assert told["base_url"] == f"https://localhost:{gateway.port}/v1"
    assert told["anthropic_base_url"] == f"https://localhost:{gateway.port}"
    assert Path(told["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert Path(told["record_file"]).stat().st_mode & 0o777 == 0o600
    with gateway.checkout.client() as client:
        backend = client.get("gateway.envoyproxy.io/v1alpha1", "Backend", "coder-predictor", "coding-agents")
    assert backend["spec"]["endpoints"][0]["ip"]["address"] == LOOPBACK


def test_every_answer_says_that_no_model_stands_behind_it(gateway: Gateway) -> None:
    with gateway.client() as client:
        for path, body in bodies().items():
            answer = client.post(path, json=body, headers={"x-api-key": gateway.key("alice")})

            assert answer.headers["x-scripted-model"] == "scripted-model (a stand-in: no model answers)"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8000",
        "http://example.com:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:8000/v1",
        "http://me@127.0.0.1:8000",
        "http://127.0.0.1:99999",
        "vllm:8000",
        "\x1b[31m",
    ],
)
def test_an_upstream_that_is_not_on_loopback_is_refused(gateway: Gateway, url: str) -> None:
    done = gateway.checkout.dev("gateway", "--detach", "--upstream", url)

    assert done.code == 1
    assert "--upstream" in done.text
    assert "such as http://127.0.0.1:8000" in done.text
    assert "Traceback" not in done.text
    assert "\x1b" not in done.text


def test_a_dead_upstream_is_one_sentence_and_changes_nothing(gateway: Gateway) -> None:
    before = gateway.checkout.platform()

    done = gateway.checkout.dev("gateway", "--detach", "--upstream", f"http://{LOOPBACK}:1")

    assert done.code == 1
    assert f"no model server answers at http://{LOOPBACK}:1" in done.text
    assert gateway.checkout.platform() == before


@contextmanager
def own_server() -> Iterator[int]:
    """A server of the user's, which answers everything with its own name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "11")
            self.end_headers()
            self.wfile.write(b'{"own":true}'[:11])

        def log_message(self, *_arguments: object) -> None:
            return

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_of_ones_own_takes_the_place_of_the_scripted_model(gateway: Gateway) -> None:
    checkout = gateway.checkout
    key = gateway.key("alice")
    with own_server() as port:
        done = checkout.dev("gateway", "--detach", "--json", "--upstream", f"http://localhost:{port}")
        assert done.code == 0, done.text
        redirect = Redirect.read(project_folder(checkout.layout) / REDIRECT_FILE)
        assert redirect == Redirect(server=f"http://{LOOPBACK}:{port}")
        with gateway.client() as client:
            answer = client.post("/v1/messages", json=bodies()["/v1/messages"], headers={"x-api-key": key})

    assert answer.text == '{"own":true'
    assert '"record_file": null' in done.text
    done = checkout.dev("gateway", "--stop")
    assert done.code == 0, done.text


def test_the_end_takes_back_what_it_redirected_and_the_cluster_that_it_started(gateway: Gateway) -> None:
    done = gateway.checkout.dev("gateway", "--stop")

    assert done.code == 0, done.text
    assert not project_folder(gateway.checkout.layout).exists()
    assert gateway.checkout.processes() == {}
    assert "no gateway is running" in gateway.checkout.dev("gateway", "--stop").text


def test_a_key_can_only_be_shown_while_something_runs(checkout: Checkout) -> None:
    checkout.dev("gateway", "--stop")

    done = checkout.dev("gateway", "--key", "alice")

    assert done.code == 1
    assert "nothing is running" in done.text
    assert "did you mean alice" in checkout.dev("gateway", "--key", "alcie").text


def test_a_port_in_use_is_one_sentence_and_nothing_is_started(checkout: Checkout) -> None:
    checkout.dev("gateway", "--stop")
    with socket.create_server((LOOPBACK, checkout.port)):
        done = checkout.dev("gateway", "--detach")

    assert done.code == 1
    assert f"port {checkout.port}, the gateway's (platform.access.port), is in use" in done.text
    assert checkout.processes() == {}


def test_in_the_foreground_it_runs_until_interrupted_and_leaves_nothing(checkout: Checkout) -> None:
    checkout.dev("gateway", "--stop")
    child = checkout.start("gateway", "--json")
    deadline = time.monotonic() + 180
    while Session.read(checkout.layout) is None or not _is_told(child.stdout):
        assert child.poll() is None
        assert time.monotonic() < deadline

    child.send_signal(signal.SIGINT)
    text, _ = child.communicate(timeout=120)

    assert child.returncode == 0, text
    assert not project_folder(checkout.layout).exists()
    assert checkout.processes() == {}


def _is_told(output: object) -> bool:
    """Read lines until the JSON document is complete."""
    lines = []
    for line in output:  # type: ignore[attr-defined]
        lines.append(line)
        if line.rstrip() == "}":
            start = next(index for index, each in enumerate(lines) if each.rstrip() == "{")
            return bool(json.loads("".join(lines[start:])))
    return False


def test_the_stack_file_stays_as_it_is_and_the_next_up_takes_back_only_the_redirection(
    checkout: Checkout,
) -> None:
    checkout.dev("gateway", "--stop")
    checkout.up()
    before, file = routes(checkout), checkout.stack_file("local").read_text()

    done = checkout.dev("gateway", "--detach")
    assert done.code == 0, done.text
    assert checkout.stack_file("local").read_text() == file
    session = Session.read(checkout.layout)
    assert session is not None
    on_trial = routes(checkout)
    assert set(on_trial) - set(before) == {("Backend", "coder-predictor")}
    assert {each for each in before if on_trial[each] != before[each]} == {
        ("HTTPRoute", "coding-agents-agents")
    }

    Session.file(checkout.layout).unlink()  # as a killed run leaves it, at its worst
    checkout.up()
    assert changes(checkout) == ["~ 1 updated", "- 2 deleted"], "the route, and the Backend with the check"
    assert routes(checkout) == before
    checkout.up()
    assert changes(checkout) == []
    assert checkout.dev("down").code == 0


def routes(checkout: Checkout) -> dict[tuple[str, str], Any]:
    """Return what the gateway goes by, as the API server keeps it."""
    with checkout.client() as client:
        found = [
            *client.list("gateway.networking.k8s.io/v1", "HTTPRoute", "coding-agents"),
            *client.list("gateway.envoyproxy.io/v1alpha1", "Backend", "coding-agents"),
        ]
    return {(each["kind"], each["metadata"]["name"]): each["spec"] for each in found}


def changes(checkout: Checkout) -> list[str]:
    """Return what the engine's last update changed."""
    text = (checkout.layout.logs / "pulumi.log").read_text().rpartition("\n$ ")[2]
    return re.findall(r"^ +([-+~] \d+ \w+)$", text, re.MULTILINE)
