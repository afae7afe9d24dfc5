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

from onprem_agents.manifests.bundle import DeclaredSecret, KeyValue
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


def key_secret_name(developer: str) -> str:
    """Return the name of the Secret that holds a developer's keys."""
    return object_name("key", developer)


def developer_secrets(plan: PlatformPlan) -> tuple[DeclaredSecret, ...]:
    """Return each developer's Secret: the one or two keys by client id."""
    return tuple(
        DeclaredSecret(
            manifest=_secret(plan, key_secret_name(developer)),
            values={
                client_id: KeyValue(source="developerKeys", developer=developer, position=position)
                for position, client_id in enumerate(client_ids(developer))
            },
        )
        for developer in plan.developers
    )


def server_secrets(plan: PlatformPlan) -> tuple[DeclaredSecret, ...]:
    """Return the Secrets that pods read: the servers' key and, where there is one, the translation proxy's."""
    secrets = [_server_secret(plan, SERVER_KEY_SECRET, "")]
    if plan.settings.translation != "native":
        # LiteLLM wants keys that begin with sk- (1.109.1, 2026-11).
        secrets.append(_server_secret(plan, PROXY_KEY_SECRET, "sk-"))
    return tuple(secrets)


def _server_secret(plan: PlatformPlan, name: str, prefix: str) -> DeclaredSecret:
    """The key bare, and as the value of a header."""
    return DeclaredSecret(
        manifest=_secret(plan, name),
        values={
            "apiKey": KeyValue(source="serverKey", prefix=prefix),
            "credential": KeyValue(source="serverKey", prefix=f"Bearer {prefix}"),
        },
    )


def security_policy(plan: PlatformPlan, route_names: Sequence[str]) -> Manifest:
    """Return the key check of the named HTTPRoutes: Bearer and `x-api-key` alike, the key removed then."""
    references = [
        {"group": "", "kind": "Secret", "name": key_secret_name(developer)} for developer in plan.developers
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


def _secret(plan: PlatformPlan, name: str) -> Manifest:
    return manifest(plan, "v1", "Secret", name, component=COMPONENT, type="Opaque")


def _credential_filter(plan: PlatformPlan, name: str, secret: str) -> Manifest:
    injection = {
        "overwrite": True,
        "credential": {"valueRef": {"group": "", "kind": "Secret", "name": secret}},
    }
    return manifest(
        plan, _API, "HTTPRouteFilter", name, component=COMPONENT, spec={"credentialInjection": injection}
    )
