"""Diff: what an update would change, and whether it must replace the object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from pulumi.runtime.proto import provider_pb2

from embedded.plugins.kubernetes import directives, immutable, readiness, state
from embedded.plugins.kubernetes.changes import Change, comparable, compare, is_secret, without_effect
from embedded.plugins.kubernetes.identity import Identity, identify
from embedded.plugins.kubernetes.paths import Path, parse, spell
from embedded.plugins.kubernetes.preparing import for_server, scoped
from embedded.plugins.kubernetes.session import Session
from embedded.plugins.kubernetes.wire import Object, decode, has_unknowns
from onprem_agents.cluster import ApiError
from onprem_agents.errors import ClusterError

_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


@dataclass(frozen=True, kw_only=True)
class _DryRun:
    """What the API server would make of the new inputs; or the fields that it refuses to change."""

    result: Object | None = None
    refused: tuple[Path, ...] = ()


def diff(session: Session, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
    """Answer the engine's Diff; asks the API server only when the inputs differ."""
    old_inputs, news, olds = (decode(part).value for part in (request.old_inputs, request.news, request.olds))
    if uid := (olds.get("metadata") or {}).get("uid"):
        session.memory.uids[request.urn] = uid
    who = scoped(session, identify(request.urn, old_inputs or olds, request.id))
    target = scoped(session, identify(request.urn, news))
    before, after = _scoped_body(old_inputs, who), _scoped_body(news, target)
    ignored = [parse(path) for path in request.ignoreChanges]
    changes = [change for change in compare(before, after) if not _below(ignored, change.path)]
    dry = _DryRun()
    same_object = (who.group, who.kind, who.id) == (target.group, target.kind, target.id)
    if changes and same_object and not has_unknowns(news):
        manager = directives.field_manager(news, request.urn, str(olds.get(state.FIELD_MANAGER) or ""))
        dry = _dry_run(session, target, news, manager)
        if dry.result is not None:
            live, planned = comparable(olds), comparable(dry.result)
            changes = [change for change in changes if not without_effect(change, live, planned)]
    replacing = _replacing_fields(session, who, target, news, dry)
    details = {_spelled(change, news, old_inputs): _property_diff(change, replacing) for change in changes}
    replaces = [path for path, detail in details.items() if detail.kind in _REPLACE_KINDS]
    if _must_renew(session, who, news):
        replaces.append(f'metadata.annotations["{directives.REPLACE_UNREADY}"]')
    if replaces:
        session.memory.replaced.add(request.urn)
    renamed = directives.is_set(news, directives.AUTONAMED)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME
        if details or replaces
        else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=replaces,
        diffs=sorted({str(parse(path)[0]) for path in (*details, *replaces)}),
        detailedDiff=details,
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(replaces) and not renamed and target.id == who.id,
    )


_REPLACE_KINDS = frozenset(kind for (_, replaces), kind in _KINDS.items() if replaces)


def _scoped_body(body: Object, who: Identity) -> Object:
    """Return what counts of an object, with the namespace that it really has."""
    result = comparable(body)
    metadata = {key: value for key, value in (result.get("metadata") or {}).items() if key != "namespace"}
    return result | {"metadata": metadata | ({"namespace": who.namespace} if who.namespace else {})}


def _dry_run(session: Session, who: Identity, news: Object, manager: str) -> _DryRun:
    try:
        body = for_server(session, who, news)
        return _DryRun(result=session.client.apply(body, field_manager=manager, force=True, dry_run=True))
    except ApiError as error:
        refused = (
            immutable.refused_fields(error.message) if error.status == HTTPStatus.UNPROCESSABLE_ENTITY else ()
        )
        return _DryRun(refused=tuple(map(parse, refused)))
    except ClusterError:
        return _DryRun()


def _replacing_fields(
    session: Session, who: Identity, target: Identity, news: Object, dry: _DryRun
) -> tuple[Path, ...]:
    if target.is_patch:
        return (("metadata", "name"), ("metadata", "namespace"))
    known = tuple(map(parse, immutable.fields(news, target.group, session.settings)))
    other_group: tuple[Path, ...] = (("apiVersion",),) if who.group != target.group else ()
    return (*known, *other_group, *dry.refused)


def _property_diff(change: Change, replacing: Iterable[Path]) -> provider_pb2.PropertyDiff:
    replaces = immutable.covers(replacing, change.path)
    return provider_pb2.PropertyDiff(kind=_KINDS[change.kind, replaces], inputDiff=True)


def _spelled(change: Change, news: Object, old_inputs: Object) -> str:
    """Return the path of a change in the spelling of the program: `stringData` where that was used."""
    path = change.path
    if is_secret(news) and len(path) > 1 and path[0] == "data":
        written = [body.get("stringData") or {} for body in (news, old_inputs)]
        if any(path[1] in keys for keys in written):
            path = ("stringData", *path[1:])
    return spell(path)


def _below(prefixes: Iterable[Path], path: Path) -> bool:
    return any(path[: len(prefix)] == prefix for prefix in prefixes)


def _must_renew(session: Session, who: Identity, news: Object) -> bool:
    """Whether the program wants a Job that is not complete to be replaced, and it is not."""
    if who.kind != "Job" or not directives.is_set(news, directives.REPLACE_UNREADY):
        return False
    live = session.find(who)
    if live is None:
        return False
    try:
        ready, _ = readiness.check(live, readiness.Surroundings(client=session.client))
    except readiness.NeverReady:
        return True
    return not ready
