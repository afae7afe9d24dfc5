"""Quotas that do not hold: one for all people, tokens that nobody counts, a budget a route, a store that is down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..openings import openings
from ..quotas import TOKENS, Quota, counted, quotas
from .plain_secrets import is_of_envoy_gateway

# The header in which the AI gateway tells the model that is asked for: no identity (v1.1, read 2026-11).
_MODEL_HEADERS = ("x-ai-eg-model",)


def quotas_tell_people_apart(graph: Graph) -> list[Violation]:
    """Some rule of a quota before model servers counts for each person or team by itself.

    Advisory: a limit for all together may be meant as a ceiling of the server. A selector that is only known at run
    time may tell them apart.
    """
    found = []
    for quota in quotas(graph):
        rules = (*quota.everywhere, *quota.each_envoy)
        if not any(_tells_apart(rule) for rule in rules):
            message = (
                f"{quota.policy} limits all people together: one agent that runs through the night uses up what is"
                " left for everybody."
            )
            change = (
                "Add a rule with clientSelectors: [{headers: [{name: x-client-id, type: Distinct}]}], the header in"
                " which the check of keys tells who asks."
            )
            found.append(Violation(resource=quota.policy, message=message, change=change))
    return found


def _tells_apart(rule: Value) -> bool:
    selectors = dig(rule, "clientSelectors")
    if selectors is UNKNOWN or rule is UNKNOWN:
        return True
    for selector in items(selectors):
        headers = dig(selector, "headers")
        if UNKNOWN in (selector, headers) or dig(selector, "sourceCIDR") is not None:
            return True
        names = [str(dig(header, "name")).casefold() for header in items(headers)]
        if any(name not in _MODEL_HEADERS for name in names):
            return True
    return False


def quotas_count_what_they_limit(graph: Graph) -> list[Violation]:
    """The metadata by which a quota counts tokens is what the AI gateway writes, else nothing is counted.

    Judged where the routes and their Gateway are in the program. Needs literals: a key that is only known at run time
    proves nothing.
    """
    found: dict[str, Violation] = {}
    for quota in quotas(graph):
        counts = [counted(graph, opening) for opening in quota.openings]
        keys = {key for count in counts for key in count or ()}
        for space, key in _costs(quota):
            if None in counts or (space == TOKENS and key in keys):
                continue
            if space not in (TOKENS, UNKNOWN) and key not in keys:
                continue  # of another filter
            message = (
                f"{quota.policy} counts tokens by {_named(space, key)}, {_instead(keys)}: nothing is ever counted, and"
                " the limit is never reached."
            )
            change = (
                "Give an entry of llmRequestCosts of the AIGatewayRoute that metadataKey, or set"
                f" cost.response.metadata to {{namespace: {TOKENS}, key: {_one_of(keys)}}}."
            )
            found.setdefault(message, Violation(resource=quota.policy, message=message, change=change))
    return list(found.values())


def _one_of(keys: set[Value]) -> str:
    return min(map(str, keys), default="the metadataKey of one")


def _costs(quota: Quota) -> Iterator[tuple[Value, Value]]:
    for rule in (*quota.everywhere, *quota.each_envoy):
        for side in ("request", "response"):
            metadata = dig(rule, "cost", side, "metadata")
            if metadata is not None:
                yield dig(metadata, "namespace"), dig(metadata, "key")


def _named(space: Value, key: Value) -> str:
    if UNKNOWN in (space, key):
        return "metadata that is only known at run time"
    return f"{key} of {space}"


def _instead(keys: set[Value]) -> str:
    if not keys:
        return "but its routes count none (llmRequestCosts)"
    return f"but its routes count {', '.join(sorted(map(str, keys)))} of {TOKENS}"


def quotas_are_shared(graph: Graph) -> list[Violation]:
    """A quota on several routes to one server is one budget, not one for each route.

    Advisory: Envoy Gateway counts each route by itself unless a rule is `shared`.
    """
    found = []
    for quota in quotas(graph):
        apart = [
            rule for rule in quota.everywhere if dig(rule, "shared") is None or dig(rule, "shared") is False
        ]
        routes = _routes_to_one_server(quota) if apart else []
        if len(routes) > 1:
            message = (
                f"{quota.policy} counts {', '.join(sorted(routes))} each by itself, though they lead to one server:"
                f" whoever uses all of them has {len(routes)} times the budget."
            )
            change = "Set shared: true on its rules of rateLimit.global."
            found.append(Violation(resource=quota.policy, message=message, change=change))
    return found


def _routes_to_one_server(quota: Quota) -> list[str]:
    """Return the routes under a quota that lead to the server which most of them lead to."""
    to: dict[str, dict[str, None]] = {}
    for opening in quota.openings:
        for server in opening.servers:
            to.setdefault(server.resource.urn, {})[str(opening.route)] = None
    return max((list(routes) for routes in to.values()), key=len, default=[])


def quotas_say_how_they_fail(graph: Graph) -> list[Violation]:
    """Envoy Gateway's configuration says what happens to quotas while their store is down.

    Advisory: without a word requests pass uncounted. Read are its ConfigMap and the values of its Helm release.
    """
    found = []
    for resource, where, limit in _configurations(graph) if openings(graph) else ():
        if isinstance(limit, Mapping) and "failClosed" not in limit:
            message = (
                f"{resource} does not say what happens while the store of its rate limits is down ({where}): requests"
                " then pass without being counted, and nobody notices."
            )
            change = f"Set {where}.failClosed, to true where a quota must hold."
            found.append(Violation(resource=resource, message=message, change=change))
    return found


def _configurations(graph: Graph) -> Iterator[tuple[Resource, str, Value]]:
    """Yield Envoy Gateway's settings of rate limits: object, place and what stands there."""
    for resource in graph.of_kind("core", "ConfigMap"):
        data = dig(resource.props, "data")
        if is_of_envoy_gateway(data):
            for key, text in data.items():
                yield resource, f"data[{key}]: rateLimit", dig(_parsed(text), "rateLimit")
    for resource in graph.of_kind("helm.sh", "Release"):
        values = dig(resource.props, "values", "config", "envoyGateway", "rateLimit")
        yield resource, "values.config.envoyGateway.rateLimit", values


def _parsed(text: Value) -> Value:
    try:
        return yaml.safe_load(text) if isinstance(text, str) else None
    except yaml.YAMLError:
        return None
