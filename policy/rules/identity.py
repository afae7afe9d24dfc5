"""identity-headers-are-stripped, keys-end-at-the-gateway: who a request comes from is for the gateway to say."""

from __future__ import annotations

from collections.abc import Iterator

from ..attachment import ENVOY_GATEWAY
from ..gateways import Listener
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..openings import openings, policies_before


def identity_headers_are_stripped(graph: Graph) -> list[Violation]:
    """A header in which the gateway tells who asks is removed from requests before anything reads it.

    Advisory: Envoy overwrites it where a key is checked, and a route beside it that checks none passes it on as the
    client wrote it. Read are `forwardClientIDHeader` and `jwt.providers[].claimToHeaders` against
    `headers.earlyRequestHeaders.remove` of the ClientTrafficPolicy on the same Gateway.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for listener in opening.listeners:
            if listener.gateway is None:
                continue
            removed = _removed(graph, listener)
            for policy in policies_before(graph, opening, listener):
                for header in _identity_headers(policy):
                    if UNKNOWN in removed or header.lower() in removed:
                        continue
                    message = (
                        f"{policy} tells who asks in {header}, which clients can send themselves to routes of"
                        f" {listener} without a check."
                    )
                    change = f"Add {header} to headers.earlyRequestHeaders.remove of its ClientTrafficPolicy."
                    violation = Violation(resource=policy, message=message, change=change)
                    found.setdefault(violation.told, violation)
    return list(found.values())


def keys_end_at_the_gateway(graph: Graph) -> list[Violation]:
    """A developer's key is not passed on to the server: its logs and its proxies would hold it. Advisory."""
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for listener in opening.listeners:
            for policy in policies_before(graph, opening, listener):
                check = dig(policy.props, "spec", "apiKeyAuth")
                if check is None or dig(check, "sanitize") in (True, UNKNOWN) or check is UNKNOWN:
                    continue
                message = f"{policy} passes the developer's own key on to the server, whose logs may keep it."
                change = "Set apiKeyAuth.sanitize: true."
                violation = Violation(resource=policy, message=message, change=change)
                found.setdefault(violation.told, violation)
    return list(found.values())


def _identity_headers(policy: Resource) -> Iterator[str]:
    spec = dig(policy.props, "spec")
    headers = [
        dig(spec, "apiKeyAuth", "forwardClientIDHeader"),
        dig(spec, "basicAuth", "forwardUsernameHeader"),
    ]
    for provider in items(dig(spec, "jwt", "providers")):
        headers += [dig(claim, "header") for claim in items(dig(provider, "claimToHeaders"))]
    yield from (header for header in headers if isinstance(header, str))


def _removed(graph: Graph, listener: Listener) -> set[Value]:
    """Return the headers that are removed early on a listener, in lower case; UNKNOWN where it may be any."""
    removed: set[Value] = set()
    for policy in graph.of_kind(ENVOY_GATEWAY, "ClientTrafficPolicy"):
        early = dig(policy.props, "spec", "headers", "earlyRequestHeaders", "remove")
        if policy.namespace == listener.namespace:
            removed |= {str(header).lower() for header in items(early)}
            removed |= {UNKNOWN} if early is UNKNOWN else set()
    return removed
