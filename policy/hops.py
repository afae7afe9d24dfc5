"""The hops of a request and how long each waits: contract, gateway, route, predictor, longest turn.

Only what is declared is read. A limit of zero means no limit at all: such a hop never cuts a turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onprem_agents.units import BadUnit, parse_duration

from .attachment import (
    AI_GATEWAY,
    ENVOY_GATEWAY,
    GATEWAY_API,
    is_on_gateway_of,
    policy_value,
    servers_behind,
)
from .contracts import contract_in, texts
from .entries import Limit, entries
from .gateways import Product, listeners_of
from .graph import UNKNOWN, Graph, Resource, Unknown, Value, dig, items
from .other_limits import has_snippets, limits_of_others
from .serving import Server

# What Envoy AI Gateway v1.1 gives a route without a timeout, read 2026-08.
_AI_ROUTE_DEFAULT_SECONDS = 60

# What each product gives an HTTPRoute without a timeout: Envoy Gateway v1.9.1 and kgateway 2 leave Envoy's own 15 s
# in place, Istio (on which OpenShift's Gateways run) switches it off, NGINX Gateway Fabric waits 60 s between two
# reads, Google's load balancers 30 s; read 2026-11.
_ROUTE_DEFAULT_SECONDS: Mapping[Product, float] = {
    "envoy": 15,
    "kgateway": 15,
    "agentgateway": math.inf,
    "istio": math.inf,
    "openshift": math.inf,
    "nginx": 60,
    "gke": 30,
}

# KServe v0.20.0, httproute_reconciler.go, DefaultTimeout: what a predictor without a timeout gets.
_PREDICTOR_DEFAULT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One limit on the way. `what` reads as a noun, `field` is where it stands; math.inf is no limit."""

    what: str
    resource: Resource
    field: str
    seconds: float | Unknown
    unreadable: str | None = None
    """The text when it is no duration."""
    by_default: bool = False
    """Whether nobody wrote it: it is what the gateway does by itself."""
    silence: bool = False
    """Whether it bounds the pauses in an answer alone."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """All limits of one route rule, outermost level first; each level may hold several hops, or none."""

    levels: tuple[tuple[Hop, ...], ...]


def ways(graph: Graph, servers: Sequence[Server]) -> Iterator[Way]:
    """Return the ways on which requests reach the servers."""
    clients, turns = _contract(graph)
    behind = {server.resource.urn: _predictor(server) for server in servers}
    routes = [*graph.of_kind(GATEWAY_API, "HTTPRoute"), *graph.of_kind(AI_GATEWAY, "AIGatewayRoute")]
    for route in routes:
        for rule in items(dig(route.props, "spec", "rules")):
            reached = servers_behind(graph, route, rule, servers)
            if reached:
                levels = (
                    clients,
                    tuple(_gateway(graph, route, rule)),
                    tuple(_route(graph, route, rule)),
                    tuple(behind[server.resource.urn] for server in reached),
                    turns,
                )
                yield Way(levels=levels)
    others = entries(graph)
    for entry in others:
        hops = tuple(_of_entry(entry.resource, limit) for limit in entry.limits)
        yield Way(
            levels=(clients, (), hops, tuple(behind[each.resource.urn] for each in entry.servers), turns)
        )
    if not routes and not others:
        for hop in behind.values():
            yield Way(levels=(clients, (), (), (hop,), turns))


def _hop(what: str, resource: Resource, field: str, value: Value) -> Hop:
    if value is UNKNOWN:
        return Hop(what=what, resource=resource, field=field, seconds=UNKNOWN)
    try:
        seconds = float(value) if isinstance(value, int | float) else parse_duration(str(value))
    except BadUnit:
        return Hop(what=what, resource=resource, field=field, seconds=math.inf, unreadable=str(value))
    return Hop(what=what, resource=resource, field=field, seconds=seconds or math.inf)


def _of_entry(resource: Resource, limit: Limit) -> Hop:
    hop = _hop(limit.what, resource, limit.field, limit.value)
    return replace(hop, by_default=limit.by_default, silence=limit.silence)


def _predictor(server: Server) -> Hop:
    given = server.timeout_seconds
    what = "the predictor's timeout" if given is not None else "the predictor's timeout (KServe's default)"
    value = _PREDICTOR_DEFAULT_SECONDS if given is None else given
    return _hop(what, server.resource, "spec.predictor.timeout", value)


def _route(graph: Graph, route: Resource, rule: Value) -> Iterator[Hop]:
    """Yield what bounds a request at the route. In Envoy Gateway the route's own limit beats a policy's."""
    backend = dig(rule, "timeouts", "backendRequest") if dig(rule, "retry") is None else None
    request = dig(rule, "timeouts", "request")
    policy, from_policy = policy_value(graph, route, rule, ("timeout", "http", "requestTimeout"))
    if backend is not None:
        yield _hop("the route's backend timeout", route, "timeouts.backendRequest", backend)
    elif request is not None:
        yield _hop("the route's timeout", route, "timeouts.request", request)
    elif policy is not None:
        yield _hop("the policy's request timeout", policy, "timeout.http.requestTimeout", from_policy)
    else:
        others = list(limits_of_others(graph, route, rule))
        for other, field, value in others:
            yield _hop("the policy's request timeout", other, field, value)
        default = None if others or has_snippets(graph, rule) else default_seconds(graph, route)
        if default is not None:
            what = "the gateway's default for a route without timeout"
            yield replace(_hop(what, route, "timeouts.request", default), by_default=True)
    policy, each_try = policy_value(graph, route, rule, ("retry", "perRetry", "timeout"))
    if policy is not None:
        yield _hop("the limit of each try", policy, "retry.perRetry.timeout", each_try)


def default_seconds(graph: Graph, route: Resource) -> float | None:
    """Return what a route without a timeout gets from its gateway, the least of several; None where nothing tells."""
    if route.kind == "AIGatewayRoute":
        return _AI_ROUTE_DEFAULT_SECONDS
    products = {listener.product for listener in listeners_of(graph, route)}
    found = [_ROUTE_DEFAULT_SECONDS[product] for product in products if product is not None]
    return min(found, default=None)


def limits_nothing_itself(graph: Graph, route: Resource, rule: Value) -> bool:
    """Whether neither a rule nor a policy on it bounds a request, so that its gateway's default does."""
    own = dig(rule, "timeouts", "request"), dig(rule, "timeouts", "backendRequest")
    policy, _ = policy_value(graph, route, rule, ("timeout", "http", "requestTimeout"))
    return own == (None, None) and policy is None


def _gateway(graph: Graph, route: Resource, rule: Value) -> Iterator[Hop]:
    """Yield what bounds a stream at the gateway: its whole length, and silence within it."""
    policy, value = policy_value(graph, route, rule, ("timeout", "http", "maxStreamDuration"))
    if policy is not None:
        yield _hop("the longest stream", policy, "timeout.http.maxStreamDuration", value)
    idle = ("timeout", "http", "streamIdleTimeout")
    policy, value = policy_value(graph, route, rule, idle)
    for client_policy in graph.of_kind(ENVOY_GATEWAY, "ClientTrafficPolicy"):
        if not is_on_gateway_of(client_policy, route):
            continue
        of_listener = dig(client_policy.props, "spec", *idle)
        if policy is None and of_listener is not None:  # the route's own idle limit replaces the listener's
            yield _hop("the silence allowed in a stream", client_policy, ".".join(idle), of_listener)
        connection = ("connection", "connectionLimit", "maxStreamDuration")
        longest = dig(client_policy.props, "spec", *connection)
        if longest is not None:
            yield _hop("the longest stream", client_policy, ".".join(connection), longest)
    if policy is not None:
        yield _hop("the silence allowed in a stream", policy, ".".join(idle), value)


def _contract(graph: Graph) -> tuple[tuple[Hop, ...], tuple[Hop, ...]]:
    """Return what published connection contracts tell clients to wait, and the longest turns they promise."""
    clients: list[Hop] = []
    turns: list[Hop] = []
    for resource, text in texts(graph):
        timeouts = _timeouts_in(text)
        for key, what, found in (
            ("clientTimeoutSeconds", "the wait of the clients", clients),
            ("streamIdleSeconds", "the silence that clients bear", clients),
            ("longestTurnSeconds", "the longest turn", turns),
        ):
            value = timeouts.get(key)
            if isinstance(value, int | float):
                found.append(_hop(what, resource, f"timeouts.{key}", value))
    return tuple(clients), tuple(turns)


def _timeouts_in(text: str) -> dict[str, Any]:
    timeouts = contract_in(text, "clientTimeoutSeconds").get("timeouts")
    return timeouts if isinstance(timeouts, dict) else {}
