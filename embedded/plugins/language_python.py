"""Stand-in for `pulumi-language-python`, for machines that cannot have the official plugin.

It runs a Python program in its own process and interpreter (so `virtualenv` and `toolchain` of Pulumi.yaml are
not looked at) and starts policy packs as child processes. Left out on purpose: `pulumi new`, code generation
and installing dependencies, each of which the engine reports as not implemented.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import runpy
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.automation._server import LanguageServer
from pulumi.errors import RunError
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from embedded.plugins import hosting

NAME = "pulumi-language-python (stand-in of onprem-coding-agents)"
_CHUNK_BYTES = 4096
_STOP_SECONDS = 2.0


def stand_in_version() -> str:
    """Return the version of the SDK that is served, marked as a stand-in's in semver's own way."""
    return f"{metadata.version('pulumi')}+stand-in"


class LanguageHost(LanguageServer):
    """The Automation API's server for one program, made to serve any program the engine names."""

    def __init__(self, engine: str) -> None:
        super().__init__(lambda: None)
        self._engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()

    def Handshake(  # noqa: N802
        self, request: language_pb2.LanguageHandshakeRequest, _context: grpc.ServicerContext
    ) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Empty, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=stand_in_version())

    def GetProgramDependencies(  # noqa: N802
        self, _request: language_pb2.GetProgramDependenciesRequest, _context: grpc.ServicerContext
    ) -> Any:
        found = sorted({(item.metadata["Name"], item.version) for item in metadata.distributions()})
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=number) for name, number in found]
        )

    def InstallDependencies(  # noqa: N802
        self, _request: language_pb2.InstallDependenciesRequest, _context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        text = f"{NAME} installs nothing; the program runs on {sys.executable}\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    def RuntimeOptionsPrompts(  # noqa: N802
        self, _request: language_pb2.RuntimeOptionsRequest, _context: grpc.ServicerContext
    ) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        return Empty()

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Run the program to its end; its errors are logged here and the engine only told that it failed."""
        directory = Path(request.info.program_directory or request.pwd)
        target = directory / (request.info.entry_point or request.program or ".")
        arguments = list(request.args)
        # The base class takes the engine's address from the place of the program's first argument (SDK 3.272,
        # automation/_server.py, read 2026-11).
        del request.args[:]
        request.args.append(self._engine)
        started = threading.Event()

        def program() -> None:
            started.set()
            _run_program(directory, target, arguments)

        self.program = program
        try:
            response = super().Run(request, context)  # type: ignore[no-untyped-call]  # the SDK's server is untyped
        except Exception:
            # A program's failure is logged. Then the SDK (3.272) waits for the Outputs that it left behind, each of
            # which may fail once more for the same reason, or because its loop is about to end.
            if not started.is_set():
                raise
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(bail=True) if response.error else response

    def RunPlugin(  # noqa: N802
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack as the official host does, passing its output on as it comes."""
        folder = request.info.program_directory or request.program
        module = ["-m", "pulumi.policy"] if request.kind == "analyzer" else []
        command = [sys.executable, "-u", *module]
        command += [hosting.engine_address(request.args), folder] if module else [folder, *request.args]
        child = subprocess.Popen(
            command,
            cwd=request.pwd or None,
            env=dict(entry.partition("=")[::2] for entry in request.env) or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._children.add(child)
        context.add_callback(lambda: self._stop(child))
        for is_error, chunk in _output(child):
            yield (
                language_pb2.RunPluginResponse(stderr=chunk)
                if is_error
                else language_pb2.RunPluginResponse(stdout=chunk)
            )
        yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def stop_children(self) -> None:
        """End every policy pack that is still running."""
        for child in list(self._children):
            self._stop(child)

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        self._children.discard(child)
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_SECONDS)
            child.kill()


def main() -> None:
    """Serve the engine whose address is the last argument, or print the version."""
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{NAME} {stand_in_version()}\n")
        return
    host = LanguageHost(hosting.engine_address(sys.argv[1:]))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    hosting.serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        host.stop_children,
    )


def _run_program(directory: Path, target: Path, arguments: list[str]) -> None:
    """Run the program as `__main__`; an exception becomes a RunError with the program's own frames."""
    # What the host itself imported is never garbage: no collection of the program's needs to walk it
    # (import and evaluation: 455 ms of CPU without, 390 ms with; 2026-11).
    gc.freeze()
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    sys.argv = [str(target), *arguments]
    try:
        runpy.run_path(str(target), run_name="__main__")
    except RunError:
        raise
    except SystemExit as error:
        if error.code in (None, 0):
            return
        if isinstance(error.code, str):
            raise RunError(error.code) from error
        raise RunError(f"the program ended with exit code {error.code}") from error
    except Exception as error:
        raise RunError(f"the program failed with an exception:\n{_own_frames(error, directory)}") from error


def _own_frames(error: Exception, directory: Path) -> str:
    """Return the traceback from the program's first frame on."""
    trace = error.__traceback__
    while trace and not trace.tb_frame.f_code.co_filename.startswith(str(directory)):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__)).rstrip()


def _output(child: subprocess.Popen[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Yield what the child writes to standard output or error, as it comes, until both are closed."""
    chunks: queue.Queue[tuple[bool, bytes]] = queue.Queue()

    def pump(stream: IO[bytes], *, is_error: bool) -> None:
        while chunk := os.read(stream.fileno(), _CHUNK_BYTES):
            chunks.put((is_error, chunk))
        chunks.put((is_error, b""))

    streams = [(child.stdout, False), (child.stderr, True)]
    for stream, is_error in streams:
        if stream is not None:
            threading.Thread(target=pump, args=(stream,), kwargs={"is_error": is_error}, daemon=True).start()
    still_open = len(streams)
    while still_open:
        is_error, chunk = chunks.get()
        if chunk:
            yield is_error, chunk
        else:
            still_open -= 1


if __name__ == "__main__":
    main()
