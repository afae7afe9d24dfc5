"""no-hosted-fallback, no-hosted-models: prompts and code stay where the GPUs are."""

from __future__ import annotations

from collections.abc import Iterator

from ..attachment import AI_GATEWAY, GATEWAY_API, backend_hosts, gateways_of
from ..graph import UNKNOWN, Graph, Resource, Violation, dig, items
from ..hosted import is_hosted
from ..litellm import configurations
from ..openings import openings
from ..pods import pods
from ..serving import servers


def no_hosted_fallback(graph: Graph) -> list[Violation]:
    """No route and no LiteLLM hands a turn of a model of one's own on to a hosted provider.

    Read are the backends that stand in one rule of a route beside a server of the program, and the fallbacks of
    LiteLLM's configuration in a ConfigMap. Needs literals: a host of a Backend that is only known at run time may be
    a provider's.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        by_host = opening.route.kind == "AIGatewayRoute" or any(
            dig(ref, "kind") == "Backend" for ref in items(dig(opening.rule, "backendRefs"))
        )
        for host in backend_hosts(graph, opening.route, opening.rule):
            if (isinstance(host, str) and is_hosted(host)) or (host is UNKNOWN and by_host):
                where = "a host that is only known at run time" if host is UNKNOWN else host
                message = (
                    f"{opening.route} shares the turns of its own models with {where} ({opening.place}.backendRefs):"
                    " prompts and code leave the premises when a server is busy or down."
                )
                change = "Remove that backend, and add a replica instead."
                violation = Violation(resource=opening.route, message=message, change=change)
                found.setdefault(violation.told, violation)
    for config in configurations(graph):
        for model, target in config.fallbacks():
            if target in config.hosted():
                message = (
                    f"{config.resource} lets LiteLLM fall back from {model} to the hosted {target}: prompts and code"
                    " leave the premises without a word to the developer."
                )
                change = f"Remove it from fallbacks in {config.key}."
                violation = Violation(resource=config.resource, message=message, change=change)
                found.setdefault(violation.told, violation)
    return list(found.values())


def no_hosted_models(graph: Graph) -> list[Violation]:
    """The gateways and proxies of model servers lead to no hosted provider either, nor do their variables name one.

    Advisory: a developer who picks such a model may mean it.
    """
    found: dict[str, Violation] = {}
    for config in configurations(graph):
        own = config.own()
        for model in sorted(config.hosted()) if own else ():
            message = (
                f"{config.resource} offers the hosted model {model} beside {min(own)}: what a developer sends it"
                " leaves the premises."
            )
            change = f"Remove it from model_list in {config.key}."
            violation = Violation(resource=config.resource, message=message, change=change)
            found.setdefault(violation.told, violation)
    for route, place, host in _routes_to_providers(graph):
        message = (
            f"{route} leads to the hosted provider {host} ({place}) from the Gateway of one's own models: what a"
            " developer sends there leaves the premises."
        )
        change = "Remove that rule, or give it a Gateway of its own."
        violation = Violation(resource=route, message=message, change=change)
        found.setdefault(violation.told, violation)
    for pod in pods(graph) if any(servers(graph)) else ():
        for container in pod.containers:
            for entry in items(container.props.get("env")):
                value = dig(entry, "value")
                if isinstance(value, str) and is_hosted(value):
                    message = (
                        f"{pod.resource} names the hosted provider {value} in {dig(entry, 'name')}: what goes there"
                        " leaves the premises."
                    )
                    change = f"Remove it from {container.field}.env."
                    violation = Violation(resource=pod.resource, message=message, change=change)
                    found.setdefault(violation.told, violation)
    return list(found.values())


def _routes_to_providers(graph: Graph) -> Iterator[tuple[Resource, str, str]]:
    """Yield the rules on the Gateways of model servers that lead to providers alone: route, place and host."""
    own = [(opening.route.urn, opening.place) for opening in openings(graph)]
    gateways = {str(name) for opening in openings(graph) for name in gateways_of(opening.route)}
    routes = [*graph.of_kind(GATEWAY_API, "HTTPRoute"), *graph.of_kind(AI_GATEWAY, "AIGatewayRoute")]
    for route in routes if gateways else ():
        if gateways.isdisjoint(str(name) for name in gateways_of(route)):
            continue
        for number, rule in enumerate(items(dig(route.props, "spec", "rules"))):
            place = f"spec.rules[{number}]"
            for host in backend_hosts(graph, route, rule) if (route.urn, place) not in own else ():
                if isinstance(host, str) and is_hosted(host):
                    yield route, place, host
