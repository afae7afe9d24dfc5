"""timeouts-are-monotonic: a hop that gives up before the one behind it cuts turns that are still served."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..graph import UNKNOWN, Graph, Violation
from ..hops import Hop, Way, ways
from ..serving import servers

_FIX = "platform.timeouts.longestTurnSeconds derives every hop"


def timeouts_are_monotonic(graph: Graph) -> list[Violation]:
    """Along every route to a vLLM server: client ≥ gateway ≥ route ≥ predictor ≥ longest turn.

    Read are the connection contract where the program publishes one, ClientTrafficPolicy, BackendTrafficPolicy,
    HTTPRoute, AIGatewayRoute, OpenShift's Route, nginx's Ingress, Istio's VirtualService, and `predictor.timeout`. A
    hop that says nothing counts with its product's default (the class of its Gateway or Ingress tells the product;
    what nothing tells is left to the advisory exposure-can-be-checked), a limit of zero as no limit. Such a default is
    refused too where the server itself, as a Deployment, has no limit. Needs literals: a limit that is only known at
    run time is a violation. A policy whose target is only known at run time counts for every route.
    """
    found: dict[str, Violation] = {}
    for way in ways(graph, list(servers(graph))):
        for violation in _violations(way):
            found.setdefault(violation.told, violation)
    return list(found.values())


def _violations(way: Way) -> Iterator[Violation]:
    inner: Hop | None = None
    for level in reversed(way.levels):
        for hop in level:
            yield from _broken(hop)
            if inner is None and hop.by_default and _seconds(hop) < math.inf:
                yield _written_by_nobody(hop)
            if inner is not None and _seconds(hop) < _seconds(inner):
                yield _too_short(hop, inner)
        limited = [hop for hop in level if _seconds(hop) < math.inf]
        inner = max(limited, key=_seconds, default=inner)


def _seconds(hop: Hop) -> float:
    return math.inf if hop.seconds is UNKNOWN else float(hop.seconds)


def _broken(hop: Hop) -> Iterator[Violation]:
    if hop.unreadable is not None:
        message = f"{hop.resource} gives {hop.unreadable!r} for {hop.what}, which is no duration."
        yield Violation(
            resource=hop.resource, message=message, change=f'Write {hop.field} like "600s"; {_FIX}.'
        )
    elif hop.seconds is UNKNOWN:
        message = (
            f"{hop.resource} gives {hop.what} a value that is only known at run time, so the chain can't be"
            " checked."
        )
        yield Violation(
            resource=hop.resource, message=message, change=f"Write {hop.field} as a plain value; {_FIX}."
        )


def _written_by_nobody(hop: Hop) -> Violation:
    message = (
        f"{hop.resource} says nothing of how long a turn may take, so {hop.what} counts: turns are cut after"
        f" {_seconds(hop):g} s{_of_silence(hop)}, which the server behind it would go on with."
    )
    change = f"Write {hop.field}, as long as the longest turn; {_FIX}."
    return Violation(resource=hop.resource, message=message, change=change)


def _too_short(hop: Hop, inner: Hop) -> Violation:
    least = f"{_seconds(inner):g} s"
    message = (
        f"{hop.resource} limits {hop.what} to {_seconds(hop):g} s, below {inner.what} of {inner.resource}"
        f" with {least}: turns that still run there are cut here{_where_silent(hop)}."
    )
    change = f"Raise {hop.field} to at least {least} or lower {inner.field}; {_FIX}."
    return Violation(resource=hop.resource, message=message, change=change)


def _of_silence(hop: Hop) -> str:
    return " of silence" if hop.silence else ""


def _where_silent(hop: Hop) -> str:
    return ", when nothing is streamed while they wait or a long prompt is read" if hop.silence else ""
