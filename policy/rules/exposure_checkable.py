"""exposure-can-be-checked: say what another program or gateway decides, so that silence never reads as approval."""

from __future__ import annotations

from collections.abc import Iterator

from ..graph import Graph, Violation
from ..hops import default_seconds, limits_nothing_itself
from ..openings import OTHER_GATEWAY, Opening, checks_its_own_key, guard_of, openings
from .entry_checks import untold
from .key_checks import is_plain, is_reached_from_outside


def exposure_can_be_checked(graph: Graph) -> list[Violation]:
    """Every route to a model server shows in this program that keys are checked, over TLS.

    Advisory. A route whose server asks for a key of its own, and one that objects of another gateway may guard, are
    taken on trust.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for reason, change in _reasons(graph, opening):
            message = f"{opening.route} can't be checked as a whole: {reason}."
            violation = Violation(resource=opening.route, message=message, change=change)
            found.setdefault(violation.told, violation)
    for entry, reason, change in untold(graph):
        message = f"{entry.resource} can't be checked as a whole: {reason}."
        found.setdefault(message, Violation(resource=entry.resource, message=message, change=change))
    return list(found.values())


def _reasons(graph: Graph, opening: Opening) -> Iterator[tuple[str, str]]:
    for listener in opening.listeners:
        guard, what = guard_of(graph, opening, listener)
        trusted = checks_its_own_key(graph, opening) and not opening.proxied
        if guard == "elsewhere" and what != OTHER_GATEWAY and not trusted:
            yield (
                f"whether a key is checked is not told, as {what}",
                "Put the check of keys beside the route, as a SecurityPolicy in this program.",
            )
        if (
            listener.gateway is not None
            and is_plain(listener)
            and not is_reached_from_outside(graph, listener)
        ):
            yield (
                f"{listener} speaks plain HTTP, and what stands before it is not told",
                "Let the listener speak TLS, with protocol: HTTPS and tls.certificateRefs.",
            )
    if (
        limits_nothing_itself(graph, opening.route, opening.rule)
        and default_seconds(graph, opening.route) is None
    ):
        yield (
            (
                f"{opening.place} has no timeouts, and nothing tells its gateway (Envoy Gateway would cut every turn"
                " after 15 s)"
            ),
            f"Write {opening.place}.timeouts.request, as long as the longest turn.",
        )
