"""What a stack says of the pods and the Service that Envoy Gateway makes for its Gateway.

Facts: Envoy Gateway v1.9.0, internal/infrastructure/kubernetes/proxy/resource.go and resource_provider.go, and the CRD
of v1.9.1 (read 2026-11). Nothing is said where the stack says nothing: the GatewayClass's own settings hold then.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, container_security, spread
from onprem_agents.plan import ENVOY_IMAGE, GATEWAY_NAME, IngressPart, Scope

_OWNER_NAME = "gateway.envoyproxy.io/owning-gateway-name"
_OWNER_NAMESPACE = "gateway.envoyproxy.io/owning-gateway-namespace"
# Envoy's own port for a privileged one of a listener (internal/gatewayapi/translator.go).
_PRIVILEGED_PORTS, _PORT_SHIFT = 1024, 10_000
# Envoy Gateway gives both containers these names, and pulls both images where they are not there yet.
_CONTAINERS = ("envoy", "shutdown-manager")


def proxy_labels(scope: Scope) -> dict[str, str]:
    """Return the labels that pick out the Gateway's own Envoys, wherever Envoy Gateway runs them."""
    return {_OWNER_NAME: GATEWAY_NAME, _OWNER_NAMESPACE: scope.namespace}


def proxy_port(listener_port: int) -> int:
    """Return the port on which an Envoy takes what comes to a port of the Gateway."""
    return listener_port + _PORT_SHIFT if listener_port < _PRIVILEGED_PORTS else listener_port


def gateway_addresses(part: IngressPart) -> list[Manifest]:
    """Return the addresses of the Gateway: the Service's external ones, or the cluster address of a ClusterIP."""
    addresses = part.service.addresses if part.service is not None else ()
    return [{"type": "IPAddress", "value": address} for address in addresses]


def envoy_provider(part: IngressPart) -> Manifest:
    """Return the `provider` of an EnvoyProxy as a field, or nothing."""
    kubernetes = _service(part) | _deployment(part) | _budget(part)
    return {"provider": {"type": "Kubernetes", "kubernetes": kubernetes}} if kubernetes else {}


def _service(part: IngressPart) -> Manifest:
    service = part.service
    if service is None:
        return {}
    found: Manifest = {"type": service.type}
    if service.type == "NodePort" or (service.addresses and service.type == "LoadBalancer"):
        # The default, Local, drops what reaches a node without an Envoy.
        found["externalTrafficPolicy"] = "Cluster"
    if service.load_balancer_class is not None:
        found["loadBalancerClass"] = service.load_balancer_class
    if service.annotations:
        found["annotations"] = dict(service.annotations)
    port = service.port_of_nodes(part.port)
    if port is not None:
        ports = [{"port": part.port, "protocol": "TCP", "nodePort": port}]
        found["patch"] = {"type": "StrategicMerge", "value": {"spec": {"ports": ports}}}
    return {"envoyService": found}


def _deployment(part: IngressPart) -> Manifest:
    found: Manifest = {} if part.gateway_replicas == 1 else {"replicas": part.gateway_replicas}
    container: Manifest = {}
    reference = part.images.reference(ENVOY_IMAGE)
    if reference != ENVOY_IMAGE:
        container["image"] = reference
    if part.pod_ids == "platform":
        # It takes the place of Envoy Gateway's own for both containers, which names user and group 65532.
        container["securityContext"] = container_security(read_only_root=False) | {
            "seccompProfile": {"type": "RuntimeDefault"}
        }
    if container:
        found["container"] = container
    pod: Manifest = {}
    if part.gateway_replicas > 1:
        pod["topologySpreadConstraints"] = spread(proxy_labels(part))
    if part.images.registry is not None and part.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in part.image_pull_secrets]
    if pod:
        found["pod"] = pod
    if part.images.pull_policy != "IfNotPresent":
        pulled = [{"name": name, "imagePullPolicy": part.images.pull_policy} for name in _CONTAINERS]
        template = {"spec": {"template": {"spec": {"containers": pulled}}}}
        found["patch"] = {"type": "StrategicMerge", "value": template}
    return {"envoyDeployment": found} if found else {}


def _budget(part: IngressPart) -> Manifest:
    """Return that nodes which are drained take one of several Envoys at a time."""
    return {} if part.gateway_replicas == 1 else {"envoyPDB": {"minAvailable": part.gateway_replicas - 1}}
