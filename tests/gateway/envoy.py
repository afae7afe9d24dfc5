"""Envoy as a process of its own: found, given a successor and drained, as Kubernetes does it with its pod."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.gateway import Gateway

_READY_SECONDS = 30.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Envoy:
    """One running Envoy; `admin` is where it takes orders, on loopback."""

    pid: int
    argv: tuple[str, ...]
    admin: str

    @classmethod
    def of(cls, gateway: Gateway) -> Envoy:
        """Return the Envoy that Envoy Gateway runs for this gateway."""
        (pid,) = (
            pid
            for pid, command in gateway.checkout.processes().items()
            if command.partition(" ")[0].endswith("/bin/envoy")
        )
        argv = tuple(word.decode() for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1])
        place = Path(argv[argv.index("--admin-address-path") + 1])
        return cls(pid=pid, argv=argv, admin=place.read_text())

    @contextmanager
    def successor(self, folder: Path) -> Iterator[Envoy]:
        """Run a second Envoy beside this one, under a name of its own; it shares the port and is ready."""
        place = folder / "admin"
        argv = list(self.argv)
        argv[argv.index("--admin-address-path") + 1] = str(place)
        argv[argv.index("--service-node") + 1] += "-successor"
        words = (word.partition(b"=") for word in Path(f"/proc/{self.pid}/environ").read_bytes().split(b"\0"))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                argv,
                env={os.fsdecode(name): os.fsdecode(value) for name, _, value in words if name},
                cwd=Path(f"/proc/{self.pid}/cwd").readlink(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            deadline = time.monotonic() + _READY_SECONDS
            while not (place.exists() and _is_ready(place.read_text())):
                assert process.poll() is None, (folder / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, "the second Envoy does not become ready"
                time.sleep(_POLL_SECONDS)
            yield Envoy(pid=process.pid, argv=tuple(argv), admin=place.read_text())
        finally:
            process.kill()
            process.wait()

    def order(self, path: str) -> None:
        """Give an order, such as `healthcheck/fail`."""
        httpx.post(f"http://{self.admin}/{path}", trust_env=False).raise_for_status()

    def connections(self) -> int:
        """Return the clients' open connections, all workers together."""
        return self._sum(r"^listener\.127\.0\.0\.1_\d+\.downstream_cx_active$")

    def server_connections(self) -> int:
        """Return the open connections to the servers behind it, those with no request in them included."""
        return self._sum(r"^cluster\.httproute/.*\.upstream_cx_active$")

    def _sum(self, stats: str) -> int:
        query = {"filter": stats, "format": "json"}
        answer = httpx.get(f"http://{self.admin}/stats", params=query, trust_env=False)
        return sum(stat["value"] for stat in answer.raise_for_status().json()["stats"])

    def configuration(self, resource: str) -> Any:
        """Return one part of the configuration that is in force, such as `dynamic_route_configs`."""
        query = {"resource": resource}
        answer = httpx.get(f"http://{self.admin}/config_dump", params=query, trust_env=False)
        return answer.raise_for_status().json()["configs"]

    def end(self) -> None:
        """Send SIGTERM, as the kubelet does at the end of a pod."""
        os.kill(self.pid, signal.SIGTERM)


def _is_ready(admin: str) -> bool:
    try:
        return httpx.get(f"http://{admin}/ready", trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
