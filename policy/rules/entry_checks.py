"""What requests pass that come to a model server by a Route, an Ingress or a VirtualService."""

from __future__ import annotations

from collections.abc import Iterator

from ..entries import Entry, checks_keys, entries
from ..graph import Graph, Violation, dig, items

# What vLLM 0.33 answers beside the model API, without its own key unless below /v1 (read 2026-11).
PRIVATE_PATHS = ("/metrics", "/docs", "/openapi.json", "/invocations", "/tokenize", "/v1/load_lora_adapter")


def unguarded_entries(graph: Graph) -> list[Violation]:
    """Return the entries before which and behind which nothing checks a key, for certain."""
    found: dict[str, Violation] = {}
    for entry in entries(graph):
        if checks_keys(graph, entry) is False:
            message = (
                f"{entry.resource} leads to {_servers(entry)} without a check of keys ({entry.place}): {_nobody(entry)}"
                " checks none, and neither does the server."
            )
            change = f"Give the server a key of its own (VLLM_API_KEY from a Secret){_check_there(entry)}."
            found.setdefault(
                str(entry.resource), Violation(resource=entry.resource, message=message, change=change)
            )
    return list(found.values())


def _nobody(entry: Entry) -> str:
    return "OpenShift's router" if entry.product == "openshift" else "nginx"


def _check_there(entry: Entry) -> str:
    if entry.product == "openshift":
        return " or an oauth-proxy beside it, and lead the Route there"
    return ", or set nginx.ingress.kubernetes.io/auth-url"


def plain_entries(graph: Graph) -> list[Violation]:
    """Return OpenShift's Routes that are served over plain HTTP."""
    found: dict[str, Violation] = {}
    for entry in entries(graph):
        tls = dig(entry.resource.props, "spec", "tls")
        also = dig(tls, "insecureEdgeTerminationPolicy") == "Allow"
        if entry.product == "openshift" and (tls is None or also):
            message = (
                f"{entry.resource} carries requests to {_servers(entry)} over plain HTTP{' too' if also else ''}: keys"
                " and code can be read on the way."
            )
            change = "Set spec.tls to {termination: edge, insecureEdgeTerminationPolicy: Redirect}."
            found.setdefault(message, Violation(resource=entry.resource, message=message, change=change))
    return list(found.values())


def open_entries(graph: Graph) -> list[Violation]:
    """Return the entries that open more of a server than agents need."""
    found: dict[str, Violation] = {}
    for entry in entries(graph):
        opened = paths_below(entry.prefixes) if entry.outside and not entry.proxied else []
        if opened:
            message = f"{entry.resource} opens {', '.join(opened)} of {_servers(entry)} to its users ({entry.place})."
            change = (
                "Name what agents need there: /v1/chat/completions, /v1/responses, /v1/messages and /v1/models, a Route"
                " or path for each."
            )
            found.setdefault(
                str(entry.resource), Violation(resource=entry.resource, message=message, change=change)
            )
    return list(found.values())


def paths_below(prefixes: tuple[str, ...]) -> list[str]:
    """Return the private paths of a server below some beginnings of paths."""
    return [path for path in PRIVATE_PATHS if any(_is_below(path, prefix) for prefix in prefixes)]


def _is_below(path: str, prefix: str) -> bool:
    clean = prefix.rstrip("/")
    return path == clean or path.startswith(f"{clean}/")


def untold(graph: Graph) -> Iterator[tuple[Entry, str, str]]:
    """Yield entries with what a program does not tell of them, and how it would."""
    for entry in entries(graph):
        if checks_keys(graph, entry) is None:
            yield (
                entry,
                "whether a key is checked is not told",
                "Put the check beside it, or give the server a key.",
            )
        spec = dig(entry.resource.props, "spec")
        if entry.resource.kind == "Ingress" and dig(spec, "tls") is None and entry.product == "nginx":
            yield entry, "it has no tls, and what stands before it is not told", "Set spec.tls."
        if entry.resource.kind == "Ingress" and entry.product is None:
            yield (
                entry,
                "nothing tells its controller, so how long it lets a turn take is not told either",
                "Name its class in spec.ingressClassName.",
            )
        if entry.resource.kind == "VirtualService" and _is_plain(graph, entry):
            yield (
                entry,
                "its Gateway speaks plain HTTP, and what stands before it is not told",
                "Let that server of the Gateway speak HTTPS, with tls.credentialName.",
            )


def _is_plain(graph: Graph, entry: Entry) -> bool:
    names = [str(name).rpartition("/")[2] for name in items(dig(entry.resource.props, "spec", "gateways"))]
    for gateway in graph.of_kind("networking.istio.io", "Gateway"):
        for server in items(dig(gateway.props, "spec", "servers")) if gateway.object_name in names else ():
            protocol = dig(server, "port", "protocol")
            redirects = dig(server, "tls", "httpsRedirect") is True
            if protocol in ("HTTP", "HTTP2") and not redirects:
                return True
    return False


def _servers(entry: Entry) -> str:
    names = [str(server.resource) for server in entry.servers]
    return names[0] if len(names) == 1 else f"{len(names)} model servers"
