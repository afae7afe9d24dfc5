"""Create, Update and Delete: what changes the cluster, each with its preview and its wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2

from embedded.plugins.kubernetes import conditions, directives, ownership, readiness, state
from embedded.plugins.kubernetes.failures import Incomplete, exists_already, explain, is_missing
from embedded.plugins.kubernetes.identity import Identity, identify, urn_name, urn_type
from embedded.plugins.kubernetes.paths import MISSING, look_up, parse, put
from embedded.plugins.kubernetes.preparing import for_server, scoped
from embedded.plugins.kubernetes.secrecy import redact, secret_texts
from embedded.plugins.kubernetes.session import Session
from embedded.plugins.kubernetes.waiting import NotReached
from embedded.plugins.kubernetes.wire import Object, Properties, decode, encode, has_unknowns
from onprem_agents.cluster import ApiError
from onprem_agents.errors import ClusterError

# A program may create a namespace or a definition and what goes into it without saying that one needs the
# other; the official provider retries for about half a minute.
_MISSING_PAUSES_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
# Kinds that `skipAwait` lets go without waiting for their end (pulumi-kubernetes 4.34).
_MAY_SKIP_END = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
# What the API server says of a webhook with side effects.
_NO_DRY_RUN = "does not support dry run"


def create(session: Session, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
    """Create an object and wait until it is ready. Raises ClusterError, Incomplete once it exists."""
    session.stop_if_cancelled()
    inputs = decode(request.properties)
    who = scoped(session, identify(request.urn, inputs.value))
    manager = directives.field_manager(inputs.value, request.urn)
    if request.preview:
        planned = _planned_creation(session, request.urn, who, inputs, manager)
        return provider_pb2.CreateResponse(properties=planned)
    waiter = session.waiter(request.urn, secret_texts(inputs))
    limit = directives.timeout_seconds(inputs.value, request.timeout)

    def attempt() -> Object:
        existing = session.find(who)
        if existing and existing["metadata"].get("deletionTimestamp") and not who.is_patch:
            waiter.tell(f"waiting for the former {who} to be gone")
            waiter.until_gone(who, existing["metadata"]["uid"], limit)
            existing = None
        _may_write(session, request.urn, who, existing, manager)
        return _apply(session, who, inputs, manager)

    try:
        live = _despite_missing(waiter.pause, waiter.tell, attempt, limit)
    except NotReached:
        raise
    except ClusterError as error:
        raise _failed(error, "create", who, inputs) from error
    session.memory.uids[request.urn] = live["metadata"]["uid"]
    live = _until_ready(session, request.urn, who, inputs, live, manager, limit)
    return provider_pb2.CreateResponse(id=who.id, properties=state.outputs(live, inputs, manager))


def update(session: Session, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
    """Change an object in place and wait until it is ready again. Raises ClusterError, Incomplete."""
    session.stop_if_cancelled()
    inputs, olds = decode(request.news), decode(request.olds)
    who = scoped(session, identify(request.urn, inputs.value, request.id))
    remembered = str(olds.value.get(state.FIELD_MANAGER) or "")
    manager = directives.field_manager(inputs.value, request.urn, remembered)
    if request.preview and (has_unknowns(inputs.value) or not session.served(who)):
        return provider_pb2.UpdateResponse(properties=request.news)
    try:
        live = session.find(who)
        body = _with_ignored(inputs, live, tuple(request.ignoreChanges))
        if request.preview:
            dry = _apply(
                session, who, body, manager, dry_run=True, force=bool(live and ownership.to_take_over(live))
            )
            return provider_pb2.UpdateResponse(properties=state.outputs(dry, inputs, manager, olds))
        if who.is_patch:
            _may_write(session, request.urn, who, live, manager)
        elif live is None:
            session.engine.warn(
                request.urn, f"{who} had been deleted outside of this stack; it is created again"
            )
        else:
            _take_over(session, who, live, manager)
        live = _apply(session, who, body, manager)
        if remembered and remembered != manager:
            _relinquish(session, who, remembered)
    except ClusterError as error:
        if request.preview and isinstance(error, ApiError) and error.status == HTTPStatus.FORBIDDEN:
            return provider_pb2.UpdateResponse(properties=request.news)
        raise _failed(error, "update", who, inputs) from error
    limit = directives.timeout_seconds(inputs.value, request.timeout)
    live = _until_ready(session, request.urn, who, inputs, live, manager, limit)
    return provider_pb2.UpdateResponse(properties=state.outputs(live, inputs, manager, olds))


def delete(session: Session, request: provider_pb2.DeleteRequest) -> None:
    """Delete an object and wait until it is gone; a patch only gives its fields back. Raises ClusterError."""
    session.stop_if_cancelled()
    olds, inputs = decode(request.properties), decode(request.old_inputs)
    body = inputs.value or olds.value
    who = identify(request.urn, body, request.id)
    try:
        live = session.find(who)  # None also when the kind itself is gone
        if live is None or live["metadata"]["uid"] in session.memory.taken_over:
            return
        if who.is_patch:
            remembered = str(olds.value.get(state.FIELD_MANAGER) or "")
            _relinquish(session, who, directives.field_manager(body, request.urn, remembered))
            return
        namespace = who.namespace or None
        policy = directives.propagation(body)
        session.client.delete(who.api_version, who.kind, who.name, namespace, propagation=policy)
        if directives.is_set(body, directives.SKIP_AWAIT) and who.kind in _MAY_SKIP_END:
            return
        limit = directives.timeout_seconds(body, request.timeout)
        session.waiter(request.urn, ()).until_gone(who, live["metadata"]["uid"], limit)
    except ClusterError as error:
        if is_missing(error) or session.gives_up(request.urn, error):
            return
        raise _failed(error, "delete", who, inputs) from error


def _planned_creation(session: Session, urn: str, who: Identity, inputs: Properties, manager: str) -> Struct:
    as_declared = encode(inputs.value, inputs.secrets)
    if has_unknowns(inputs.value) or not session.served(who) or who.is_patch:
        return as_declared
    existing = session.find(who)
    if existing:
        expected = urn in session.memory.replaced or ownership.applied_by(existing, manager)
        if not expected and not session.settings.upsert:
            session.engine.warn(urn, exists_already(who, urn_type(urn), urn_name(urn)))
        return as_declared
    try:
        dry = _apply(session, who, inputs, manager, dry_run=True, force=True)
    except ApiError as error:
        if is_missing(error) or error.status == HTTPStatus.FORBIDDEN or _NO_DRY_RUN in error.message:
            return as_declared
        raise _failed(error, "create", who, inputs) from error
    return state.planned_outputs(dry, inputs)


def _may_write(session: Session, urn: str, who: Identity, existing: Object | None, manager: str) -> None:
    """Raise ClusterError when the object is not for this resource to create."""
    if who.is_patch:
        if existing is None:
            raise ClusterError(f"there is no {who} to patch")
        return
    if existing is None or session.settings.upsert:
        return
    uid = existing["metadata"]["uid"]
    # An interrupted run leaves an object that bears our mark and that the state does not know.
    if not ownership.applied_by(existing, manager) or session.memory.uids.get(urn) == uid:
        raise FileExistsError(exists_already(who, urn_type(urn), urn_name(urn)))
    session.memory.taken_over.add(uid)
    session.engine.info(urn, f"{who} was left by an interrupted run of this stack; it is taken over")


def _apply(
    session: Session,
    who: Identity,
    inputs: Properties,
    manager: str,
    *,
    dry_run: bool = False,
    force: bool = False,
) -> Object:
    body = for_server(session, who, inputs.value)
    forced = force or session.settings.patch_force or directives.is_set(body, directives.PATCH_FORCE)
    return session.client.apply(body, field_manager=manager, force=forced, dry_run=dry_run)


def _take_over(session: Session, who: Identity, live: Object, manager: str) -> None:
    if ownership.to_take_over(live):
        patch = ownership.taken_over(live, manager)
        namespace = who.namespace or None
        session.client.patch(who.api_version, who.kind, who.name, patch, namespace, patch_type="json")


def _relinquish(session: Session, who: Identity, manager: str) -> None:
    """Give back every field that `manager` owns: what nobody else owns is removed or gets its default."""
    metadata = {"name": who.name} | ({"namespace": who.namespace} if who.namespace else {})
    body = {"apiVersion": who.api_version, "kind": who.kind, "metadata": metadata}
    session.client.apply(body, field_manager=manager, force=True)


def _with_ignored(inputs: Properties, live: Object | None, ignored: tuple[str, ...]) -> Properties:
    """Return the inputs with the live value wherever the program ignores changes, so that nothing conflicts."""
    if not ignored or live is None:
        return inputs
    value = decode(encode(inputs.value)).value
    for path in map(parse, ignored):
        found = look_up(live, path)
        if found is not MISSING and look_up(value, path) is not MISSING:
            put(value, path, found)
    return Properties(value=value, secrets=inputs.secrets)


def _until_ready(
    session: Session, urn: str, who: Identity, inputs: Properties, live: Object, manager: str, limit: float
) -> Object:
    if directives.is_set(inputs.value, directives.SKIP_AWAIT):
        return live
    wanted = conditions.wanted(inputs.value)
    if not wanted and not readiness.has_rule(who.api_version, who.kind):
        return live
    texts = secret_texts(inputs)
    waiter = session.waiter(urn, texts)
    try:
        ready = waiter.until_ready(who, live, wanted, limit)
    except NotReached as error:
        known = error.live or live
        reasons = [redact(reason, texts) for reason in error.reasons]
        raise Incomplete(who, reasons, state.outputs(known, inputs, manager)) from error
    waiter.tell("")
    return ready


def _despite_missing(
    pause: Callable[[float], bool], tell: Callable[[str], None], attempt: Callable[[], Object], limit: float
) -> Object:
    """Try again for a while when the kind or the namespace is not there yet."""
    started = time.monotonic()
    for seconds in _MISSING_PAUSES_SECONDS:
        try:
            return attempt()
        except ApiError as error:
            if not is_missing(error) or time.monotonic() - started + seconds > limit:
                raise
            tell(f"waiting: {error.message}")
            if pause(seconds):
                raise
    return attempt()


def _failed(error: ClusterError, doing: str, who: Identity, inputs: Properties) -> ClusterError:
    return ClusterError(redact(explain(error, doing, who), secret_texts(inputs)))
