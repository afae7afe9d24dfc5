"""The routing script in the real Envoy: which role a body is for, whatever the body looks like, and what reaches it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.model_routing import MODEL_HEADER
from tests.components.real_envoy import LOOPBACK, bootstrap, free_port, lua_filter, running

ECHO = "/echo"


class Echo(BaseHTTPRequestHandler):
    """A server that answers with the very body that it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if (told := self.headers["content-length"]) is not None:
            body = self.rfile.read(int(told))
        else:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def configuration(port: int, echo: int) -> dict[str, Any]:
    """Answer with the role that the routes would pick, or the body."""

    def answers(role: str, *headers: dict[str, Any]) -> dict[str, Any]:
        match = {"prefix": "/", "headers": list(headers)}
        return {"match": match, "direct_response": {"status": 200, "body": {"inline_string": role}}}

    is_fast = {"name": MODEL_HEADER, "string_match": {"exact": "fast"}}
    routes = [
        {"match": {"path": ECHO}, "route": {"cluster": "echo"}},
        answers("fast", is_fast),
        answers("main"),
    ]
    address = {"socket_address": {"address": LOOPBACK, "port_value": echo}}
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    cluster = {"name": "echo", "load_assignment": {"cluster_name": "echo", "endpoints": [endpoint]}}
    return bootstrap(port, routes, [cluster], lua_filter(("coder", "fast"), "coder", ("claude-*", "gpt-*")))


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    with ThreadingHTTPServer((LOOPBACK, 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, echo: int) -> Iterator[httpx.Client]:
    port = free_port()
    with running(tmp_path_factory.mktemp("envoy"), port, configuration(port, echo)) as client:
        yield client


def role_of(client: httpx.Client, body: bytes, headers: dict[str, str] | None = None) -> str:
    return client.post("/v1/messages", content=body, headers=headers).text


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "fast"}',
        b'  \n{"model":"fast","messages":[]}',
        b'{"model"\t:\n "fast"}',
        b'{"messages":[{"role":"user","content":"{[\\"model\\":\\"coder\\""}],"model":"fast"}',
        b'{"metadata":{"model":"coder"},"input":[{"model":"coder"},[]],"model":"fast"}',
        b'{"text":"a\\\\","model":"fast"}',
        b'{"text":"\\u0022model\\u0022: \\"coder\\"","model":"fast"}',
        b'{"model":5,"model":"fast"}',
        b'{"messages":["' + b"x" * 200_000 + b'"],"model":"fast"}',
        b'{"messages":["' + b'\\"{}[]' * 500_000 + b'"],"model":"fast"}',
        b'{"model":"fast","messages":["' + b"x" * 3_000_000 + b'"]}',
    ],
    ids=lambda body: body[:40].decode(),
)
def test_the_top_level_model_decides(envoy: httpx.Client, body: bytes) -> None:
    assert role_of(envoy, body) == "fast"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'"model"',
        b'[{"model":"fast"}]',
        b'{"model":"gpt-5"}',
        b'{"model":""}',
        b'{"model":null}',
        b'{"model":["fast"]}',
        b'{"Model":"fast"}',
        b'{"input":"model","x":"fast"}',
        b'{"messages":[{"model":"fast"}]}',
        b'{"x":{"model":"fast"}}',
        b'{"model',
        b'{"model":"fast',
        b'{"x":"unclosed, "model":"fast"',
        b"\x00\xff\xfe{{{[[[",
        b"}" * 1000,
        b"[" * 100_000,
        b'{"messages":[' + b'{"a":1},' * 200_000 + b"1]}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_names_no_served_model_goes_to_the_main_role(envoy: httpx.Client, body: bytes) -> None:
    assert role_of(envoy, body) == "main"


def test_a_header_that_the_client_sends_decides_nothing(envoy: httpx.Client) -> None:
    forged = {MODEL_HEADER: "fast"}

    assert role_of(envoy, b'{"model":"coder"}', forged) == "main"
    assert role_of(envoy, b"not json", forged) == "main"
    assert role_of(envoy, b'{"model":"fast"}', {MODEL_HEADER: "coder"}) == "fast"


def test_a_request_without_a_body_passes(envoy: httpx.Client) -> None:
    assert envoy.get("/v1/models").text == "main"


def test_a_body_beyond_the_limit_is_refused(envoy: httpx.Client) -> None:
    assert envoy.post("/v1/messages", content=b'{"x":"' + b"x" * (9 * 2**20) + b'"}').status_code == 413


LONG = b"x" * 3_000_000


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (b'{"model":"claude-opus-5-5"}', b'{"model":"coder"}'),
        (b'{ "model" :\t"gpt-5.2-codex", "input": []}', b'{ "model" :\t"coder", "input": []}'),
        (b'{"model":"claude-"}', b'{"model":"coder"}'),
        (
            b'{"metadata":{"model":"claude-a"},"model":"claude-sonnet-4-5","x":"claude-b"}',
            b'{"metadata":{"model":"claude-a"},"model":"coder","x":"claude-b"}',
        ),
        (
            b'{"messages":["' + LONG + b'"],"model":"gpt-4"}',
            b'{"messages":["' + LONG + b'"],"model":"coder"}',
        ),
        (
            b'{"model":"gpt-4","messages":["' + LONG + b'"]}',
            b'{"model":"coder","messages":["' + LONG + b'"]}',
        ),
        (
            '{"model":"claude-x","text":"\u00e9\u4e16\u0000"}'.encode(),
            '{"model":"coder","text":"\u00e9\u4e16\u0000"}'.encode(),
        ),
    ],
    ids=lambda body: repr(body[:40]),
)
@pytest.mark.parametrize("in_chunks", [False, True], ids=["with its length", "in chunks"])
def test_a_name_of_a_hosted_model_arrives_as_that_of_the_main_role(
    envoy: httpx.Client, sent: bytes, arrives: bytes, *, in_chunks: bool
) -> None:
    content = iter([sent[:10], sent[10:]]) if in_chunks else sent

    assert envoy.post(ECHO, content=content).content == arrives
    assert role_of(envoy, sent) == "main"


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"coder"}',
        b'{"model":"fast","x":"claude-opus-5-5"}',
        b'{"model":"Claude-opus-5-5"}',
        b'{"model":"my-claude-1"}',
        b'{"model":"gpt"}',
        b'{"messages":[{"model":"claude-opus-5-5"}]}',
        b'{"model":["claude-opus-5-5"]}',
        b'{"model":"claude-opus',
        b"claude-opus-5-5",
    ],
    ids=lambda body: body.decode(),
)
def test_any_other_body_arrives_as_it_was_sent(envoy: httpx.Client, body: bytes) -> None:
    assert envoy.post(ECHO, content=body).content == body
