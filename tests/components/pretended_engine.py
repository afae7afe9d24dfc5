"""An engine that only listens: it starts our language host for one program and notes what it is told.

So a program ends here as it does under `pulumi`: in the host's own process, with its log as the terminal.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

_ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 10


@dataclass
class Run:
    """What one run of a program came to."""

    resources: list[str] = field(default_factory=list)
    """Names of what it declared, the stack itself left out."""
    log: list[str] = field(default_factory=list)
    """Its messages for the terminal, below debugging."""
    error: str = ""
    stderr: str = ""

    @property
    def terminal(self) -> str:
        """All that a terminal shows of it."""
        return "\n".join([*self.log, self.error, self.stderr])


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self, run: Run) -> None:
        self._run = run
        self._root = ""

    def Log(self, request: engine_pb2.LogRequest, _context: Any) -> Empty:  # noqa: N802
        if request.severity != engine_pb2.DEBUG:
            self._run.log.append(request.message)
        return Empty()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, run: Run, unknown: frozenset[str]) -> None:
        self._run = run
        self._unknown = unknown

    def SupportsFeature(  # noqa: N802
        self, request: resource_pb2.SupportsFeatureRequest, _context: Any
    ) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id != "outputValues")

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest, _context: Any
    ) -> resource_pb2.RegisterResourceResponse:
        if request.type != "pulumi:pulumi:Stack":
            self._run.resources.append(request.name)
        urn = f"urn:pulumi:test::onprem-coding-agents::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def RegisterResourceOutputs(self, _request: Any, _context: Any) -> Empty:  # noqa: N802
        return Empty()

    def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> Empty:  # noqa: N802
        return Empty()


def run(folder: Path, program: str, *, preview: bool = False) -> Run:
    """Run a program of `folder` to its end."""
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    found = Run()
    with _served(found) as engine, _language_host(engine, found) as address:
        host = language_pb2_grpc.LanguageRuntimeStub(grpc.insecure_channel(address))
        response = host.Run(
            language_pb2.RunRequest(
                project="onprem-coding-agents",
                stack="test",
                monitor_address=engine,
                dryRun=preview,
                parallel=4,
                info=language_pb2.ProgramInfo(program_directory=str(folder), entry_point="."),
            )
        )
        found.error = response.error
    return found


@contextmanager
def _served(found: Run) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(16))
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(found), server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Monitor(found, frozenset()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


@contextmanager
def _language_host(engine: str, found: Run) -> Iterator[str]:
    host = subprocess.Popen(
        [sys.executable, "-m", "embedded.plugins.language_python", engine],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    try:
        yield f"127.0.0.1:{host.stdout.readline().strip()}"
    finally:
        host.terminate()
        found.stderr = host.communicate(timeout=_STOP_SECONDS)[1]
