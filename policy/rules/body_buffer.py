"""bodies-fit-the-buffer: a full context is a body that some gateways refuse to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from onprem_agents.units import BadUnit, parse_quantity

from ..attachment import ENVOY_GATEWAY, policy_value, targets_of
from ..entries import entries, nginx_setting
from ..gateways import Listener
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..known import model_of
from ..openings import Opening, openings
from ..serving import Server

# Envoy Gateway v1.9.1, ClientTrafficPolicy `connection.bufferLimit`; with a filter that holds the body 30 kB passed
# and 40 kB ended in 413 (run 2026-11).
_DEFAULT_BYTES = 32_768
# English and code as agents send them, in JSON: 150,000 tokens were 650 kB (run 2026-11).
_BYTES_OF_A_TOKEN = 4
_NGINX_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def bodies_fit_the_buffer(graph: Graph) -> list[Violation]:
    """Where a gateway holds bodies, as the AI gateway does, its buffer takes a full context at 4 bytes a token.

    Read are ClientTrafficPolicy `connection.bufferLimit` (Envoy Gateway's default 32 KiB), BackendTrafficPolicy
    `requestBuffer.limit` and nginx's `proxy-body-size` (1m without one). The context is `--max-model-len`; without one
    Envoy Gateway is judged by its default alone, nginx by what the model is made for. Needs literals: a limit that is
    only known at run time is a violation.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for violation in _violations(graph, opening):
            found.setdefault(violation.told, violation)
    for violation in _of_nginx(graph):
        found.setdefault(violation.told, violation)
    return list(found.values())


def _of_nginx(graph: Graph) -> Iterator[Violation]:
    for entry in entries(graph):
        needed = _needed_bytes(entry.servers, by_default=True)
        if entry.product != "nginx" or not needed:
            continue
        value, field = nginx_setting(graph, entry.resource, "proxy-body-size", "client-max-body-size")
        if value is UNKNOWN:
            message = (
                f"{entry.resource} limits bodies to a size that is only known at run time, so nothing proves that a"
                " full context fits."
            )
        else:
            limit = "1m" if value is None else str(value)
            size = _nginx_bytes(limit)
            if size is None or not 0 < size <= needed:
                continue
            default = " (its default)" if value is None else ""
            message = (
                f"{entry.resource} lets nginx refuse bodies above {limit}{default}, but a full context is about"
                f" {needed:,} bytes: such turns end in 413."
            )
        change = f"Set {field} to {_wish(needed).removesuffix('i').lower()}."
        yield Violation(resource=entry.resource, message=message, change=change)


def _nginx_bytes(text: str) -> int | None:
    """Return a size as nginx writes it in bytes, None for what it does not take."""
    found = re.fullmatch(r"(\d+)([kmg]?)", text.strip().lower())
    return None if found is None else int(found[1]) * _NGINX_UNITS[found[2]]


def _violations(graph: Graph, opening: Opening) -> Iterator[Violation]:
    needed = _needed_bytes(opening.servers)
    policy, held = policy_value(graph, opening.route, opening.rule, ("requestBuffer", "limit"))
    if policy is not None:
        yield from _too_small(policy, "requestBuffer.limit", held, needed)
    if policy is not None or not _is_held(graph, opening):
        return
    for listener in opening.listeners:
        if listener.gateway is None or listener.product != "envoy":
            continue
        client = _client_policy(graph, listener)
        limit = None if client is None else dig(client.props, "spec", "connection", "bufferLimit")
        if client is not None and limit is not None:
            yield from _too_small(client, "connection.bufferLimit", limit, needed)
        elif needed > _DEFAULT_BYTES or not needed:
            message = (
                f"{listener.gateway} holds the bodies of {opening.route} in Envoy Gateway's 32 KiB: longer prompts,"
                " as agents send them with every turn, end in 413."
            )
            change = f"Set connection.bufferLimit to {_wish(needed)} in a ClientTrafficPolicy on it."
            yield Violation(resource=listener.gateway, message=message, change=change)


def _too_small(policy: Resource, field: str, limit: Value, needed: int) -> Iterator[Violation]:
    if limit is UNKNOWN:
        message = (
            f"{policy} gives {field} a value that is only known at run time, so nothing proves that a full context"
            " fits."
        )
        yield Violation(resource=policy, message=message, change=f"Write {_wish(needed)} or more as {field}.")
        return
    try:
        size = int(parse_quantity(str(limit)))
    except BadUnit:
        return  # the API server refuses it
    if size < max(needed, _DEFAULT_BYTES + 1):
        message = (
            f"{policy} limits bodies to {limit} ({field}), but a full context is about {needed:,} bytes: such turns"
            " end in 413."
        )
        yield Violation(resource=policy, message=message, change=f"Set {field} to {_wish(needed)} or more.")


def _wish(needed: int) -> str:
    """Return a round limit that takes what is needed, 8Mi at the least."""
    return f"{max(8, -(-needed // 1024**2))}Mi"


def _needed_bytes(servers: Sequence[Server], *, by_default: bool = False) -> int:
    """Return the bytes of a full context, 0 where nothing tells it; `by_default` takes the model's own without one."""
    lengths = [server.parsed.read("max_model_len") for server in servers]
    if by_default:
        known = [
            model_of(server)
            for server, length in zip(servers, lengths, strict=True)
            if length is None and not server.unseen
        ]
        lengths += [each.model.architecture.max_context_tokens for each in known if each is not None]
    return max((length for length in lengths if isinstance(length, int)), default=0) * _BYTES_OF_A_TOKEN


def _is_held(graph: Graph, opening: Opening) -> bool:
    """Whether something at the gateway reads whole bodies: the AI gateway, a Lua script, Wasm or a processor."""
    if opening.route.kind == "AIGatewayRoute":
        return True
    for policy in graph.of_kind(ENVOY_GATEWAY, "EnvoyExtensionPolicy"):
        targets = items(dig(policy.props, "spec", "targetRefs"))
        named = any(dig(target, "name") == opening.route.object_name for target in targets)
        if named and policy.namespace == opening.route.namespace and _reads_bodies(policy):
            return True
    return False


def _reads_bodies(policy: Resource) -> bool:
    scripts = [dig(entry, "inline") for entry in items(dig(policy.props, "spec", "lua"))]
    modes = [
        dig(entry, "processingMode", "request", "body")
        for entry in items(dig(policy.props, "spec", "extProc"))
    ]
    return any(":body()" in str(script) for script in scripts) or "Buffered" in modes


def _client_policy(graph: Graph, listener: Listener) -> Resource | None:
    """Return the ClientTrafficPolicy on a listener: its own, or that of its Gateway."""
    whole = None
    for policy in graph.of_kind(ENVOY_GATEWAY, "ClientTrafficPolicy"):
        for target in targets_of(policy):
            if dig(target, "name") in (listener.parent, UNKNOWN) and policy.namespace == listener.namespace:
                if dig(target, "sectionName") == listener.section:
                    return policy
                whole = policy if dig(target, "sectionName") is None else whole
        if any(dig(one, "kind") == "Gateway" for one in items(dig(policy.props, "spec", "targetSelectors"))):
            whole = whole or policy
    return whole
