"""Names of objects that several parts say: the one that makes it and those that refer to it."""

from __future__ import annotations

GATEWAY_NAME = "coding-agents"
"""The Gateway, in the namespace of what it leads to."""

AGENTS_ROUTE = f"{GATEWAY_NAME}-agents"
MODELS_ROUTE = f"{GATEWAY_NAME}-models"
CONNECTION_ROUTE = f"{GATEWAY_NAME}-connection"
"""The route of the connection contract, the only one that asks for no key."""
OPENCODE_FILTER = f"{GATEWAY_NAME}-opencode"
"""What answers there in opencode's own form."""

SERVER_KEY_SECRET = "vllm-server-key"  # noqa: S105  a name, not a key
"""Secret with the key between gateway and a platform's servers: `apiKey` bare, `credential` as a header value."""

PROXY_KEY_SECRET = "translation-proxy-key"  # noqa: S105  a name, not a key
"""Secret with the key between gateway and translation proxy, in the same two forms."""

PROXY_NAME = "translation-proxy"
PROXY_PORT = 4000
"""The proxy's Service port, whatever the proxy itself listens on."""

# KServe's predictor Service listens here in both modes (v0.20.0, CommonDefaultHttpPort).
PREDICTOR_PORT = 80

ROLES_PER_AI_ROUTE = 7
"""An AIGatewayRoute takes 15 rules (Envoy AI Gateway 1.0.0, its CRD, read 2026-11), and a role needs two."""


def priority_class_of(namespace: str) -> str:
    """Return the name of a pool's priority class: cluster-wide, so it carries the namespace."""
    return f"{namespace}-serving"


def cluster_queue_of(namespace: str) -> str:
    """Return the name of a pool's ClusterQueue where none is said: cluster-wide as well."""
    return f"{namespace}-gpu"


def own_key_secret(role: str) -> str:
    """Return the name of the Secret that holds the key of one server that stands alone."""
    return f"{role}-server-key"


def ai_route_names(servers: int) -> tuple[str, ...]:
    """Return the names of the AIGatewayRoutes, which are those of the HTTPRoutes made from them."""
    count = -(-servers // ROLES_PER_AI_ROUTE)
    return tuple(AGENTS_ROUTE + (f"-{number}" if number > 1 else "") for number in range(1, count + 1))
