"""How long a route may take by policies of gateways that are not Envoy Gateway's.

Sources, read 2026-11: GKE's Gateway (networking.gke.io/v1 GCPBackendPolicy, on the Service of a backend), kgateway 2.1
(TrafficPolicy, on a route or its Gateway), NGINX Gateway Fabric 2 (SnippetsFilter, in a rule of a route).
"""

from __future__ import annotations

from collections.abc import Iterator

from .attachment import gateways_of, targets_of
from .graph import Graph, Resource, Value, dig, items


def limits_of_others(graph: Graph, route: Resource, rule: Value) -> Iterator[tuple[Resource, str, Value]]:
    """Yield policy, field and value of what bounds a rule where the rule itself says nothing."""
    backends = [dig(ref, "name") for ref in items(dig(rule, "backendRefs"))]
    for policy in graph.of_kind("networking.gke.io", "GCPBackendPolicy"):
        value = dig(policy.props, "spec", "default", "timeoutSec")
        named = any(dig(target, "name") in backends for target in targets_of(policy))
        if value is not None and named and policy.namespace == route.namespace:
            yield policy, "spec.default.timeoutSec", value
    for policy in graph.of_kind("gateway.kgateway.dev", "TrafficPolicy"):
        value = dig(policy.props, "spec", "timeouts", "request")
        if value is not None and any(_is_on(target, route) for target in targets_of(policy)):
            yield policy, "spec.timeouts.request", value


def _is_on(target: Value, route: Resource) -> bool:
    kind, name = dig(target, "kind"), dig(target, "name")
    return (kind == route.kind and name == route.object_name) or (
        kind == "Gateway" and name in gateways_of(route)
    )


def has_snippets(graph: Graph, rule: Value) -> bool:
    """Whether a rule has directives of nginx of its own that bound it, or may: those of a filter that is elsewhere."""
    refs = [dig(entry, "extensionRef") for entry in items(dig(rule, "filters"))]
    names = [dig(ref, "name") for ref in refs if dig(ref, "kind") == "SnippetsFilter"]
    known = [one for one in graph.of_kind("gateway.nginx.org", "SnippetsFilter") if one.object_name in names]
    return bool(names) and (
        len(known) < len(names) or any("proxy_read_timeout" in str(one.props) for one in known)
    )
