"""Openings: where a route leads to a model server, on which listener, and past which check of keys.

Sources: Envoy Gateway v1.9.1 (SecurityPolicy: that of a route takes the whole place of that of its Gateway, that of a
listener of that of all; both only in the namespace of what they are on), vLLM 0.33 (`--api-key` guards /v1, /v2,
/inference and /cohere alone), both read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .attachment import (
    AI_GATEWAY,
    ENVOY_GATEWAY,
    GATEWAY_API,
    backend_hosts,
    servers_behind,
    servers_named,
    targets_of,
)
from .gateways import Listener, listeners_of
from .graph import UNKNOWN, Graph, Resource, Value, dig, items, may_equal, once
from .hosted import is_hosted
from .pods import Pod, is_proxy, pods
from .services import selects, services
from .serving import Server, servers

Guard = Literal["checked", "open", "unknown", "elsewhere"]
OTHER_GATEWAY = "an object of another gateway may check it"
_CHECKS = ("apiKeyAuth", "basicAuth", "oidc", "extAuth")
# Kinds of other gateways that may check keys: Kuadrant, Istio, kgateway, agentgateway, NGINX, Kong (read 2026-11).
_OTHER_CHECKS = (
    ("kuadrant.io", "AuthPolicy"),
    ("security.istio.io", "AuthorizationPolicy"),
    ("security.istio.io", "RequestAuthentication"),
    ("gateway.kgateway.dev", "TrafficPolicy"),
    ("agentgateway.dev", "AgentgatewayPolicy"),
    ("configuration.konghq.com", "KongPlugin"),
)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One rule of a route that leads to servers. `proxied` tells whether another proxy stands between."""

    route: Resource
    rule: Value
    place: str
    servers: tuple[Server, ...]
    proxied: bool
    listeners: tuple[Listener, ...]


@once
def openings(graph: Graph) -> tuple[Opening, ...]:
    """Return the openings of a program."""
    return tuple(_openings(graph))


def _openings(graph: Graph) -> Iterator[Opening]:
    found = list(servers(graph))
    proxies = list(proxy_services(graph))
    routes = [*graph.of_kind(GATEWAY_API, "HTTPRoute"), *graph.of_kind(AI_GATEWAY, "AIGatewayRoute")]
    for route in routes if found else ():
        listeners = tuple(listeners_of(graph, route))
        for place, rule in enumerate(items(dig(route.props, "spec", "rules"))):
            direct = servers_named(graph, route, rule, found)
            to_proxy = any(
                (dig(ref, "name"), dig(ref, "namespace") or route.namespace) in proxies
                for ref in items(dig(rule, "backendRefs"))
                if isinstance(dig(ref, "name"), str)
            )
            hosts = [host for host in backend_hosts(graph, route, rule) if isinstance(host, str)]
            if not direct and not to_proxy and any(is_hosted(host) for host in hosts):
                continue  # a provider's model beside those of one's own
            reached = direct or servers_behind(graph, route, rule, found)
            if (reached or to_proxy) and listeners:
                yield Opening(
                    route=route,
                    rule=rule,
                    place=f"spec.rules[{place}]",
                    servers=tuple(found if to_proxy else reached),
                    proxied=to_proxy or not direct,
                    listeners=listeners,
                )


def proxy_services(graph: Graph) -> Iterator[tuple[Value, Value]]:
    """Yield name and namespace of what leads to a proxy: the Services that pick its pods, or one of its name."""
    for pod in pods(graph):
        if is_proxy(pod):
            yield pod.resource.object_name, pod.resource.namespace
            for service in services(graph):
                if selects(service, pod.resource):
                    yield service.object_name, service.namespace


def guard_of(graph: Graph, opening: Opening, listener: Listener) -> tuple[Guard, str]:
    """Return whether a key is checked before an opening, and what was found."""
    deciding = policies_before(graph, opening, listener)
    for policy in deciding:
        state = _checks_keys(policy)
        if state != "open":
            return state, str(policy)
    unknown = next((policy for policy in _policies(graph) if _has_unknown_target(policy)), None)
    if unknown is not None and may_equal(unknown.namespace, opening.route.namespace):
        return "unknown", f"{unknown}, whose target is only known at run time"
    if deciding:
        return "open", f"{deciding[0]}, which decides there, checks none{_why(deciding[0])}"
    elsewhere = _elsewhere(graph, opening, listener)
    return ("elsewhere", elsewhere) if elsewhere else ("open", f"no SecurityPolicy is on it or on {listener}")


def _elsewhere(graph: Graph, opening: Opening, listener: Listener) -> str:
    """Return why a check may be somewhere that is not read, "" where it can't."""
    if _may_be_checked_otherwise(graph, opening):
        return OTHER_GATEWAY
    if listener.gateway is None:
        return f"{listener} is not in this program"
    return "" if listener.product == "envoy" else f"{listener} is none of Envoy Gateway's, or nothing tells"


def policies_before(graph: Graph, opening: Opening, listener: Listener) -> list[Resource]:
    """Return the SecurityPolicies that decide on an opening: those on its route, or else those on its listener."""
    near = [policy for policy in _policies(graph) if _is_on(policy, "HTTPRoute", opening.route, opening.rule)]
    merged = any(dig(policy.props, "spec", "mergeType") is not None for policy in near)
    return near if near and not merged else [*near, *_on_gateway(graph, listener)]


def checks_its_own_key(graph: Graph, opening: Opening) -> bool:
    """Whether what is behind asks for a key itself, or is unknown and may, and the route adds none for everybody."""
    if _adds_a_key(graph, opening):
        return False
    if opening.proxied:
        return proxies_check_keys(graph)
    return all(has_key(server) for server in opening.servers)


def proxies_check_keys(graph: Graph) -> bool:
    """Whether the proxies of a program ask for a key themselves; those that are elsewhere may."""
    return all(_has_master_key(pod) for pod in pods(graph) if is_proxy(pod))


def has_key(server: Server) -> bool:
    """Whether a server asks for a key: `--api-key`, or VLLM_API_KEY in its environment; or may, out of sight."""
    if "--api-key" in server.parsed.other or server.parsed.opaque:
        return True
    places = (dig(server.resource.props, "spec"), server.container)
    return any(_names_variable(place, "VLLM_API_KEY") or _takes_a_secret(place) for place in places)


def _names_variable(node: Value, name: str) -> bool:
    if isinstance(node, Mapping):
        return node.get("name") == name or any(_names_variable(value, name) for value in node.values())
    return isinstance(node, list) and any(_names_variable(value, name) for value in node)


def _takes_a_secret(node: Value) -> bool:
    """Whether a container takes its variables from a Secret, which may hold the key that it asks for."""
    if isinstance(node, Mapping):
        sources = items(node.get("envFrom"))
        taken = (
            any(dig(source, "secretRef") is not None for source in sources) or node.get("envFrom") is UNKNOWN
        )
        return taken or any(map(_takes_a_secret, node.values()))
    return isinstance(node, list) and any(map(_takes_a_secret, node))


def _has_master_key(pod: Pod) -> bool:
    return _names_variable(pod.spec, "LITELLM_MASTER_KEY") or _takes_a_secret(pod.spec)


def _adds_a_key(graph: Graph, opening: Opening) -> bool:
    names = []
    for entry in items(dig(opening.rule, "filters")):
        changes = dig(entry, "requestHeaderModifier")
        headers = [*items(dig(changes, "set")), *items(dig(changes, "add"))]
        if any(str(dig(header, "name")).lower() == "authorization" for header in headers):
            return True
        names.append(dig(entry, "extensionRef", "name"))
    for found in graph.of_kind(ENVOY_GATEWAY, "HTTPRouteFilter"):
        if found.object_name in names and dig(found.props, "spec", "credentialInjection") is not None:
            return True
    return opening.route.kind == "AIGatewayRoute" and any(graph.of_kind(AI_GATEWAY, "BackendSecurityPolicy"))


def _policies(graph: Graph) -> list[Resource]:
    return list(graph.of_kind(ENVOY_GATEWAY, "SecurityPolicy"))


def _has_unknown_target(policy: Resource) -> bool:
    spec = dig(policy.props, "spec")
    wholes = (spec, dig(spec, "targetRefs"), dig(spec, "targetRef"), dig(spec, "targetSelectors"))
    return UNKNOWN in wholes or any(
        target is UNKNOWN or UNKNOWN in (dig(target, "name"), dig(target, "kind"))
        for target in targets_of(policy)
    )


def _is_on(policy: Resource, kind: str, resource: Resource, rule: Value) -> bool:
    """Whether a policy is on a route for certain: by its name, or by its labels."""
    if policy.namespace != resource.namespace:
        return False
    for target in targets_of(policy):
        section = dig(target, "sectionName")
        named = dig(target, "kind") == kind and dig(target, "name") == resource.object_name
        if named and section in (None, dig(rule, "name")):
            return True
    return any(
        dig(selector, "kind") == kind and _matches(selector, resource)
        for selector in items(dig(policy.props, "spec", "targetSelectors"))
    )


def _matches(selector: Value, resource: Resource) -> bool:
    wanted, labels = dig(selector, "matchLabels"), dig(resource.props, "metadata", "labels")
    if dig(selector, "matchExpressions") is not None or not isinstance(wanted, Mapping):
        return dig(selector, "matchExpressions") is not None or wanted is None
    return isinstance(labels, Mapping) and all(labels.get(key) == value for key, value in wanted.items())


def _on_gateway(graph: Graph, listener: Listener) -> list[Resource]:
    """Return the policies on a listener; those of the listener itself take the place of those of its Gateway."""
    whole, own = [], []
    for policy in _policies(graph):
        if policy.namespace != listener.namespace:
            continue
        for target in targets_of(policy):
            if dig(target, "kind") == "Gateway" and dig(target, "name") == listener.parent:
                section = dig(target, "sectionName")
                if section is None:
                    whole.append(policy)
                elif section == listener.section:
                    own.append(policy)
        for selector in items(dig(policy.props, "spec", "targetSelectors")):
            gateway = listener.gateway
            if dig(selector, "kind") == "Gateway" and gateway is not None and _matches(selector, gateway):
                whole.append(policy)
    return own or whole


def _checks_keys(policy: Resource) -> Guard:
    spec = dig(policy.props, "spec")
    if spec is UNKNOWN or any(dig(spec, key) is UNKNOWN for key in (*_CHECKS, "jwt", "authorization")):
        return "unknown"
    if any(dig(spec, key) is not None for key in _CHECKS):
        return "checked"
    jwt = dig(spec, "jwt")
    if jwt is not None and dig(jwt, "optional") is not True:
        return "checked"
    return "checked" if dig(spec, "authorization", "defaultAction") == "Deny" else "open"


def _why(policy: Resource) -> str:
    optional = dig(policy.props, "spec", "jwt", "optional") is True
    return " (jwt.optional is true, so a request without a token passes)" if optional else ""


def has_other_checks(graph: Graph) -> bool:
    """Whether a program has objects by which another gateway or a mesh may check keys."""
    return any(any(graph.of_kind(group, kind)) for group, kind in _OTHER_CHECKS)


def _may_be_checked_otherwise(graph: Graph, opening: Opening) -> bool:
    if has_other_checks(graph):
        return True
    for entry in items(dig(opening.rule, "filters")):
        group = dig(entry, "extensionRef", "group")
        if group is not None and group != ENVOY_GATEWAY:
            return True
    return opening.route.annotation("konghq.com/plugins") is not None
