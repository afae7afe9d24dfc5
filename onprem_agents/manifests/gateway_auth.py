"""Who may call: one key a developer, checked at the gateway and gone before a server sees the request.

A developer's Secret `key-<developer>` holds the bare key under the client id. While a key is being exchanged
it holds two, the second under `<developer>.B`: Envoy Gateway takes one key per client id, and developer names
are lower-case, so nobody can be called that. Keys are looked up, added and removed without any restart.

Between gateway and server stands one more key, the stack's own `serverKey`: NetworkPolicies keep others away,
and this key does so where the cluster's network plugin does not enforce them. The gateway adds it from a
Secret.
"""

from __future__ import annotations

from collections.abc import Sequence

from onprem_agents.manifests.endpoints import native_paths, proxy_paths
from onprem_agents.manifests.meta import (
    GATEWAY_NAME,
    PROXY_KEY_SECRET,
    SERVER_KEY_SECRET,
    Manifest,
    manifest,
    object_name,
)
from onprem_agents.plan import PlatformPlan

COMPONENT = "gateway-auth"
CLIENT_ID_HEADER = "x-client-id"
SERVER_CREDENTIAL = f"{GATEWAY_NAME}-server-key"
PROXY_CREDENTIAL = f"{GATEWAY_NAME}-proxy-key"

IDENTITY_HEADERS = (CLIENT_ID_HEADER, "x-user-id", "x-user-group", "x-user-namespace", "x-ai-eg-model")
"""Headers that later hops may trust; the gateway removes what a client sends under these names."""

_API = "gateway.envoyproxy.io/v1alpha1"
_SECOND = ".B"


def client_ids(developer: str) -> tuple[str, str]:
    """Return the client ids of a developer's first and second key."""
    return developer, f"{developer}{_SECOND}"


def key_secret(plan: PlatformPlan, developer: str) -> Manifest:
    """Return a developer's Secret without its values; they come from the stack's secret `developerKeys`."""
    return _secret(plan, object_name("key", developer), COMPONENT)


def server_key_secret(plan: PlatformPlan) -> Manifest:
    """Return the Secret of the servers' key without its values (`apiKey`, `credential`)."""
    return _secret(plan, SERVER_KEY_SECRET, COMPONENT)


def proxy_key_secret(plan: PlatformPlan) -> Manifest:
    """Return the Secret of the translation proxy's key without its values (`apiKey`, `credential`)."""
    return _secret(plan, PROXY_KEY_SECRET, COMPONENT)


def key_secrets(plan: PlatformPlan) -> dict[str, Manifest]:
    """Return each developer's Secret by the developer's name."""
    return {developer: key_secret(plan, developer) for developer in plan.developers}


def security_policy(plan: PlatformPlan, route_names: Sequence[str]) -> Manifest:
    """Return the key check of the named HTTPRoutes: Bearer and `x-api-key` alike, the key removed then."""
    references = [
        {"group": "", "kind": "Secret", "name": secret["metadata"]["name"]}
        for secret in key_secrets(plan).values()
    ]
    return manifest(
        plan,
        _API,
        "SecurityPolicy",
        f"{GATEWAY_NAME}-keys",
        component=COMPONENT,
        spec={
            "targetRefs": [
                {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name}
                for name in route_names
            ],
            "apiKeyAuth": {
                "credentialRefs": references,
                # One entry a header: each entry takes exactly one source (Envoy Gateway 1.9).
                "extractFrom": [{"headers": ["authorization"]}, {"headers": ["x-api-key"]}],
                "forwardClientIDHeader": CLIENT_ID_HEADER,
                "sanitize": True,
            },
        },
    )


def credential_filters(plan: PlatformPlan) -> list[Manifest]:
    """Return the filters that add the servers' key, and that of a proxy, in `Authorization`."""
    filters = []
    if native_paths(plan):
        filters.append(_credential_filter(plan, SERVER_CREDENTIAL, SERVER_KEY_SECRET))
    if proxy_paths(plan):
        filters.append(_credential_filter(plan, PROXY_CREDENTIAL, PROXY_KEY_SECRET))
    return filters


def _secret(plan: PlatformPlan, name: str, component: str) -> Manifest:
    return manifest(plan, "v1", "Secret", name, component=component, type="Opaque")


def _credential_filter(plan: PlatformPlan, name: str, secret: str) -> Manifest:
    injection = {
        "overwrite": True,
        "credential": {"valueRef": {"group": "", "kind": "Secret", "name": secret}},
    }
    return manifest(
        plan, _API, "HTTPRouteFilter", name, component=COMPONENT, spec={"credentialInjection": injection}
    )
