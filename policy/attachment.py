"""What hangs on what at the gateway: policies on routes and Gateways, servers behind route rules.

Sources: Envoy Gateway v1.9.1 (internal/gatewayapi, internal/xds/translator), Envoy AI Gateway v1.1; 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .graph import UNKNOWN, Graph, Resource, Value, dig, items, may_equal
from .services import leads_to, picks, pod_labels, services
from .serving import Server

GATEWAY_API = "gateway.networking.k8s.io"
ENVOY_GATEWAY = "gateway.envoyproxy.io"
AI_GATEWAY = "aigateway.envoyproxy.io"

# Gateway API Inference Extension v1.0 and before (read 2026-11).
_POOL = "InferencePool"
_POOL_GROUPS = ("inference.networking.k8s.io", "inference.networking.x-k8s.io")

_MODEL_PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages")


def policy_value(
    graph: Graph, route: Resource, rule: Value, path: tuple[str, ...]
) -> tuple[Resource | None, Value]:
    """Return the BackendTrafficPolicy that decides a setting for a rule, and its value; (None, None) without.

    A policy on the route replaces one on the gateway as a whole, unless it asks to be merged.
    """
    policies = list(graph.of_kind(ENVOY_GATEWAY, "BackendTrafficPolicy"))
    names = [route.object_name]
    near = [
        p for p in policies if is_attached(p, route.kind, names, route.namespace, section=dig(rule, "name"))
    ]
    far = [p for p in policies if is_on_gateway_of(p, route)]
    merged = any(dig(policy.props, "spec", "mergeType") is not None for policy in near)
    for policy in near if near and not merged else [*near, *far]:
        value = dig(policy.props, "spec", *path)
        if value is not None:
            return policy, value
    return None, None


def gateways_of(route: Resource) -> list[Value]:
    """Return the names of the Gateways that a route hangs on."""
    return [dig(parent, "name") for parent in items(dig(route.props, "spec", "parentRefs"))]


def is_on_gateway_of(policy: Resource, route: Resource) -> bool:
    """Whether a policy is attached to a Gateway that a route hangs on: only those of its own namespace are meant."""
    return any(
        is_attached(policy, "Gateway", [dig(parent, "name")], dig(parent, "namespace") or route.namespace)
        for parent in items(dig(route.props, "spec", "parentRefs"))
    )


def is_attached(
    policy: Resource, kind: str, names: Sequence[Value], namespace: Value, *, section: Value = None
) -> bool:
    """Whether a policy is attached to one of the named objects; an UNKNOWN name may be any of them."""
    if not _may_be_one_namespace(policy.namespace, namespace):
        return False
    spec = dig(policy.props, "spec")
    if UNKNOWN in (spec, dig(spec, "targetRefs"), dig(spec, "targetRef")):
        return True
    for target in targets_of(policy):
        # An AIGatewayRoute becomes an HTTPRoute of the same name, so policies name that one.
        kinds = ("HTTPRoute", "AIGatewayRoute") if kind != "Gateway" else ("Gateway",)
        named = any(may_equal(dig(target, "name"), name) for name in names)
        in_section = kind == "Gateway" or dig(target, "sectionName") in (None, section)
        if dig(target, "kind") in (*kinds, UNKNOWN) and named and in_section:
            return True
    selectors = items(dig(spec, "targetSelectors"))
    return any(dig(selector, "kind") in (kind, UNKNOWN) for selector in selectors)


def targets_of(policy: Resource) -> list[Value]:
    """Return what a policy of Envoy Gateway names as its targets, by the list or by the older single one."""
    single = dig(policy.props, "spec", "targetRef")
    return [*items(dig(policy.props, "spec", "targetRefs")), *([] if single is None else [single])]


def servers_behind(graph: Graph, route: Resource, rule: Value, servers: Sequence[Server]) -> list[Server]:
    """Return the servers a rule leads to: those it names, or all when it carries a model API to a proxy."""
    hosts = backend_hosts(graph, route, rule)
    named = servers_named(graph, route, rule, servers)
    if named or not hosts:
        return named
    paths = [dig(match, "path", "value") for match in items(dig(rule, "matches"))]
    carries_models = route.kind == "AIGatewayRoute" or any(path in _MODEL_PATHS for path in paths)
    return list(servers) if carries_models else []


def servers_named(graph: Graph, route: Resource, rule: Value, servers: Sequence[Server]) -> list[Server]:
    """Return the servers a rule names itself, or whose pods its Services and InferencePools pick by their labels."""
    hosts = [
        (host, dig(ref, "namespace") or route.namespace)
        for ref in items(dig(rule, "backendRefs"))
        for host in _hosts(graph, route, ref)
    ]
    named = [server for server in servers if any(_is_host_of(*host, server) for host in hosts)]
    return named or _picked(graph, route, rule, servers)


def _picked(graph: Graph, route: Resource, rule: Value, servers: Sequence[Server]) -> list[Server]:
    refs = [ref for ref in items(dig(rule, "backendRefs")) if isinstance(dig(ref, "name"), str)]
    meant = [
        (dig(ref, "name"), dig(ref, "namespace") or route.namespace, dig(ref, "kind") == _POOL)
        for ref in refs
    ]
    pools = [pool for group in _POOL_GROUPS for pool in graph.of_kind(group, _POOL)]
    found = []
    for server in servers:
        labels, space = pod_labels(server.resource), server.resource.namespace
        by_service = any(
            (service.object_name, service.namespace, False) in meant and leads_to(service, labels, space)
            for service in services(graph)
        )
        by_pool = any(
            (pool.object_name, pool.namespace, True) in meant
            and pool.namespace == space
            and picks(_selector(pool), labels)
            for pool in pools
        )
        if by_service or by_pool:
            found.append(server)
    return found


def _selector(pool: Resource) -> Value:
    """Return the labels that an InferencePool picks: below matchLabels since v1, plain before."""
    selector = dig(pool.props, "spec", "selector")
    labels = dig(selector, "matchLabels")
    return selector if labels is None else labels


def backend_hosts(graph: Graph, route: Resource, rule: Value) -> list[Value]:
    """Return the Services and hosts that a rule of a route leads to."""
    return [host for ref in items(dig(rule, "backendRefs")) for host in _hosts(graph, route, ref)]


def _hosts(graph: Graph, route: Resource, ref: Value) -> Iterator[Value]:
    """Yield the Service or host names that a backend reference of a route leads to."""
    name = dig(ref, "name")
    if route.kind == "AIGatewayRoute" and dig(ref, "kind") != _POOL:
        for service in graph.of_kind(AI_GATEWAY, "AIServiceBackend"):
            if may_equal(service.object_name, name):
                yield from _endpoints(graph, dig(service.props, "spec", "backendRef"))
    elif dig(ref, "kind") == "Backend":
        yield from _endpoints(graph, ref)
    else:
        yield name
        for service in graph.of_kind("core", "Service"):
            if service.object_name == name and dig(service.props, "spec", "externalName") is not None:
                yield dig(service.props, "spec", "externalName")


def _endpoints(graph: Graph, ref: Value) -> Iterator[Value]:
    """Yield the host names of the Envoy Gateway Backend that is meant."""
    for backend in graph.of_kind(ENVOY_GATEWAY, "Backend"):
        if may_equal(backend.object_name, dig(ref, "name")):
            for endpoint in items(dig(backend.props, "spec", "endpoints")):
                yield dig(endpoint, "fqdn", "hostname")


def _is_host_of(host: Value, namespace: Value, server: Server) -> bool:
    """Whether a host is a server; `namespace` is that of a host without dots, a Service's own name tells its own."""
    if host is UNKNOWN or UNKNOWN in server.hosts:
        return True
    name, _, rest = str(host).partition(".")
    of_service = rest.partition(".")[0] if ".svc" in rest else "" if rest else namespace
    return name in server.hosts and _may_be_one_namespace(of_service, server.resource.namespace)


def _may_be_one_namespace(one: Value, other: Value) -> bool:
    """Whether two namespaces may be the same; what names none goes where the program or kubectl is told to."""
    return "" in (one, other) or may_equal(one, other)
