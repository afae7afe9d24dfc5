"""served-name-has-no-slash and the names that routes, proxies and contracts ask for: what a model is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from ..attachment import AI_GATEWAY, backend_hosts, servers_named
from ..contracts import roles
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..litellm import configurations
from ..served_names import served_names
from ..serving import Server, servers_for_agents

# The header in which Envoy AI Gateway keeps the model of a request (v1.1, read 2026-11).
_MODEL_HEADER = "x-ai-eg-model"


def served_name_has_no_slash(graph: Graph) -> list[Violation]:
    """A server that is given names of its own has one without a slash. Advisory, as not every agent minds.

    Claude Code takes no model name with a slash (vLLM docs, Claude Code integration, read 2026-11), and routers match
    names in paths. A server without names of its own is left alone: what asks for it may be told another way.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} answers to {' and '.join(names)} alone: Claude Code takes no model name with a"
            " slash, and routers that match names in paths break on it.",
            change="Give it a plain name by --served-model-name; a stack serves a model under the name of its role.",
        )
        for server in servers_for_agents(graph)
        if server.parsed.flags.served_model_name
        and (names := served_names(server)) is not None
        and all("/" in name for name in names)
    ]


def routes_ask_for_served_names(graph: Graph) -> list[Violation]:
    """A rule of an AIGatewayRoute asks its servers for a name that they answer to; vLLM answers 404 to any other.

    A rule that matches one name hands that on, or its backend's `modelNameOverride`. Names that are only known at run
    time or out of sight, patterns and backends outside the program prove nothing.
    """
    found = []
    servers = list(servers_for_agents(graph))
    for route in graph.of_kind(AI_GATEWAY, "AIGatewayRoute"):
        for rule in items(dig(route.props, "spec", "rules")):
            for ref in items(dig(rule, "backendRefs")):
                answered = _answered(_certainly_behind(graph, route, ref, servers))
                asked = _asked(rule, ref)
                missing = [name for name in asked if answered and name not in answered]
                if missing:
                    found.append(
                        Violation(
                            resource=route,
                            message=f"{route} asks {dig(ref, 'name')} for {' and '.join(missing)}, but the server"
                            f" behind it answers to {' and '.join(answered)} alone: each such request ends in 404.",
                            change="Set modelNameOverride of the backend to a name that is served, or"
                            " --served-model-name to the one that is asked for.",
                        )
                    )
    return found


def proxies_ask_for_served_names(graph: Graph) -> list[Violation]:
    """LiteLLM asks a server of the program for a name that it answers to; vLLM answers 404 to any other.

    Read is its configuration in a ConfigMap of the program. A host in another namespace or outside the program, and
    names that are only known at run time or out of sight, prove nothing.
    """
    found = []
    servers = list(servers_for_agents(graph))
    for config in configurations(graph):
        for model, asked, base in config.asked():
            answered = _answered(_at(config.resource, base, servers))
            if answered and asked not in answered:
                found.append(
                    Violation(
                        resource=config.resource,
                        message=f"{config.resource} lets LiteLLM ask {base} for {asked} (the model {model} in"
                        f" {config.key}), but that server answers to {' and '.join(answered)} alone: each such request"
                        " ends in 404.",
                        change=f"Set litellm_params.model to the name that is served (hosted_vllm/{answered[0]}), or"
                        " --served-model-name to the one that is asked for.",
                    )
                )
    return found


def contract_names_are_served(graph: Graph) -> list[Violation]:
    """A name that a contract of the program tells clients is one that a server, or a proxy before it, answers to.

    Advisory, as the server may stand in another program. A program without servers, one with a proxy that gives names
    of its own, and names that are only known at run time prove nothing.
    """
    servers = list(servers_for_agents(graph))
    names = [served_names(server) for server in servers]
    if not servers or None in names or _renames(graph):
        return []
    answered = sorted({name for each in names if each is not None for name in each})
    return [
        Violation(
            resource=role.contract,
            message=f"{role.contract} tells clients of a model {role.model} (role {role.role}), but the servers of the"
            f" program answer to {' and '.join(answered)} alone.",
            change="Give the role's server that name (--served-model-name), or take the role out of the contract.",
        )
        for role in roles(graph)
        if role.model not in answered
    ]


def _certainly_behind(
    graph: Graph, route: Resource, ref: Value, servers: Sequence[Server]
) -> Sequence[Server]:
    """Return the servers that a backend leads to, none where a host is not known or lies in another namespace."""
    rule = {"backendRefs": [ref]}
    hosts = backend_hosts(graph, route, rule)
    found = servers_named(graph, route, rule, servers)
    if UNKNOWN in hosts or any(UNKNOWN in (*server.hosts, server.resource.namespace) for server in found):
        return ()
    spaces = {str(host).split(".")[1] for host in hosts if "." in str(host)}
    return () if any(server.resource.namespace not in (*spaces, "") for server in found if spaces) else found


def _at(resource: Resource, url: str, servers: Sequence[Server]) -> list[Server]:
    """Return the servers of the program that a URL in an object leads to for certain."""
    host, *rest = (urlsplit(url).hostname or "").split(".")
    space = rest[0] if rest else resource.namespace
    return [
        server
        for server in servers
        if host in server.hosts and UNKNOWN not in server.hosts and server.resource.namespace == space
    ]


def _answered(servers: Sequence[Server]) -> list[str]:
    """Return the names that some of these servers answer to, none where that cannot be told of all."""
    names = [served_names(server) for server in servers]
    if not names or None in names:
        return []
    return sorted({name for each in names if each is not None for name in each})


def _asked(rule: Value, ref: Value) -> Iterator[str]:
    override = dig(ref, "modelNameOverride")
    if override is not None:
        if isinstance(override, str):
            yield override
        return
    for match in items(dig(rule, "matches")):
        for header in items(dig(match, "headers")):
            name, kind, value = dig(header, "name"), dig(header, "type"), dig(header, "value")
            if str(name).casefold() == _MODEL_HEADER and kind in (None, "Exact") and isinstance(value, str):
                yield value


def _renames(graph: Graph) -> bool:
    """Whether something before the servers gives names of its own."""
    return any(_gives_names(resource) for resource in graph.resources)


def _gives_names(resource: Resource) -> bool:
    return resource.kind == "AIGatewayRoute"
