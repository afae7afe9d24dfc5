"""Check: the inputs of a resource completed with name and namespace, and what is wrong with them."""

from __future__ import annotations

from typing import Any

from pulumi.runtime.proto import provider_pb2

from embedded.plugins.kubernetes import conditions
from embedded.plugins.kubernetes.identity import Identity, identify, urn_name
from embedded.plugins.kubernetes.naming import Autonaming, is_named, with_name
from embedded.plugins.kubernetes.session import Session
from embedded.plugins.kubernetes.wire import Object, decode, encode

_MODES: dict[int, Autonaming] = {0: "propose", 1: "enforce", 2: "disable"}


def check(session: Session, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
    """Answer the engine's Check."""
    news, olds = decode(request.news), decode(request.olds)
    who = identify(request.urn, news.value)
    failures = dict(_problems(who, news.value))
    body = news.value
    if not failures:
        autonaming = request.autonaming if request.HasField("autonaming") else None
        body = with_name(
            body,
            olds.value,
            urn_name=urn_name(request.urn),
            seed=request.randomSeed,
            proposal=autonaming.proposed_name if autonaming else "",
            mode=_MODES[autonaming.mode] if autonaming else "propose",
        )
        body = _with_namespace(session, who, body)
        _remember_definition(session, body)
    return provider_pb2.CheckResponse(
        inputs=encode(body, news.secrets),
        failures=[provider_pb2.CheckFailure(property=name, reason=why) for name, why in failures.items()],
    )


def for_server(session: Session, who: Identity, body: Object) -> Object:
    """Return the object as it is sent: without a namespace where the kind has none, without a status."""
    result = {key: value for key, value in body.items() if key != "status" and not key.startswith("__")}
    if session.namespaced(who) is False:
        metadata = {key: value for key, value in body["metadata"].items() if key != "namespace"}
        result["metadata"] = metadata
    return result


def scoped(session: Session, who: Identity) -> Identity:
    """Return the identity without a namespace where the kind has none, with one where it needs one."""
    namespaced = session.namespaced(who)
    namespace = "" if namespaced is False else who.namespace or (session.namespace if namespaced else "")
    return Identity(
        api_version=who.api_version, kind=who.kind, name=who.name, namespace=namespace, is_patch=who.is_patch
    )


def _problems(who: Identity, body: Object) -> list[tuple[str, str]]:
    metadata = body.get("metadata") or {}
    found = []
    if not who.api_version or not who.kind:
        found.append(("apiVersion", "apiVersion and kind must be set"))
    if not isinstance(metadata, dict):
        found.append(("metadata", f"metadata must be an object, not {type(metadata).__name__}"))
    elif not is_named(body) and metadata.get("generateName"):
        found.append(
            ("metadata.generateName", "not possible with server-side apply; leave the name out instead")
        )
    elif who.is_patch and not is_named(body):
        found.append(("metadata.name", "a Patch resource must name the object that it patches"))
    try:
        conditions.wanted(body)
    except ValueError as error:
        found.append(("metadata.annotations", str(error)))
    return found


def _with_namespace(session: Session, who: Identity, body: Object) -> Object:
    metadata: dict[str, Any] = body["metadata"]
    if metadata.get("namespace") or session.namespaced(who) is False:
        return body
    return body | {"metadata": metadata | {"namespace": session.namespace}}


def _remember_definition(session: Session, body: Object) -> None:
    if body.get("kind") != "CustomResourceDefinition":
        return
    spec = body.get("spec") or {}
    kind = (spec.get("names") or {}).get("kind")
    session.memory.scopes[str(spec.get("group")), str(kind)] = spec.get("scope") == "Namespaced"
