"""What goes wrong on the way to the API server, told to the user and to the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, status_pb2

from embedded.plugins.kubernetes.directives import PATCH_FORCE
from embedded.plugins.kubernetes.identity import Identity
from onprem_agents.cluster import ApiError
from onprem_agents.errors import ClusterError

_UNDECLARED = re.compile(r"(\.[\w.\[\]\"=-]+): field not declared in schema")
_CONFLICT_GUIDE = (
    "another field manager has set these fields; leave them out of the program, or set the annotation"
    f' {PATCH_FORCE}: "true" to take them over'
)


class Incomplete(ClusterError):
    """The object exists, but the operation did not reach its end; the engine keeps `properties` as its state."""

    def __init__(
        self, who: Identity, reasons: Sequence[str], properties: Struct, inputs: Struct | None = None
    ) -> None:
        self.details = provider_pb2.ErrorResourceInitFailed(
            id=who.id, properties=properties, reasons=reasons, inputs=inputs
        )
        super().__init__("; ".join(reasons))


def explain(error: ClusterError, doing: str, who: Identity) -> str:
    """Return one sentence: what could not be done to which object, the server's reason, what to change."""
    if not isinstance(error, ApiError):
        return f"could not {doing} {who}: {error}"
    unknown = _UNDECLARED.findall(error.message)
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR and unknown:
        names = ", ".join(name.removeprefix(".") for name in dict.fromkeys(unknown))
        return f"could not {doing} {who}: {names} is not a field of {who.kind} ({who.api_version}); check its spelling"
    text = f"could not {doing} {who}: {error.message} (HTTP {error.status} {error.reason})"
    return f"{text}; {_CONFLICT_GUIDE}" if is_conflict(error) else text


def exists_already(who: Identity, urn_type: str, name: str) -> str:
    """Return why an object cannot be created that is there already, and the ways out."""
    return (
        f"could not create {who}: it exists already and was not made by this resource; take it over with"
        f" `pulumi import {urn_type} {name} {who.id}`, set single fields of it with a Patch resource,"
        " choose another metadata.name, or delete it"
    )


def is_conflict(error: ClusterError) -> bool:
    """Whether server-side apply found a field that belongs to another manager."""
    return isinstance(error, ApiError) and error.status == HTTPStatus.CONFLICT and error.reason == "Conflict"


def is_missing(error: ClusterError) -> bool:
    """Whether the kind, the namespace or the object is not there."""
    return isinstance(error, ApiError) and error.status == HTTPStatus.NOT_FOUND


def abort(context: grpc.ServicerContext, message: str, details: Iterable[Incomplete] = ()) -> None:
    """End a call with an error; never returns."""
    for incomplete in details:
        wrapped = AnyMessage()
        wrapped.Pack(incomplete.details)
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[wrapped])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, message)
