"""The way in: a Gateway with TLS, and routes for exactly the paths that agents use.

The Gateway stands in the stack's own namespace: in the one of Envoy Gateway itself, policies were seen
accepted and not applied. A TLS Secret of another namespace needs a ReferenceGrant there (`reference_grant`).
"""

from __future__ import annotations

from onprem_agents.manifests.direct_responses import (
    contract_filters,
    contract_rules,
    models_filter,
    models_rule,
)
from onprem_agents.manifests.endpoints import (
    backend_name,
    backend_spec,
    has_backend,
    native_paths,
    proxy_backend,
    proxy_paths,
    server_backend,
    server_host,
)
from onprem_agents.manifests.envoy_provider import envoy_provider, gateway_addresses
from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.manifests.model_routing import (
    MODEL_HEADER,
    extension_policy,
    reads_bodies,
    routes_by_model,
)
from onprem_agents.manifests.session_affinity import balance_policy
from onprem_agents.manifests.traffic_policies import backend_traffic_policy, client_traffic_policy
from onprem_agents.plan import AGENTS_ROUTE, CONNECTION_ROUTE, GATEWAY_NAME, MODELS_ROUTE, IngressPart
from onprem_agents.plan.references import credential_of, proxy_credential_of
from onprem_agents.stack.parts import ServerReference
from onprem_agents.units import format_duration

COMPONENT = "external-ingress"
_CERTIFICATE = f"{GATEWAY_NAME}-tls"


def gateway(part: IngressPart) -> Manifest:
    """Return the Gateway: one HTTPS listener for one host name, and no plain HTTP at all."""
    tls = part.tls
    certificate: Manifest = {"group": "", "kind": "Secret", "name": tls.secret_name or _CERTIFICATE}
    if tls.secret_namespace is not None:
        certificate["namespace"] = tls.secret_namespace
    listener = {
        "name": "https",
        "hostname": part.host,
        "port": part.port,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [certificate]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    return manifest(
        part,
        "gateway.networking.k8s.io/v1",
        "Gateway",
        GATEWAY_NAME,
        component=COMPONENT,
        annotations={"pulumi.com/waitFor": "condition=Programmed"},
        spec={
            "gatewayClassName": part.gateway_class,
            "infrastructure": {
                "parametersRef": {
                    "group": "gateway.envoyproxy.io",
                    "kind": "EnvoyProxy",
                    "name": GATEWAY_NAME,
                }
            },
            "listeners": [listener],
            **({"addresses": addresses} if (addresses := gateway_addresses(part)) else {}),
        },
    )


def envoy_proxy(part: IngressPart) -> Manifest:
    """Return how Envoy ends: it serves the turns that run, however long they take, before its pod goes.

    Envoy Gateway 1.9 gives the pod five minutes more than that, and would cut streams after 60 s by itself
    (internal/infrastructure/kubernetes/proxy/resource_provider.go and proxy_args.go, v1.9.1). What the
    GatewayClass says besides stays: without `mergeType` this object would take its place.
    """
    return manifest(
        part,
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyProxy",
        GATEWAY_NAME,
        component=COMPONENT,
        spec={
            "mergeType": "StrategicMerge",
            "shutdown": {"drainTimeout": format_duration(part.timeouts.gateway_seconds)},
            # A class may lead to Services' own addresses, behind which nobody knows of sessions.
            **({"routingType": "Endpoint"} if part.keeps_sessions else {}),
            **envoy_provider(part),
        },
    )


def certificates(part: IngressPart) -> list[Manifest]:
    """Return the cert-manager Certificate, or nothing where the stack names an existing Secret."""
    tls = part.tls
    if tls.issuer is None:
        return []
    certificate = manifest(
        part,
        "cert-manager.io/v1",
        "Certificate",
        _CERTIFICATE,
        component=COMPONENT,
        spec={
            "secretName": _CERTIFICATE,
            "dnsNames": [part.host],
            "issuerRef": {"group": "cert-manager.io", "kind": tls.issuer_kind, "name": tls.issuer},
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["digital signature", "server auth"],
        },
    )
    return [certificate]


def routes(part: IngressPart) -> list[Manifest]:
    """Return routes with their filters and policies, filters first.

    The connection contract has a route of its own, so that the key check does not attach to it.
    """
    contract = part.connection
    objects = [*(contract_filters(part, contract) if contract is not None else []), *_backends(part)]
    if part.software == "envoy-gateway":
        objects.append(models_filter(part))
        objects.append(_http_route(part, AGENTS_ROUTE, _agent_rules(part)))
        objects.append(_http_route(part, MODELS_ROUTE, [models_rule()]))
        if reads_bodies(part, native_paths(part)):
            objects.append(extension_policy(part, AGENTS_ROUTE, native_paths(part)))
        objects.append(backend_traffic_policy(part, [AGENTS_ROUTE]))
        if part.keeps_sessions and part.balances_sessions:
            objects.append(balance_policy(part, AGENTS_ROUTE, _rules_with_replicas(part)))
    if contract is not None:
        objects.append(_http_route(part, CONNECTION_ROUTE, contract_rules(contract)))
    objects.append(client_traffic_policy(part))
    return objects


def _backends(part: IngressPart) -> list[Manifest]:
    specs = {
        backend_name(server): backend_spec(server)
        for server in part.servers
        if has_backend(server) or part.software != "envoy-gateway"
    }
    api_version = "gateway.envoyproxy.io/v1alpha1"
    return [
        manifest(part, api_version, "Backend", name, component=COMPONENT, spec=spec)
        for name, spec in specs.items()
    ]


def _http_route(part: IngressPart, name: str, rules: list[Manifest]) -> Manifest:
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY_NAME,
        "sectionName": "https",
    }
    return manifest(
        part,
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        name,
        component=COMPONENT,
        spec={"parentRefs": [parent], "hostnames": [part.host], "rules": rules},
    )


def _agent_rules(part: IngressPart) -> list[Manifest]:
    rules = []
    native = native_paths(part)
    if native:
        main, *others = part.servers
        if routes_by_model(part, native):
            # The main role needs no rule of its own: what no header says goes there. HTTPRoute allows 16
            # rules.
            rules += [_server_rule(part, native, server, model=server.name) for server in others]
        rules.append(_server_rule(part, native, main, model=None))
    if part.proxy is not None:
        credential = _credential(proxy_credential_of(part.proxy).filter)
        rules.append(_rule(part, proxy_paths(part), None, proxy_backend(part.proxy), [credential]))
    return rules


def _rules_with_replicas(part: IngressPart) -> list[int]:
    """Return the numbers of the agents' rules that lead to several replicas of a server, whose pods Envoy knows."""
    main, *others = part.servers
    servers = [*others, main] if routes_by_model(part, native_paths(part)) else [main]
    return [
        number for number, server in enumerate(servers) if server.replicas > 1 and not has_backend(server)
    ]


def _server_rule(
    part: IngressPart, paths: tuple[str, ...], server: ServerReference, *, model: str | None
) -> Manifest:
    credential = credential_of(server)
    # Whatever key a developer sent ends here; a server without one of its own is sent none.
    filters = [] if credential is None else [_credential(credential.filter)]
    if server.mode == "Knative":
        # Knative's ingress picks the revision by host name.
        rewrite = {"type": "URLRewrite", "urlRewrite": {"hostname": server_host(server)}}
        filters.append(rewrite)
    return _rule(part, paths, model, server_backend(server), filters)


def _rule(
    part: IngressPart, paths: tuple[str, ...], model: str | None, backend: Manifest, filters: list[Manifest]
) -> Manifest:
    limit = format_duration(part.timeouts.route_seconds)
    # The key check removes the header it found the key in; a client may have sent the other one as well.
    strip = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x-api-key"]}}
    return {
        "matches": [_match(path, model) for path in paths],
        "filters": [strip, *filters],
        "backendRefs": [backend],
        "timeouts": {"request": limit, "backendRequest": limit},
    }


def _match(path: str, model: str | None) -> Manifest:
    match: Manifest = {"path": {"type": "Exact", "value": path}, "method": "POST"}
    if model is not None:
        match["headers"] = [{"type": "Exact", "name": MODEL_HEADER, "value": model}]
    return match


def _credential(name: str) -> Manifest:
    reference = {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": name}
    return {"type": "ExtensionRef", "extensionRef": reference}
