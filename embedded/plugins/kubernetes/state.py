"""What the engine keeps of an object: the live object, without what changes by itself or gives secrets away."""

from __future__ import annotations

import copy

from google.protobuf.struct_pb2 import Struct

from embedded.plugins.kubernetes.changes import is_secret
from embedded.plugins.kubernetes.secrecy import secret_paths
from embedded.plugins.kubernetes.wire import UNKNOWN, Object, Properties, encode

FIELD_MANAGER = "__fieldManager"
INITIAL_API_VERSION = "__initialApiVersion"
_GIVEN_BY_SERVER = ("creationTimestamp", "generation", "resourceVersion", "uid")
_SERVICE_GIVEN = ("clusterIP", "clusterIPs")
_NOT_DECLARED = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def outputs(live: Object, inputs: Properties, manager: str, *before: Properties) -> Struct:
    """Return the state of a live object. `before`: earlier properties whose secrets stay secret."""
    value = _lean(live, inputs.value)
    value[FIELD_MANAGER] = manager
    value[INITIAL_API_VERSION] = live["apiVersion"]
    return encode(value, secret_paths(value, inputs, *before))


def planned_outputs(dry: Object, inputs: Properties) -> Struct:
    """Return the state of an object that a dry run created: what only the real server gives is unknown."""
    value = _lean(dry, inputs.value)
    value["status"] = UNKNOWN
    value["metadata"] |= dict.fromkeys(_GIVEN_BY_SERVER, UNKNOWN)
    if value["kind"] == "Service":
        declared = inputs.value.get("spec") or {}
        spec = value["spec"]
        spec.update({key: UNKNOWN for key in _SERVICE_GIVEN if key in spec and key not in declared})
    return encode(value, secret_paths(value, inputs))


def declared(live: Object) -> Object:
    """Return an imported object as a program would declare it."""
    value = copy.deepcopy({key: item for key, item in live.items() if key != "status"})
    metadata = value["metadata"]
    for name in (*_GIVEN_BY_SERVER, "managedFields", "selfLink"):
        metadata.pop(name, None)
    annotations = metadata.get("annotations") or {}
    for name in _NOT_DECLARED:
        annotations.pop(name, None)
    if not annotations:
        metadata.pop("annotations", None)
    return value


def _lean(live: Object, inputs: Object) -> Object:
    value = copy.deepcopy(live)
    value["metadata"].pop("managedFields", None)
    if is_secret(value) and "stringData" in inputs:
        value["stringData"] = inputs["stringData"]  # write-only: the API server never returns it
    return value
