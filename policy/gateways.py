"""Which gateway carries a route: its Gateway, its listeners, and the product that runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .attachment import ENVOY_GATEWAY, GATEWAY_API, targets_of
from .graph import UNKNOWN, Graph, Resource, Value, dig, items, may_equal

Product = Literal["envoy", "kgateway", "agentgateway", "istio", "openshift", "nginx", "gke"]

# controllerName of a GatewayClass, by its beginning; the products' own documentation, read 2026-11.
_CONTROLLERS: tuple[tuple[str, Product], ...] = (
    ("gateway.envoyproxy.io/", "envoy"),
    ("kgateway.dev/agentgateway", "agentgateway"),
    ("kgateway.dev/", "kgateway"),
    ("agentgateway.dev/", "agentgateway"),
    ("istio.io/", "istio"),
    ("openshift.io/gateway-controller", "openshift"),
    ("gateway.nginx.org/", "nginx"),
    ("networking.gke.io/", "gke"),
)
# Names of GatewayClasses that a product makes by itself or whose quick start everybody follows (read 2026-11).
_CLASSES: tuple[tuple[str, Product], ...] = (
    ("eg", "envoy"),
    ("envoy-gateway", "envoy"),
    ("envoy-ai-gateway", "envoy"),
    ("kgateway", "kgateway"),
    ("agentgateway", "agentgateway"),
    ("istio", "istio"),
    ("openshift-default", "openshift"),
    ("data-science-gateway-class", "openshift"),
    ("nginx", "nginx"),
)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener that a route hangs on; `gateway` is None where its Gateway is not in the program.

    `props` is None for a listener that can't be told, as of a Gateway that is elsewhere.
    """

    parent: Value
    namespace: Value
    section: Value
    gateway: Resource | None
    props: Value
    product: Product | None

    def __str__(self) -> str:
        name = self.parent if isinstance(self.parent, str) else "known at run time"
        section = f", listener {self.section}" if isinstance(self.section, str) else ""
        return f"Gateway {name}{section}"


def listeners_of(graph: Graph, route: Resource) -> Iterator[Listener]:
    """Yield the listeners that a route hangs on; a parent without a section means each of its Gateway."""
    for parent in items(dig(route.props, "spec", "parentRefs")):
        if dig(parent, "kind") not in (None, "Gateway", UNKNOWN):
            continue  # a Service, in a mesh
        name, section, port = dig(parent, "name"), dig(parent, "sectionName"), dig(parent, "port")
        namespace = dig(parent, "namespace") or route.namespace
        gateway = _gateway(graph, name, namespace)
        known = None if gateway is None else dig(gateway.props, "spec", "listeners")
        picked = [
            listener
            for listener in items(known)
            if (section is None or may_equal(dig(listener, "name"), section))
            and (port is None or may_equal(dig(listener, "port"), port))
        ]
        product = product_of(graph, gateway, name, namespace) or _told_by_policies(graph, route)
        for listener in picked or [UNKNOWN if known is UNKNOWN else None]:
            told = dig(listener, "name") if listener is not None else section
            yield Listener(
                parent=name,
                namespace=namespace,
                section=told,
                gateway=gateway,
                props=listener,
                product=product,
            )


def product_of(graph: Graph, gateway: Resource | None, name: Value, namespace: Value) -> Product | None:
    """Return the product that runs a Gateway, None where nothing tells.

    Told by the controller of its class, by the name of its class, or by policies of Envoy Gateway on it. A class that
    is only known at run time is read as Envoy Gateway's, whose defaults are the strictest to pass.
    """
    of_class = None if gateway is None else dig(gateway.props, "spec", "gatewayClassName")
    if of_class is UNKNOWN:
        return "envoy"
    if isinstance(of_class, str):
        for known in graph.of_kind(GATEWAY_API, "GatewayClass"):
            controller = dig(known.props, "spec", "controllerName")
            if known.object_name == of_class and isinstance(controller, str):
                return next(
                    (product for start, product in _CONTROLLERS if controller.startswith(start)), None
                )
        named = next((product for text, product in _CLASSES if of_class == text), None)
        if named is not None or of_class.startswith("gke-"):
            return named or "gke"
    for kind in ("ClientTrafficPolicy", "BackendTrafficPolicy", "SecurityPolicy"):
        for policy in graph.of_kind(ENVOY_GATEWAY, kind):
            targets = targets_of(policy)
            hit = any(dig(target, "kind") == "Gateway" and dig(target, "name") == name for target in targets)
            if hit and may_equal(policy.namespace, namespace):
                return "envoy"
    return None


def _told_by_policies(graph: Graph, route: Resource) -> Product | None:
    """Return Envoy Gateway where one of its policies or the AI gateway's routes names a route's own name."""
    if route.kind == "AIGatewayRoute":
        return "envoy"
    for kind in ("BackendTrafficPolicy", "SecurityPolicy", "EnvoyExtensionPolicy"):
        for policy in graph.of_kind(ENVOY_GATEWAY, kind):
            targets = targets_of(policy)
            named = any(dig(target, "name") == route.object_name for target in targets)
            if named and policy.namespace == route.namespace:
                return "envoy"
    return None


def envoy_proxy_of(graph: Graph, gateway: Resource) -> Resource | None:
    """Return the EnvoyProxy that says how a Gateway's Envoys are run, None without one in the program."""
    name = dig(gateway.props, "spec", "infrastructure", "parametersRef", "name")
    for proxy in graph.of_kind(ENVOY_GATEWAY, "EnvoyProxy"):
        if name is not None and proxy.object_name == name and proxy.namespace == gateway.namespace:
            return proxy
    return None


def _gateway(graph: Graph, name: Value, namespace: Value) -> Resource | None:
    for gateway in graph.of_kind(GATEWAY_API, "Gateway"):
        if may_equal(gateway.object_name, name) and may_equal(gateway.namespace, namespace):
            return gateway
    return None
