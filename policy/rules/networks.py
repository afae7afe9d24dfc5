"""Who reaches model servers past their gateway: Services, networks, and a gateway whose policies are skipped."""

from __future__ import annotations

from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items, may_equal
from ..openings import has_key, openings
from ..pods import pods
from ..services import selects, services
from ..serving import servers

# Where Envoy Gateway's own Helm chart installs (v1.9, read 2026-11).
_CONTROLLER_NAMESPACE = "envoy-gateway-system"


def servers_stay_behind_the_gateway(graph: Graph) -> list[Violation]:
    """No Service opens a model server on the nodes or a load balancer: its users would need no key of their own.

    Read are `type` and `externalIPs` of Services whose selector picks the server's pods. A server that has its own key
    still answers paths outside of /v1 without. Needs literals: a type that is only known at run time is a violation.
    """
    found = []
    keys = {server.resource.urn: has_key(server) for server in servers(graph)}
    for service in services(graph):
        how = _opens(service)
        for pod in pods(graph) if how else ():
            if not pod.serves or not selects(service, pod.resource):
                continue
            key = (
                "with one key for everybody, and without any for /invocations and /metrics"
                if keys.get(pod.resource.urn)
                else "without any key"
            )
            message = f"{service} {how}, so that {pod.resource} is reached past the gateway, {key}."
            change = "Set spec.type: ClusterIP and lead a route to it."
            found.append(Violation(resource=service, message=message, change=change))
            break
    return found


def _opens(service: Resource) -> str:
    kind = dig(service.props, "spec", "type")
    if kind is UNKNOWN:
        return "has a type that is only known at run time"
    if kind in ("NodePort", "LoadBalancer"):
        return f"has type {kind}"
    return "has externalIPs" if items(dig(service.props, "spec", "externalIPs")) else ""


def networks_deny_by_default(graph: Graph) -> list[Violation]:
    """The namespace of a model server, where this program makes it, lets nobody in who is not named.

    Advisory, as another program or the cluster's own policies may do it. A NetworkPolicy for all pods with the type
    Ingress and no rule is what is looked for; one that is only known at run time counts.
    """
    found = []
    for space in graph.of_kind("core", "Namespace"):
        name = space.object_name
        serving = [pod for pod in pods(graph) if pod.serves and pod.resource.namespace == name]
        if not serving or any(_denies(policy, name) for policy in _network_policies(graph)):
            continue
        message = (
            f"{space} holds {serving[0].resource} and lets every pod of the cluster in: a server that is reached past"
            " its gateway checks no developer's key."
        )
        change = (
            "Add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress], and one for each way that is"
            " needed."
        )
        found.append(Violation(resource=space, message=message, change=change))
    return found


def _network_policies(graph: Graph) -> list[Resource]:
    return list(graph.of_kind("networking.k8s.io", "NetworkPolicy"))


def _denies(policy: Resource, namespace: Value) -> bool:
    spec = dig(policy.props, "spec")
    if not may_equal(policy.namespace, namespace):
        return False
    types, selector = dig(spec, "policyTypes"), dig(spec, "podSelector")
    everybody = selector in (UNKNOWN, {}, None) or selector == {"matchLabels": {}}
    inwards = types in (None, UNKNOWN) or "Ingress" in items(types) or UNKNOWN in items(types)
    return everybody and inwards and not items(dig(spec, "ingress"))


def gateways_have_their_own_namespace(graph: Graph) -> list[Violation]:
    """No Gateway or route to model servers lies in Envoy Gateway's own namespace.

    Advisory: before release 0.6 of the AI gateway a request without a key was answered there although the key check
    was accepted (its documentation, read 2026-11).
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        gateways = [listener.gateway for listener in opening.listeners if listener.gateway is not None]
        for resource in (opening.route, *gateways):
            if resource.namespace == _CONTROLLER_NAMESPACE:
                message = (
                    f"{resource} lies in the namespace of Envoy Gateway itself, where filters of the AI gateway and"
                    " checks of keys may be skipped though they read Accepted."
                )
                change = "Put Gateway, routes and policies into a namespace of their own."
                violation = Violation(resource=resource, message=message, change=change)
                found.setdefault(violation.told, violation)
    return list(found.values())
