"""Ways to model servers beside the Gateway API: OpenShift's Routes, Ingresses and Istio's VirtualServices.

Sources, all read 2026-11: OpenShift 4 (the router waits 30 s for a Route without the annotation), ingress-nginx 1.14
and F5's NGINX Ingress Controller 5 (60 s between two reads, bodies of 1m), Istio 1.28 (no limit unless one is written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .attachment import servers_named
from .graph import UNKNOWN, Graph, Resource, Value, dig, items, once
from .openings import has_key, has_other_checks, proxies_check_keys, proxy_services
from .pods import pods
from .serving import Server, servers

Product = Literal["openshift", "nginx", "istio"]

_ROUTER_SECONDS = 30
_ROUTER_TIMEOUT = "haproxy.router.openshift.io/timeout"
_HAPROXY_DURATION = re.compile(r"(\d+)(us|ms|s|m|h|d|)")
_HAPROXY_UNITS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NGINX_SECONDS = 60
_NGINX_PREFIXES = ("nginx.ingress.kubernetes.io/", "nginx.org/")
_NGINX_CONTROLLERS = ("k8s.io/ingress-nginx", "nginx.org/ingress-controller")
# What makes nginx check who asks; the last two take clients by their certificates.
_NGINX_CHECKS = (
    "auth-url",
    "auth-type",
    "auth-secret",
    "basic-auth-secret",
    "jwt-key",
    "policies",
    "auth-tls-secret",
)
# Parts of the names of annotations by which other controllers check who asks.
_OTHER_CHECKS = ("auth", "middleware", "plugins", "oidc", "policies", "snippet")
# Names and images of containers beside a server that may check keys before it.
_SIDECAR = re.compile(r"auth|rbac|proxy|envoy|nginx|caddy|haproxy|httpd|gateway", re.IGNORECASE)
_ODH_AUTH = "security.opendatahub.io/enable-auth"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How long a way waits. `what` reads as a noun; `silence` tells that it bounds the pauses in an answer alone."""

    what: str
    field: str
    value: Value
    by_default: bool = False
    silence: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One rule of an object that leads to servers; `product` is None where nothing tells which runs it.

    `prefixes` are the beginnings of the paths that it lets through, none where they can't be told. `outside` tells
    whether it is reached from outside of the cluster, `proxied` whether another proxy stands between.
    """

    resource: Resource
    place: str
    servers: tuple[Server, ...]
    proxied: bool
    product: Product | None
    prefixes: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    outside: bool = True


@once
def entries(graph: Graph) -> tuple[Entry, ...]:
    """Return the entries of a program."""
    found = list(servers(graph))
    return tuple(
        [*_routes(graph, found), *_ingresses(graph, found), *_virtual_services(graph, found)] if found else ()
    )


def checks_keys(graph: Graph, entry: Entry) -> bool | None:
    """Whether a key is checked behind or on an entry; None where nothing tells."""
    if not entry.outside or (
        proxies_check_keys(graph) if entry.proxied else all(map(has_key, entry.servers))
    ):
        return True
    if not entry.proxied and all(_is_guarded(graph, server) for server in entry.servers):
        return True
    annotations = _annotations(entry.resource)
    if entry.product == "nginx":
        told = {name.partition("/")[2] for name in annotations}
        snippets = any("snippet" in name for name in annotations)
        return snippets or not told.isdisjoint(_NGINX_CHECKS)
    if entry.product == "openshift":
        return False
    if has_other_checks(graph) or any(part in name for name in annotations for part in _OTHER_CHECKS):
        return True
    return None


def _is_guarded(graph: Graph, server: Server) -> bool:
    """Whether something in or around a server's pod may check keys: a container beside it, or Open Data Hub's proxy."""
    metadata = dig(server.resource.props, "metadata")
    for part in ("annotations", "labels"):
        if str(dig(metadata, part, _ODH_AUTH)).casefold() == "true":
            return True
    for pod in pods(graph):
        if pod.resource.urn == server.resource.urn:
            beside = [each.props for each in pod.containers if ".containers[" in each.field]
            texts = [f"{one.get('name')} {one.get('image')}" for one in beside if one is not server.container]
            if len(beside) > 1 and any(map(_SIDECAR.search, texts)):
                return True
    return False


def _annotations(resource: Resource) -> Mapping[str, Value]:
    annotations = dig(resource.props, "metadata", "annotations")
    return annotations if isinstance(annotations, Mapping) else {}


def _behind(
    graph: Graph, resource: Resource, names: list[Value], found: list[Server]
) -> tuple[list[Server], bool]:
    """Return the servers behind Services of these names, and whether a proxy stands between."""
    rule = {"backendRefs": [{"name": name} for name in names if name is not None]}
    direct = servers_named(graph, resource, rule, found)
    if direct:
        return direct, False
    proxies = list(proxy_services(graph))
    to_proxy = any((name, resource.namespace) in proxies for name in names)
    return (found, True) if to_proxy else ([], False)


def _routes(graph: Graph, found: list[Server]) -> Iterator[Entry]:
    for route in graph.of_kind("route.openshift.io", "Route"):
        spec = dig(route.props, "spec")
        names = [
            dig(spec, "to", "name"),
            *(dig(each, "name") for each in items(dig(spec, "alternateBackends"))),
        ]
        reached, proxied = _behind(graph, route, names, found)
        given = route.annotation(_ROUTER_TIMEOUT)
        limit = Limit(
            what="the router's timeout"
            if given is not None
            else "the router's timeout (OpenShift's default)",
            field=f"the annotation {_ROUTER_TIMEOUT}",
            value=_ROUTER_SECONDS if given is None else _haproxy_seconds(given),
            by_default=given is None,
        )
        path = dig(spec, "path")
        if reached:
            yield Entry(
                resource=route,
                place="spec.to",
                servers=tuple(reached),
                proxied=proxied,
                product="openshift",
                prefixes=() if path is UNKNOWN else (str(path or "/"),),
                limits=(limit,),
            )


def _haproxy_seconds(value: Value) -> Value:
    """Return a duration as HAProxy 2.8 writes it in seconds: one number and a unit, ms without one."""
    found = _HAPROXY_DURATION.fullmatch(value) if isinstance(value, str) else None
    return value if found is None else int(found[1]) * _HAPROXY_UNITS[found[2]]


def _ingresses(graph: Graph, found: list[Server]) -> Iterator[Entry]:
    for ingress in graph.of_kind("networking.k8s.io", "Ingress"):
        product = _product_of(graph, ingress)
        limits = tuple(_nginx_limits(graph, ingress)) if product == "nginx" else ()
        rewritten = any(name.endswith(("rewrite-target", "/rewrites")) for name in _annotations(ingress))
        for place, backend, path in _backends(ingress):
            reached, proxied = _behind(graph, ingress, [dig(backend, "service", "name")], found)
            if reached:
                yield Entry(
                    resource=ingress,
                    place=place,
                    servers=tuple(reached),
                    proxied=proxied,
                    product=product,
                    prefixes=(path,) if path is not None and not rewritten else (),
                    limits=limits,
                )


def _backends(ingress: Resource) -> Iterator[tuple[str, Value, str | None]]:
    """Yield place, backend and beginning of the path of each way in an Ingress; None for an exact or odd path."""
    spec = dig(ingress.props, "spec")
    if dig(spec, "defaultBackend") is not None:
        yield "spec.defaultBackend", dig(spec, "defaultBackend"), "/"
    for at, rule in enumerate(items(dig(spec, "rules"))):
        for place, path in enumerate(items(dig(rule, "http", "paths"))):
            value = dig(path, "path")
            plain = value is None or (isinstance(value, str) and re.fullmatch(r"[\w./-]*", value) is not None)
            prefix = str(value or "/") if plain and dig(path, "pathType") != "Exact" else None
            yield f"spec.rules[{at}].http.paths[{place}]", dig(path, "backend"), prefix


def _product_of(graph: Graph, ingress: Resource) -> Product | None:
    """Return nginx where the class of an Ingress, or without one its annotations, tell it."""
    named = dig(ingress.props, "spec", "ingressClassName") or ingress.annotation(
        "kubernetes.io/ingress.class"
    )
    for known in graph.of_kind("networking.k8s.io", "IngressClass"):
        controller = dig(known.props, "spec", "controller")
        if known.object_name == named and isinstance(controller, str):
            return "nginx" if controller in _NGINX_CONTROLLERS else None
    if named is not None and named is not UNKNOWN:
        return "nginx" if "nginx" in str(named).casefold() else None
    return "nginx" if any(name.startswith(_NGINX_PREFIXES) for name in _annotations(ingress)) else None


def _nginx_limits(graph: Graph, ingress: Resource) -> Iterator[Limit]:
    if any(
        "snippet" in name and "proxy_read_timeout" in str(text)
        for name, text in _annotations(ingress).items()
    ):
        return
    value, field = nginx_setting(graph, ingress, "proxy-read-timeout")
    seconds = value if value is not None else _NGINX_SECONDS
    yield Limit(
        what="the silence that nginx bears" + ("" if value is not None else " (its default)"),
        field=field,
        value=int(seconds) if isinstance(seconds, str) and seconds.isdigit() else seconds,
        by_default=value is None,
        silence=True,
    )


def nginx_setting(graph: Graph, ingress: Resource, key: str, f5: str | None = None) -> tuple[Value, str]:
    """Return what an Ingress or nginx's own ConfigMap in the program sets, None without, and where to set it.

    `f5` is the key of F5's controller where that has another one.
    """
    community, other = _NGINX_PREFIXES
    for name in (f"{community}{key}", f"{other}{f5 or key}"):
        value = ingress.annotation(name)
        if value is not None:
            return value, f"the annotation {name}"
    for config in graph.of_kind("core", "ConfigMap"):
        for name in (key, f5 or key):
            value = dig(config.props, "data", name)
            if value is not None and value is not UNKNOWN:
                return value, f"data[{name}] of {config}"
    return None, f"the annotation {community}{key}"


def _virtual_services(graph: Graph, found: list[Server]) -> Iterator[Entry]:
    for service in graph.of_kind("networking.istio.io", "VirtualService"):
        gateways = dig(service.props, "spec", "gateways")
        outside = gateways is UNKNOWN or any(name != "mesh" for name in items(gateways))
        for at, rule in enumerate(items(dig(service.props, "spec", "http"))):
            names = [dig(each, "destination", "host") for each in items(dig(rule, "route"))]
            names = [name.split(".", 1)[0] if isinstance(name, str) else name for name in names]
            reached, proxied = _behind(graph, service, names, found)
            if reached:
                yield Entry(
                    resource=service,
                    place=f"spec.http[{at}]",
                    servers=tuple(reached),
                    proxied=proxied,
                    product="istio",
                    prefixes=tuple(_istio_prefixes(rule)),
                    limits=tuple(_istio_limits(rule, f"spec.http[{at}]")),
                    outside=outside,
                )


def _istio_prefixes(rule: Value) -> Iterator[str]:
    rewrite = dig(rule, "rewrite", "uri")
    for match in items(dig(rule, "match")) or [{}]:
        uri = dig(match, "uri")
        prefix = "/" if uri is None else dig(uri, "prefix")
        if isinstance(prefix, str):
            yield rewrite if isinstance(rewrite, str) else prefix


def _istio_limits(rule: Value, place: str) -> Iterator[Limit]:
    if dig(rule, "timeout") is not None:
        yield Limit(what="the route's timeout", field=f"{place}.timeout", value=dig(rule, "timeout"))
    each = dig(rule, "retries", "perTryTimeout")
    if each is not None:
        yield Limit(what="the limit of each try", field=f"{place}.retries.perTryTimeout", value=each)
