"""The gRPC face of the provider, and its start."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from embedded.plugins import hosting
from embedded.plugins.kubernetes import NAME, diffing, preparing, reading, writing
from embedded.plugins.kubernetes.engine import Engine
from embedded.plugins.kubernetes.failures import Incomplete, abort
from embedded.plugins.kubernetes.session import Session
from embedded.plugins.kubernetes.settings import Settings, refusals
from embedded.plugins.kubernetes.wire import Object, decode
from onprem_agents.errors import OnpremError

Answer = TypeVar("Answer")


def stand_in_version() -> str:
    """Return the version of the SDK that is served, marked as a stand-in's in semver's own way."""
    return f"{version('pulumi-kubernetes')}+stand-in"


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine; one process serves one provider of the stack."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cancelled = threading.Event()
        self._session: Session | None = None

    def Handshake(  # noqa: N802
        self, _request: provider_pb2.ProviderHandshakeRequest, _context: grpc.ServicerContext
    ) -> Any:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def GetPluginInfo(self, _request: Empty, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=stand_in_version())

    def CheckConfig(self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        failures = [
            provider_pb2.CheckFailure(property=name, reason=why)
            for name, why in refusals(decode(request.news).value).items()
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        olds, news = decode(request.olds).value, decode(request.news).value
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=_other_cluster(olds, news, changed),
        )

    def Configure(self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        def configure() -> provider_pb2.ConfigureResponse:
            values = decode(request.args).value or {
                name.rpartition(":")[2]: value for name, value in request.variables.items()
            }
            settings = Settings.read(values)
            client = settings.connect()
            self._session = Session(
                settings=settings, client=client, engine=self._engine, cancelled=self._cancelled
            )
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
            )

        return _answer(context, configure)

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return _answer(context, lambda: preparing.check(self._configured(), request))

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return _answer(context, lambda: diffing.diff(self._configured(), request))

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return _answer(context, lambda: writing.create(self._configured(), request))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return _answer(context, lambda: reading.read(self._configured(), request))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return _answer(context, lambda: writing.update(self._configured(), request))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        def delete() -> Empty:
            writing.delete(self._configured(), request)
            return Empty()

        return _answer(context, delete)

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        self._cancelled.set()
        return Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        abort(
            context,
            f"this stand-in for the Kubernetes provider has no functions, so not {request.tok} either",
        )

    def _configured(self) -> Session:
        if self._session is None:
            raise OnpremError("the Kubernetes provider was not configured")
        return self._session


def main() -> None:
    """Serve the engine whose address is the last argument, or print the version."""
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{NAME} {stand_in_version()}\n")
        return
    engine = Engine(hosting.engine_address(sys.argv[1:]))
    hosting.serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(engine), server)
    )


def _answer(context: grpc.ServicerContext, call: Callable[[], Answer]) -> Answer:
    """Run one call; an error ends it with a sentence, one after which the object exists with its state too."""
    try:
        return call()
    except Incomplete as error:
        abort(context, str(error), [error])
    except (OnpremError, ValueError, FileExistsError) as error:
        abort(context, str(error))
    except Exception as error:  # noqa: BLE001  # the engine must get an answer, whatever happened
        traceback.print_exc()
        abort(context, f"the stand-in for the Kubernetes provider failed: {type(error).__name__}: {error}")
    raise AssertionError("abort always raises")


def _other_cluster(olds: Object, news: Object, changed: list[str]) -> list[str]:
    """Return the settings whose change means another cluster, so that everything in it must be made anew."""
    if "clusterIdentifier" in changed and "clusterIdentifier" in olds and "clusterIdentifier" in news:
        return ["clusterIdentifier"]
    if "clusterIdentifier" in olds and "clusterIdentifier" in news:
        return []
    before, after = _address(olds), _address(news)
    if not before or not after or before == after:
        return []
    return [name for name in ("kubeconfig", "context", "cluster") if name in changed]


def _address(values: Object) -> str:
    """Return the API server's address that a configuration leads to, empty when it cannot be read (any more)."""
    try:
        return Settings.read(values).connect().url
    except OnpremError:
        return ""
