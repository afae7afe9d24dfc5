"""routes-check-keys, listeners-speak-tls, paths-are-listed: what a request passes before it is at a model server."""

from __future__ import annotations

from collections.abc import Iterator

from ..gateways import Listener, envoy_proxy_of
from ..graph import UNKNOWN, Graph, Value, Violation, dig, items
from ..openings import Opening, checks_its_own_key, guard_of, openings
from .entry_checks import open_entries, paths_below, plain_entries, unguarded_entries

_FIX = (
    "Name what agents need with type: Exact (/v1/chat/completions, /v1/responses, /v1/messages, /v1/models)"
)


def routes_check_keys(graph: Graph) -> list[Violation]:
    """Every route to a model server has a check of keys on it or on its own listener.

    A SecurityPolicy of Envoy Gateway counts with a key, a token or a decision from elsewhere; one on a route takes the
    whole place of that on its Gateway; in another namespace it is on nothing. A server's own key counts where the
    route adds none for everybody and opens no path that it does not guard. Needs literals: a policy whose target or
    check is only known at run time proves nothing. What another program or gateway decides is left to the advisory
    exposure-can-be-checked.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for listener in opening.listeners:
            problem = _unguarded(graph, opening, listener)
            if problem:
                message = (
                    f"{opening.route} leads to {_servers(opening)} without a check of keys ({opening.place}):"
                    f" {problem}."
                )
                change = (
                    f"Put a SecurityPolicy with apiKeyAuth into namespace {_namespace(opening)} with the target"
                    f" HTTPRoute {opening.route.object_name}."
                )
                violation = Violation(resource=opening.route, message=message, change=change)
                found.setdefault(violation.told, violation)
    return [*found.values(), *unguarded_entries(graph)]


def _unguarded(graph: Graph, opening: Opening, listener: Listener) -> str:
    guard, what = guard_of(graph, opening, listener)
    if guard == "unknown":
        return f"{what}, so nothing proves that one is checked"
    if guard != "open":
        return ""
    if not checks_its_own_key(graph, opening):
        return what
    beyond = [path for path in private_paths(opening) if not path.startswith("/v1")]
    if beyond and not opening.proxied:
        return f"{what}, and the server's own key does not guard {', '.join(beyond)}"
    return ""


def listeners_speak_tls(graph: Graph) -> list[Violation]:
    """Every listener that carries a route to a model server speaks TLS: else keys and code are read on the way.

    Judged are Envoy Gateway's Gateways, whose Envoys are reached from outside unless their EnvoyProxy says ClusterIP.
    Needs literals: a protocol that is only known at run time is a violation.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for listener in opening.listeners:
            if (
                listener.gateway is None
                or not is_plain(listener)
                or not is_reached_from_outside(graph, listener)
            ):
                continue
            how = (
                "a protocol that is only known at run time"
                if _protocol(listener) is UNKNOWN
                else "plain HTTP"
            )
            message = (
                f"{listener.gateway} carries {opening.route} over {how} (listener {listener.section}): keys and code"
                " can be read on the way."
            )
            change = (
                "Set protocol: HTTPS with tls.certificateRefs, or name the HTTPS listener in sectionName of the"
                " route's parentRefs."
            )
            violation = Violation(resource=listener.gateway, message=message, change=change)
            found.setdefault(violation.told, violation)
    return [*found.values(), *plain_entries(graph)]


def is_plain(listener: Listener) -> bool:
    """Whether a listener speaks no TLS, or nothing proves that it does."""
    return _protocol(listener) in ("HTTP", "TCP", UNKNOWN)


def is_reached_from_outside(graph: Graph, listener: Listener) -> bool:
    """Whether the Envoys of a Gateway are, or may be, reached from outside of the cluster."""
    if listener.gateway is None or listener.product != "envoy":
        return False
    proxy = envoy_proxy_of(graph, listener.gateway)
    path = ("spec", "provider", "kubernetes", "envoyService", "type")
    return proxy is None or dig(proxy.props, *path) != "ClusterIP"


def _protocol(listener: Listener) -> Value:
    return dig(listener.props, "protocol")


def paths_are_listed(graph: Graph) -> list[Violation]:
    """A route to a model server names the paths it opens: a catch-all opens metrics and inference without a key too.

    Advisory. Routes of the AI gateway have paths of their own.
    """
    found = []
    for opening in openings(graph):
        opened = private_paths(opening)
        if opened:
            what = f"{', '.join(opened)} of {_servers(opening)}"
            message = f"{opening.route} opens {what} to its users ({opening.place})."
            change = f"{_FIX}."
            found.append(Violation(resource=opening.route, message=message, change=change))
    return [*found, *open_entries(graph)]


def private_paths(opening: Opening) -> list[str]:
    """Return the paths of a server that an opening lets through and agents don't need."""
    if opening.route.kind == "AIGatewayRoute":
        return []
    return paths_below(tuple(_prefixes(opening.rule)))


def _prefixes(rule: Value) -> Iterator[str]:
    """Yield the beginnings of paths that a rule lets through, as the server will see them."""
    rewritten = [
        dig(entry, "urlRewrite", "path", "replacePrefixMatch") for entry in items(dig(rule, "filters"))
    ]
    rewrite = next((path for path in rewritten if isinstance(path, str)), None)
    matches = items(dig(rule, "matches")) or [{}]
    for match in matches:
        kind, value = dig(match, "path", "type"), dig(match, "path", "value")
        if kind in (None, "PathPrefix") and value is not UNKNOWN:
            yield str(value or "/") if rewrite is None else rewrite


def _servers(opening: Opening) -> str:
    names = [str(server.resource) for server in opening.servers]
    return names[0] if len(names) == 1 else f"{len(names)} model servers" if names else "model servers"


def _namespace(opening: Opening) -> str:
    return str(opening.route.namespace) if isinstance(opening.route.namespace, str) else "of the route"
