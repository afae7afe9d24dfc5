"""A hop in front of the gateway that ends silent connections: a second real Envoy, which only passes bytes on."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.gateway.envoy import Envoy
from tests.gateway.gateway import Gateway

_READY_SECONDS = 30.0
_LOOPBACK = "127.0.0.1"


@contextmanager
def idle_limited(gateway: Gateway, folder: Path, *, idle_seconds: float) -> Iterator[int]:
    """Run the hop and give its port; a connection without a byte for so long is closed, as load balancers do it."""
    with socket.socket() as free:
        free.bind((_LOOPBACK, 0))
        port = int(free.getsockname()[1])
    bootstrap = folder / "hop.json"
    bootstrap.write_text(json.dumps(_bootstrap(port, gateway.port, idle_seconds)))
    with (folder / "hop.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(Envoy.of(gateway).argv[0], "--config-path", str(bootstrap)),
                *("--use-dynamic-base-id", "--log-level", "warn"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while not _listens(port):
            assert process.poll() is None, (folder / "hop.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the hop does not listen"
            time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((_LOOPBACK, port), 1).close()
    except OSError:
        return False
    return True


def _bootstrap(port: int, gateway_port: int, idle_seconds: float) -> dict[str, Any]:
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "hop",
        "cluster": "gateway",
        "idle_timeout": f"{idle_seconds}s",
    }
    listener = {
        "name": "hop",
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}],
    }
    cluster = {
        "name": "gateway",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "gateway",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(gateway_port)}}]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": _LOOPBACK, "port_value": port}}
