"""Read: an object as it is now, for `refresh`, imports and `get`."""

from __future__ import annotations

import base64

from pulumi.runtime.proto import provider_pb2

from embedded.plugins.kubernetes import directives, readiness, state
from embedded.plugins.kubernetes.changes import as_found, comparable, encoded, is_secret
from embedded.plugins.kubernetes.failures import Incomplete, explain
from embedded.plugins.kubernetes.identity import Identity, identify
from embedded.plugins.kubernetes.paths import MISSING
from embedded.plugins.kubernetes.preparing import for_server, scoped
from embedded.plugins.kubernetes.secrecy import secret_paths
from embedded.plugins.kubernetes.session import Session
from embedded.plugins.kubernetes.wire import Object, Properties, decode, encode
from onprem_agents.cluster import ApiError
from onprem_agents.errors import ClusterError

# Kinds whose health a refresh reports (pulumi-kubernetes 4.34).
_HEALTH_REPORTED = frozenset({"DaemonSet", "Deployment", "Ingress", "Job", "Pod", "Service", "StatefulSet"})


def read(session: Session, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
    """Return the live object, with the declared inputs as they are found; no id when it is gone."""
    inputs, olds = decode(request.inputs), decode(request.properties)
    who = identify(request.urn, inputs.value or olds.value, request.id)
    try:
        who = scoped(session, who)
        live = session.find(who)
        if live is None:
            return provider_pb2.ReadResponse()
        found = (
            _found_inputs(session, who, inputs, live, olds, request.urn)
            if inputs.value
            else _imported_inputs(live)
        )
    except ClusterError as error:
        if session.gives_up(request.urn, error):
            return provider_pb2.ReadResponse()
        raise ClusterError(explain(error, "read", who)) from error
    remembered = str(olds.value.get(state.FIELD_MANAGER) or "")
    manager = directives.field_manager(found.value, request.urn, remembered)
    properties = state.outputs(live, found, manager, inputs, olds)
    new_inputs = encode(found.value, found.secrets)
    if inputs.value and (reason := _illness(session, who, inputs.value, live)):
        raise Incomplete(who, [reason], properties, new_inputs)
    return provider_pb2.ReadResponse(id=who.id, properties=properties, inputs=new_inputs)


def _imported_inputs(live: Object) -> Properties:
    value = state.declared(live)
    return Properties(value=value, secrets=secret_paths(value))


def _found_inputs(
    session: Session, who: Identity, inputs: Properties, live: Object, olds: Properties, urn: str
) -> Properties:
    """Return the declared inputs as they are on the server now, drift included."""
    remembered = str(olds.value.get(state.FIELD_MANAGER) or "")
    wanted = _wanted(session, who, inputs, directives.field_manager(inputs.value, urn, remembered))
    value = as_found(inputs.value, wanted, live)
    if is_secret(live) and isinstance(inputs.value.get("stringData"), dict):
        value["stringData"] = _string_data_as_found(inputs.value["stringData"], live.get("data") or {})
    metadata = value["metadata"]
    if who.namespace == "" and "namespace" in inputs.value["metadata"]:
        metadata["namespace"] = inputs.value["metadata"]["namespace"]
    return Properties(value=value, secrets=secret_paths(value, inputs, olds))


def _wanted(session: Session, who: Identity, inputs: Properties, manager: str) -> Object:
    """Return what the server would make of the inputs now; the inputs themselves where it cannot say."""
    try:
        body = for_server(session, who, inputs.value)
        return session.client.apply(body, field_manager=manager, force=True, dry_run=True)
    except ApiError:
        return comparable(inputs.value)


def _string_data_as_found(string_data: Object, live: Object) -> Object:
    found = {}
    for key, value in encoded(string_data).items():
        there = live.get(key, MISSING)
        if there == value:
            found[key] = string_data[key]
        elif there is not MISSING:
            found[key] = base64.b64decode(there).decode(errors="replace")
    return found


def _illness(session: Session, who: Identity, body: Object, live: Object) -> str:
    """Return why a declared object does not work, empty when it does or when nobody waits for it."""
    if who.is_patch or who.kind not in _HEALTH_REPORTED or directives.is_set(body, directives.SKIP_AWAIT):
        return ""
    if directives.annotation(body, directives.WAIT_FOR):
        return ""
    around = readiness.Surroundings(client=session.client)
    try:
        ready, why = readiness.check(live, around)
    except readiness.NeverReady as error:
        return f"{who}: {error}"
    return "" if ready else "; ".join([f"{who}: {why}", *around.pod_troubles(live)])
