"""Limits at the gateway: times that streams survive, bodies as long as the context, connections that end."""

from __future__ import annotations

from collections.abc import Sequence

from onprem_agents.manifests.gateway_auth import IDENTITY_HEADERS
from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.manifests.model_routing import MODEL_HEADER
from onprem_agents.manifests.session_affinity import AFFINITY_HEADER, load_balancer
from onprem_agents.manifests.translation_proxy import software
from onprem_agents.plan import GATEWAY_IDLE_SECONDS, GATEWAY_NAME, IngressPart
from onprem_agents.units import MIB, format_bytes, format_duration

COMPONENT = "external-ingress"
_API = "gateway.envoyproxy.io/v1alpha1"
_GROUP = "gateway.networking.k8s.io"

# Envoy's edge guide (1.39, read 2026-08): 100 streams, windows of 64 KiB and 1 MiB, headers within seconds.
_HTTP2 = {
    "initialStreamWindowSize": "64Ki",
    "initialConnectionWindowSize": "1Mi",
    "maxConcurrentStreams": 100,
}
_HEADERS_SECONDS = 10
_BODY_SECONDS = 120
"""A body of many MiB over a slow VPN; it stops when the whole request has been sent on."""

_CONNECTIONS_PER_DEVELOPER = 16
_LEAST_CONNECTIONS = 256
_KEEPALIVE = {"probes": 3, "idleTime": "1m", "interval": "30s"}


def client_traffic_policy(part: IngressPart) -> Manifest:
    """Return the policy for the developers' side of the Gateway.

    `bufferLimit` bounds a body that must be held as a whole; Envoy Gateway's own default of 32 KiB answers
    413 to every real prompt. The connection limit bounds what such buffers can add up to.
    """
    connections = max(_LEAST_CONNECTIONS, _CONNECTIONS_PER_DEVELOPER * part.developers)
    return manifest(
        part,
        _API,
        "ClientTrafficPolicy",
        GATEWAY_NAME,
        component=COMPONENT,
        spec={
            "targetRefs": [{"group": _GROUP, "kind": "Gateway", "name": GATEWAY_NAME}],
            "tls": {"minVersion": "1.2", "alpnProtocols": ["h2", "http/1.1"]},
            "connection": {
                "bufferLimit": format_bytes(part.request_body_mib * MIB),
                "connectionLimit": {"value": connections},
                "maxAcceptPerSocketEvent": 1,
            },
            "tcpKeepalive": dict(_KEEPALIVE),
            "http2": dict(_HTTP2),
            "headers": _headers(part),
            "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
            "timeout": {
                "http": {
                    "requestReceivedTimeout": format_duration(_BODY_SECONDS),
                    "requestHeadersReceivedTimeout": format_duration(_HEADERS_SECONDS),
                    "streamIdleTimeout": format_duration(part.timeouts.gateway_seconds),
                }
            },
        },
    )


def _headers(part: IngressPart) -> Manifest:
    """Keep out what clients must not say of themselves, and both ways what belongs to the proxy alone."""
    early: Manifest = {"remove": [*IDENTITY_HEADERS, MODEL_HEADER, AFFINITY_HEADER]}
    headers: Manifest = {"withUnderscoresAction": "RejectRequest", "earlyRequestHeaders": early}
    proxy = software(part.translation)
    if proxy is not None and proxy.own_headers:
        own = [{"type": "Prefix", "value": prefix} for prefix in proxy.own_headers]
        early["removeOnMatch"] = own
        headers["lateResponseHeaders"] = {"removeOnMatch": own}
    return headers


def backend_traffic_policy(part: IngressPart, route_names: Sequence[str]) -> Manifest:
    """Return the policy for the servers' side. No retry is set: a turn must not run twice on the GPUs."""
    parallel = max(1024, 4 * part.developers)
    return manifest(
        part,
        _API,
        "BackendTrafficPolicy",
        f"{GATEWAY_NAME}-agents",
        component=COMPONENT,
        spec={
            "targetRefs": [{"group": _GROUP, "kind": "HTTPRoute", "name": name} for name in route_names],
            "timeout": {
                # Envoy counts idle seconds from before a connection is made (envoyproxy/envoy#42753), so both are one.
                "tcp": {"connectTimeout": format_duration(GATEWAY_IDLE_SECONDS)},
                "http": {
                    "connectionIdleTimeout": format_duration(GATEWAY_IDLE_SECONDS),
                    "requestTimeout": format_duration(part.timeouts.route_seconds),
                    "streamIdleTimeout": format_duration(part.timeouts.gateway_seconds),
                    "maxStreamDuration": format_duration(part.timeouts.gateway_seconds),
                },
            },
            "tcpKeepalive": dict(_KEEPALIVE),
            **({"loadBalancer": load_balancer()} if part.keeps_sessions else {}),
            "circuitBreaker": {
                "maxConnections": parallel,
                "maxPendingRequests": parallel,
                "maxParallelRequests": parallel,
                "maxParallelRetries": 1024,
            },
        },
    )
