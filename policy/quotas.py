"""Quotas: the rate limits of Envoy Gateway before model servers, and what their tokens are counted by.

Sources: Envoy Gateway v1.9 (api/v1alpha1/ratelimit_types.go: each route has its own counters, `shared` makes one of
them), Envoy AI Gateway v1.1 (api/v1beta1/gateway_config.go: a route's costs, else those of the GatewayConfig); 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .attachment import AI_GATEWAY, ENVOY_GATEWAY, targets_of
from .graph import UNKNOWN, Graph, Resource, Value, dig, items, once
from .openings import Opening, openings

TOKENS = "io.envoy.ai_gateway"
"""The namespace of the metadata in which the AI gateway tells a request's tokens."""

_GATEWAY_CONFIG = "aigateway.envoyproxy.io/gateway-config"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """The rate limits of one BackendTrafficPolicy, and the openings that it is on for certain."""

    policy: Resource
    everywhere: tuple[Value, ...]
    """Rules that count over all Envoys together."""
    each_envoy: tuple[Value, ...]
    """Rules that each Envoy counts for itself."""
    openings: tuple[Opening, ...]


@once
def quotas(graph: Graph) -> tuple[Quota, ...]:
    """Return the quotas before model servers."""
    return tuple(_quotas(graph))


def _quotas(graph: Graph) -> Iterator[Quota]:
    for policy in graph.of_kind(ENVOY_GATEWAY, "BackendTrafficPolicy"):
        limit = dig(policy.props, "spec", "rateLimit")
        everywhere, each = items(dig(limit, "global", "rules")), items(dig(limit, "local", "rules"))
        on = tuple(opening for opening in openings(graph) if _is_on(policy, opening))
        if on and (everywhere or each):
            yield Quota(policy=policy, everywhere=tuple(everywhere), each_envoy=tuple(each), openings=on)


def _is_on(policy: Resource, opening: Opening) -> bool:
    for target in targets_of(policy):
        kind, name = dig(target, "kind"), dig(target, "name")
        if kind == "HTTPRoute" and name == opening.route.object_name:
            if policy.namespace == opening.route.namespace:
                return True
        elif kind == "Gateway" and any(
            name == listener.parent and policy.namespace == listener.namespace
            for listener in opening.listeners
        ):
            return True
    return False


def counted(graph: Graph, opening: Opening) -> set[Value] | None:
    """Return the keys under which an opening's tokens are counted, None where nothing tells all of them."""
    if opening.route.kind != "AIGatewayRoute":
        return set()
    keys = {dig(cost, "metadataKey") for cost in items(dig(opening.route.props, "spec", "llmRequestCosts"))}
    for listener in opening.listeners:
        gateway = listener.gateway
        if gateway is None:
            return None
        name = gateway.annotation(_GATEWAY_CONFIG)
        configs = [
            config for config in graph.of_kind(AI_GATEWAY, "GatewayConfig") if config.object_name == name
        ]
        if name is not None and not configs:
            return None
        for config in configs:
            costs = dig(config.props, "spec", "globalLLMRequestCosts")
            keys |= {dig(cost, "metadataKey") for cost in items(costs)}
    return None if UNKNOWN in keys else keys
