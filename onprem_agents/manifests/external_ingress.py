"""The way in: a Gateway with TLS, and routes for exactly the paths that agents use.

The Gateway stands in the stack's own namespace: in the one of Envoy Gateway itself, policies were seen
accepted and not applied. A TLS Secret of another namespace needs a ReferenceGrant there, which that
namespace's owner makes (from Gateway in ours, to Secret); we never write into foreign namespaces.
"""

from __future__ import annotations

from onprem_agents.manifests.direct_responses import (
    CONNECTION_ROUTE,
    MODELS_ROUTE,
    connection_filter,
    connection_rule,
    models_filter,
    models_rule,
)
from onprem_agents.manifests.endpoints import (
    backend_name,
    backend_spec,
    has_backend,
    native_paths,
    predictor_backend,
    predictor_host,
    proxy_backend,
    proxy_paths,
)
from onprem_agents.manifests.gateway_auth import PROXY_CREDENTIAL, SERVER_CREDENTIAL
from onprem_agents.manifests.meta import GATEWAY_NAME, Manifest, manifest
from onprem_agents.manifests.model_routing import MODEL_HEADER, extension_policy, routes_by_model
from onprem_agents.manifests.traffic_policies import backend_traffic_policy, client_traffic_policy
from onprem_agents.plan import PlatformPlan, ServingPlan
from onprem_agents.units import format_duration

COMPONENT = "external-ingress"
AGENTS_ROUTE = f"{GATEWAY_NAME}-agents"
_CERTIFICATE = f"{GATEWAY_NAME}-tls"


def gateway(plan: PlatformPlan) -> Manifest:
    """Return the Gateway: one HTTPS listener for one host name, and no plain HTTP at all."""
    tls = plan.access.tls
    certificate: Manifest = {"group": "", "kind": "Secret", "name": tls.secret_name or _CERTIFICATE}
    if tls.secret_namespace is not None:
        certificate["namespace"] = tls.secret_namespace
    listener = {
        "name": "https",
        "hostname": plan.access.host,
        "port": plan.access.port,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [certificate]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    return manifest(
        plan,
        "gateway.networking.k8s.io/v1",
        "Gateway",
        GATEWAY_NAME,
        component=COMPONENT,
        annotations={"pulumi.com/waitFor": "condition=Programmed"},
        spec={
            "gatewayClassName": plan.access.gateway_class,
            "infrastructure": {
                "parametersRef": {
                    "group": "gateway.envoyproxy.io",
                    "kind": "EnvoyProxy",
                    "name": GATEWAY_NAME,
                }
            },
            "listeners": [listener],
        },
    )


def envoy_proxy(plan: PlatformPlan) -> Manifest:
    """Return how Envoy ends: it serves the turns that run, however long they take, before its pod goes.

    Envoy Gateway 1.9 gives the pod five minutes more than that, and would cut streams after 60 s by itself
    (internal/infrastructure/kubernetes/proxy/resource_provider.go and proxy_args.go, v1.9.1). What the
    GatewayClass says besides stays: without `mergeType` this object would take its place.
    """
    return manifest(
        plan,
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyProxy",
        GATEWAY_NAME,
        component=COMPONENT,
        spec={
            "mergeType": "StrategicMerge",
            "shutdown": {"drainTimeout": format_duration(plan.timeouts.gateway_seconds)},
        },
    )


def certificates(plan: PlatformPlan) -> list[Manifest]:
    """Return the cert-manager Certificate, or nothing where the stack names an existing Secret."""
    tls = plan.access.tls
    if tls.issuer is None:
        return []
    certificate = manifest(
        plan,
        "cert-manager.io/v1",
        "Certificate",
        _CERTIFICATE,
        component=COMPONENT,
        spec={
            "secretName": _CERTIFICATE,
            "dnsNames": [plan.access.host],
            "issuerRef": {"group": "cert-manager.io", "kind": tls.issuer_kind, "name": tls.issuer},
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["digital signature", "server auth"],
        },
    )
    return [certificate]


def routes(plan: PlatformPlan) -> list[Manifest]:
    """Return routes with their filters and policies, filters first.

    The connection contract has a route of its own, so that the key check does not attach to it.
    """
    objects = [connection_filter(plan), *_backends(plan)]
    if plan.access.gateway == "envoy-gateway":
        objects.append(models_filter(plan))
        objects.append(_http_route(plan, AGENTS_ROUTE, _agent_rules(plan)))
        objects.append(_http_route(plan, MODELS_ROUTE, [models_rule()]))
        if routes_by_model(plan, native_paths(plan)):
            objects.append(extension_policy(plan, AGENTS_ROUTE))
        objects.append(backend_traffic_policy(plan, [AGENTS_ROUTE]))
    objects.append(_http_route(plan, CONNECTION_ROUTE, [connection_rule()]))
    objects.append(client_traffic_policy(plan))
    return objects


def _backends(plan: PlatformPlan) -> list[Manifest]:
    specs = {
        backend_name(serving): backend_spec(plan, serving)
        for serving in plan.serving
        if has_backend(plan) or plan.access.gateway != "envoy-gateway"
    }
    api_version = "gateway.envoyproxy.io/v1alpha1"
    return [
        manifest(plan, api_version, "Backend", name, component=COMPONENT, spec=spec)
        for name, spec in specs.items()
    ]


def _http_route(plan: PlatformPlan, name: str, rules: list[Manifest]) -> Manifest:
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY_NAME,
        "sectionName": "https",
    }
    return manifest(
        plan,
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        name,
        component=COMPONENT,
        spec={"parentRefs": [parent], "hostnames": [plan.access.host], "rules": rules},
    )


def _agent_rules(plan: PlatformPlan) -> list[Manifest]:
    rules = []
    native = native_paths(plan)
    if native:
        if routes_by_model(plan, native):
            # The main role needs no rule of its own: what no header says goes there. HTTPRoute allows 16
            # rules.
            rules += [_server_rule(plan, native, serving, model=serving.name) for serving in plan.serving[1:]]
        rules.append(_server_rule(plan, native, plan.main, model=None))
    if proxy_paths(plan):
        credential = _credential(PROXY_CREDENTIAL)
        rules.append(_rule(plan, proxy_paths(plan), None, proxy_backend(), [credential]))
    return rules


def _server_rule(
    plan: PlatformPlan, paths: tuple[str, ...], serving: ServingPlan, *, model: str | None
) -> Manifest:
    filters = [_credential(SERVER_CREDENTIAL)]
    if plan.settings.serving.mode == "Knative":
        # Knative's ingress picks the revision by host name.
        rewrite = {"type": "URLRewrite", "urlRewrite": {"hostname": predictor_host(plan, serving)}}
        filters.append(rewrite)
    return _rule(plan, paths, model, predictor_backend(plan, serving), filters)


def _rule(
    plan: PlatformPlan, paths: tuple[str, ...], model: str | None, backend: Manifest, filters: list[Manifest]
) -> Manifest:
    limit = format_duration(plan.timeouts.route_seconds)
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
