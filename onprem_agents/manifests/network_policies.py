"""Who may talk to whom in the namespace: nobody, except gateway → proxy → model servers, and DNS.

Nothing scrapes, nothing pulls, nothing phones home. A model server gets a way out only while its source is
`hf://` or `s3://` and the download runs in the server's own pod, so that the rule covers both; where a Job loads a
claim, its pods have the way out instead. Where nobody says where to, it is HTTPS to any address, since object stores
and mirrors are named in a Secret that is not read here. Use `pvc://` or `oci://` where no pod may leave the cluster.
Kubelet probes are not subject to NetworkPolicies.
"""

from __future__ import annotations

from ipaddress import ip_network

from onprem_agents.manifests import inference_service, model_cache, translation_proxy
from onprem_agents.manifests.envoy_provider import proxy_labels, proxy_port
from onprem_agents.manifests.meta import COMPONENT_LABEL, Manifest, manifest
from onprem_agents.manifests.model_server import server_port
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.cache import ClaimCache
from onprem_agents.stack.network import Dns, Network

COMPONENT = "network"

_DNS_PORT = 53
_HTTPS_PORT = 443
_NAMESPACE_NAME = "kubernetes.io/metadata.name"

# Ports of Knative's queue-proxy (serving 1.21): HTTP/1, HTTP/2 and its own metrics for the autoscaler.
_QUEUE_PROXY_PORTS = (8012, 8013, 9090)
# Where Envoys get their configuration and Wasm files (Envoy Gateway 1.9.0, chart and internal/wasm, read 2026-11).
_CONTROLLER = {"control-plane": "envoy-gateway"}
_CONTROLLER_PORTS = (18000, 18002)
_KNATIVE_NAMESPACES = ("knative-serving", "kourier-system", "istio-system")


def network_policies(plan: PlatformPlan) -> list[Manifest]:
    """Return all NetworkPolicies, the denial of everything first."""
    policies = [
        _policy(plan, "default-deny", {}, ingress=[], egress=[]),
        _policy(plan, "allow-dns", {}, egress=_dns(plan.settings.network.dns)),
        _policy(plan, "model-servers", _servers(), ingress=_to_servers(plan)),
        _gateway(plan),
    ]
    downloads = _downloads(plan.settings.network)
    if any(serving.pods_download for serving in plan.serving):
        policies.append(_policy(plan, "model-download", _servers(), egress=downloads))
    if any(isinstance(serving.cache, ClaimCache) for serving in plan.serving):
        loaders = {COMPONENT_LABEL: model_cache.COMPONENT}
        policies.append(_policy(plan, "model-cache", loaders, egress=downloads))
    if translation_proxy.software(plan.settings.translation) is not None:
        policies.append(_proxy(plan))
    return policies


def _servers() -> dict[str, str]:
    """Return what all model servers of the namespace bear, also those that an earlier version started."""
    return {COMPONENT_LABEL: inference_service.COMPONENT}


def _gateway_peers(plan: PlatformPlan) -> list[Manifest]:
    """Our Gateway's proxies, in Envoy Gateway's namespace or, in its gateway-namespace mode, in ours."""
    pods = {"matchLabels": proxy_labels(plan)}
    namespace = {"matchLabels": {_NAMESPACE_NAME: plan.access.gateway_namespace}}
    return [{"namespaceSelector": namespace, "podSelector": pods}, {"podSelector": pods}]


def _gateway(plan: PlatformPlan) -> Manifest:
    """Return what the Gateway's Envoys need where they run in this namespace; it picks no pod where they do not."""
    ports = sorted({server_port(serving) for serving in plan.serving})
    controllers = {"namespaceSelector": {}, "podSelector": {"matchLabels": _CONTROLLER}}
    out = [
        {"to": [controllers], "ports": _tcp(_CONTROLLER_PORTS)},
        {"to": [{"podSelector": {"matchLabels": _servers()}}], "ports": _tcp(ports)},
    ]
    proxy = translation_proxy.software(plan.settings.translation)
    if proxy is not None:
        pods = {"podSelector": {"matchLabels": translation_proxy.pod_labels(plan)}}
        out.append({"to": [pods], "ports": _tcp([proxy.port])})
    if plan.settings.serving.mode == "Knative":
        out.append({"to": [_knative()]})
    return _policy(
        plan,
        "gateway",
        proxy_labels(plan),
        ingress=[{"ports": _tcp([proxy_port(plan.access.port)])}],
        egress=out,
    )


def _knative() -> Manifest:
    names = {"key": _NAMESPACE_NAME, "operator": "In", "values": list(_KNATIVE_NAMESPACES)}
    return {"namespaceSelector": {"matchExpressions": [names]}}


def _to_servers(plan: PlatformPlan) -> list[Manifest]:
    ports = sorted({server_port(serving) for serving in plan.serving})
    peers = _gateway_peers(plan)
    if translation_proxy.software(plan.settings.translation) is not None:
        peers.append({"podSelector": {"matchLabels": translation_proxy.pod_labels(plan)}})
    rules = [{"from": peers, "ports": _tcp(ports)}]
    if plan.settings.serving.mode == "Knative":
        rules.append({"from": [_knative()], "ports": _tcp(_QUEUE_PROXY_PORTS)})
    return rules


def _proxy(plan: PlatformPlan) -> Manifest:
    proxy = translation_proxy.software(plan.settings.translation)
    port = proxy.port if proxy is not None else 0
    selector = translation_proxy.pod_labels(plan)
    ports = sorted({server_port(serving) for serving in plan.serving})
    return _policy(
        plan,
        "translation-proxy",
        selector,
        ingress=[{"from": _gateway_peers(plan), "ports": _tcp([port])}],
        egress=[{"to": [{"podSelector": {"matchLabels": _servers()}}], "ports": _tcp(ports)}],
    )


def _dns(dns: Dns) -> list[Manifest]:
    pods: Manifest = {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: dns.namespace}}}
    if dns.pod_labels:
        pods["podSelector"] = {"matchLabels": dict(dns.pod_labels)}
    rules = [{"to": [pods], "ports": _dns_ports(dns.port)}]
    if dns.cidrs:
        rules.append({"to": [_block(cidr) for cidr in dns.cidrs], "ports": _dns_ports(_DNS_PORT)})
    return rules


def _dns_ports(port: int) -> list[Manifest]:
    return [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]


def _downloads(network: Network) -> list[Manifest]:
    """Return where downloads may go: what is said, else HTTPS anywhere; through a proxy, to the proxy alone."""
    rules = [{"to": [_block(each.cidr)], "ports": _tcp(each.ports)} for each in network.egress]
    if network.proxy is None:
        return rules or [{"ports": _tcp((_HTTPS_PORT,))}]
    for host, port in network.proxy.endpoints():
        cidr = network.proxy.cidr or _own_range(host)
        rules.append(({} if cidr is None else {"to": [_block(cidr)]}) | {"ports": _tcp((port,))})
    return rules


def _own_range(host: str) -> str | None:
    """Return an address as the range of it alone, None for a name."""
    try:
        return str(ip_network(host))
    except ValueError:
        return None


def _block(cidr: str) -> Manifest:
    return {"ipBlock": {"cidr": cidr}}


def _tcp(ports: tuple[int, ...] | list[int]) -> list[Manifest]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _policy(
    plan: PlatformPlan,
    name: str,
    selector: dict[str, str],
    *,
    ingress: list[Manifest] | None = None,
    egress: list[Manifest] | None = None,
) -> Manifest:
    spec: Manifest = {"podSelector": {"matchLabels": selector} if selector else {}, "policyTypes": []}
    for policy_type, key, rules in (("Ingress", "ingress", ingress), ("Egress", "egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(policy_type)
            if rules:
                spec[key] = rules
    return manifest(plan, "networking.k8s.io/v1", "NetworkPolicy", name, component=COMPONENT, spec=spec)
