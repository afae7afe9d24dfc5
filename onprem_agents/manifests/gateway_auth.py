"""Who may call: one key a developer, checked at the gateway and gone before a server sees the request.

A developer's Secret `key-<developer>` holds the bare key under the client id. While a key is being exchanged
it holds two, the second under `<developer>.B`: Envoy Gateway takes one key per client id, and developer names
are lower-case, so nobody can be called that. Keys are looked up, added and removed without any restart.

Between gateway and server stands one more key, the stack's own `serverKey`: NetworkPolicies keep others away,
and this key does so where the cluster's network plugin does not enforce them. The gateway adds it from a
Secret.
"""

from __future__ import annotations

from onprem_agents.manifests.bundle import DeclaredSecret, KeyValue
from onprem_agents.manifests.endpoints import native_paths
from onprem_agents.manifests.meta import Manifest, manifest, object_name
from onprem_agents.plan import AuthPart, IngressPart, KeySecret, Scope
from onprem_agents.plan.references import credential_of, proxy_credential_of

COMPONENT = "gateway-auth"
_INGRESS = "external-ingress"
CLIENT_ID_HEADER = "x-client-id"

IDENTITY_HEADERS = (CLIENT_ID_HEADER, "x-user-id", "x-user-group", "x-user-namespace", "x-ai-eg-model")
"""Headers that later hops may trust; the gateway removes what a client sends under these names."""

_API = "gateway.envoyproxy.io/v1alpha1"
SECOND_KEY = ".B"
"""What ends the client id of a developer's second key."""


def client_ids(developer: str) -> tuple[str, str]:
    """Return the client ids of a developer's first and second key."""
    return developer, f"{developer}{SECOND_KEY}"


def key_secret_name(developer: str) -> str:
    """Return the name of the Secret that holds a developer's keys."""
    return object_name("key", developer)


def developer_secrets(part: AuthPart) -> tuple[DeclaredSecret, ...]:
    """Return each developer's Secret: the one or two keys by client id."""
    return tuple(
        DeclaredSecret(
            manifest=_secret(part, key_secret_name(developer)),
            values={
                client_id: KeyValue(source="developerKeys", developer=developer, position=position)
                for position, client_id in enumerate(client_ids(developer))
            },
        )
        for developer in part.developers
    )


def key_secret(scope: Scope, secret: KeySecret, *, component: str = COMPONENT) -> DeclaredSecret:
    """Return a Secret that pods read: the key bare, and as the value of a header."""
    return DeclaredSecret(
        manifest=_secret(scope, secret.name, component=component),
        values={
            "apiKey": KeyValue(source="serverKey", prefix=secret.prefix),
            "credential": KeyValue(source="serverKey", prefix=f"Bearer {secret.prefix}"),
        },
    )


def security_policy(part: AuthPart) -> Manifest:
    """Return the key check of the routes: Bearer and `x-api-key` alike, the key removed then."""
    references = [
        {"group": "", "kind": "Secret", "name": key_secret_name(developer)} for developer in part.developers
    ]
    return manifest(
        part,
        _API,
        "SecurityPolicy",
        f"{part.gateway}-keys",
        component=COMPONENT,
        spec={
            "targetRefs": [_target("HTTPRoute", name) for name in part.routes],
            "apiKeyAuth": {
                "credentialRefs": references,
                # One entry a header: each entry takes exactly one source (Envoy Gateway 1.9).
                "extractFrom": [{"headers": ["authorization"]}, {"headers": ["x-api-key"]}],
                "forwardClientIDHeader": CLIENT_ID_HEADER,
                "sanitize": True,
            },
        },
    )


def closing_policies(part: IngressPart) -> list[Manifest]:
    """Return what keeps an ingress shut that stands alone: all is denied but the connection contract.

    A policy on an HTTPRoute takes the whole place of that on its Gateway, so the key check opens its routes
    (Envoy Gateway 1.9.1, CRD of SecurityPolicy, read 2026-11: without `mergeType` only the most specific one takes
    effect).
    """
    policies = [_authorization(part, f"{part.gateway}-closed", "Deny", [_target("Gateway", part.gateway)])]
    if part.open_routes:
        targets = [_target("HTTPRoute", name) for name in part.open_routes]
        policies.append(_authorization(part, f"{part.gateway}-open", "Allow", targets))
    return policies


def credential_filters(part: IngressPart) -> list[Manifest]:
    """Return the filters that add the servers' keys, and that of a proxy, in `Authorization`."""
    servers = part.servers if native_paths(part) else ()
    wanted = [found for server in servers if (found := credential_of(server)) is not None]
    if part.proxy is not None:
        wanted.append(proxy_credential_of(part.proxy))
    component = _INGRESS if part.alone else COMPONENT
    return [_credential_filter(part, each.filter, each.secret, component) for each in dict.fromkeys(wanted)]


def _target(kind: str, name: str) -> Manifest:
    return {"group": "gateway.networking.k8s.io", "kind": kind, "name": name}


def _authorization(part: IngressPart, name: str, action: str, targets: list[Manifest]) -> Manifest:
    return manifest(
        part,
        _API,
        "SecurityPolicy",
        name,
        component=_INGRESS,
        spec={"targetRefs": targets, "authorization": {"defaultAction": action}},
    )


def _secret(scope: Scope, name: str, *, component: str = COMPONENT) -> Manifest:
    return manifest(scope, "v1", "Secret", name, component=component, type="Opaque")


def _credential_filter(part: IngressPart, name: str, secret: str, component: str) -> Manifest:
    injection = {
        "overwrite": True,
        "credential": {"valueRef": {"group": "", "kind": "Secret", "name": secret}},
    }
    return manifest(
        part, _API, "HTTPRouteFilter", name, component=component, spec={"credentialInjection": injection}
    )
