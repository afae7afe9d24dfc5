"""The Envoys behind the Gateway: how they end, how many there are, and which pods they are.

Envoy Gateway 1.9 makes their Deployment from this EnvoyProxy and the one of the GatewayClass: in its own namespace or,
in its gateway-namespace mode, in the Gateway's.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest, spread
from onprem_agents.plan import GATEWAY_NAME, IngressPart, Scope
from onprem_agents.units import format_duration

# Labels that Envoy Gateway 1.9 puts on its proxy pods.
_OWNER_NAME = "gateway.envoyproxy.io/owning-gateway-name"
_OWNER_NAMESPACE = "gateway.envoyproxy.io/owning-gateway-namespace"

# Envoy's own port for a privileged one of a listener (v1.9.0, internal/gatewayapi/translator.go, read 2026-11).
_PRIVILEGED_PORTS, _PORT_SHIFT = 1024, 10_000


def proxy_labels(scope: Scope) -> dict[str, str]:
    """Return the labels that pick out the Gateway's own Envoys, wherever they run."""
    return {_OWNER_NAME: GATEWAY_NAME, _OWNER_NAMESPACE: scope.namespace}


def proxy_port(listener_port: int) -> int:
    """Return the port on which an Envoy takes what comes to a port of the Gateway."""
    return listener_port + _PORT_SHIFT if listener_port < _PRIVILEGED_PORTS else listener_port


def envoy_proxy(part: IngressPart, component: str) -> Manifest:
    """Return how Envoy ends: it serves the turns that run, however long they take, before its pod goes.

    Envoy Gateway 1.9 gives the pod five minutes more than that, and would cut streams after 60 s by itself
    (internal/infrastructure/kubernetes/proxy/resource_provider.go and proxy_args.go, v1.9.1). What the
    GatewayClass says besides stays: without `mergeType` this object would take its place.
    """
    kubernetes = _several(part) if part.gateway_replicas > 1 else {}
    return manifest(
        part,
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyProxy",
        GATEWAY_NAME,
        component=component,
        spec={
            "mergeType": "StrategicMerge",
            "shutdown": {"drainTimeout": format_duration(part.timeouts.gateway_seconds)},
            **({"provider": {"type": "Kubernetes", "kubernetes": kubernetes}} if kubernetes else {}),
        },
    )


def _several(part: IngressPart) -> Manifest:
    """Return several Envoys, of which a drained node takes one at a time."""
    pod = {"topologySpreadConstraints": spread(proxy_labels(part))}
    return {
        "envoyDeployment": {"replicas": part.gateway_replicas, "pod": pod},
        "envoyPDB": {"minAvailable": part.gateway_replicas - 1},
    }
