"""The arguments of an ingress or a proxy that stand alone → their parts: what leads to servers by reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan.affinity import keeps_sessions
from onprem_agents.plan.derive_connection import connection_of
from onprem_agents.plan.derive_ingress import model_aliases, request_body_mib, too_many_rules
from onprem_agents.plan.derive_servers import timeouts_of
from onprem_agents.plan.images import digests_of_others, gateway_images, proxy_images
from onprem_agents.plan.names import PROXY_NAME
from onprem_agents.plan.parts import IngressPart, ProxyPart
from onprem_agents.plan.plan_parts import arguments_of
from onprem_agents.plan.references import completed
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.stack.parts import IngressArguments, ProxyArguments, ServerReference
from onprem_agents.stack.section_reader import entries_that_repeat
from onprem_agents.stack.settings import Timeouts

# Part of the contract → argument that it comes from.
_ARGUMENTS = {
    "host": "host",
    "baseUrl": "host",
    "anthropicBaseUrl": "host",
    "timeouts": "longestTurnSeconds",
    "translation": "proxy.software",
}


def plan_ingress(raw: object, *, stack: str, source: str) -> IngressPart:
    """Plan an ingress that stands alone: shut until somebody declares who may call. Raises `InvalidInput`."""
    arguments = arguments_of(IngressArguments, raw, stack=stack, source=source, others=list(_same_names(raw)))
    servers = tuple(completed(server, arguments.namespace) for server in arguments.servers)
    proxy = arguments.proxy
    translation = "native" if proxy is None else proxy.software
    problems = [
        *_elsewhere(arguments.namespace, servers),
        *_cut_short(arguments.longest_turn_seconds, servers),
        *_two_secrets(servers),
        *too_many_rules(
            len(servers),
            translation,
            where="servers",
            entries="servers",
            otherwise="take the proxy litellm, or none",
        ),
        *digests_of_others(arguments.images, tuple(gateway_images(arguments.images)), where="images"),
    ]
    if proxy is not None and proxy.namespace not in (None, arguments.namespace):
        problems.append(_foreign("proxy.namespace", str(proxy.namespace), arguments.namespace))
    timeouts = _timeouts(arguments.longest_turn_seconds, servers)
    silent = [server.name for server in servers if server.context_tokens is None]
    connection: Connection | None = None
    try:
        if not silent:
            connection = connection_of(
                arguments,
                stack=stack,
                translation=translation,
                servers=servers,
                timeouts=timeouts,
                support=arguments.support,
                source=source,
                key_of=_argument,
            )
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(source, problems)
    return IngressPart(
        stack=stack,
        namespace=arguments.namespace,
        notes=tuple(_unpublished(silent)),
        host=arguments.host,
        port=arguments.port,
        tls=arguments.tls,
        software="envoy-gateway",
        gateway_class=arguments.gateway_class,
        servers=servers,
        proxy=proxy,
        timeouts=timeouts,
        request_body_mib=request_body_mib(servers),
        developers=arguments.developers,
        connection=connection,
        alone=True,
        service=arguments.gateway_service,
        images=arguments.images,
        image_pull_secrets=arguments.image_pull_secrets,
        pod_ids=arguments.pod_ids,
        gateway_replicas=arguments.gateway_replicas,
        model_aliases=model_aliases(arguments, servers),
        keeps_sessions=keeps_sessions(arguments, servers, "envoy-gateway", translation),
        balances_sessions=arguments.balanced_sessions,
    )


def plan_proxy(raw: object, *, stack: str, source: str) -> ProxyPart:
    """Plan a translation proxy that stands alone, with a key of its own. Raises `InvalidInput`."""
    arguments = arguments_of(ProxyArguments, raw, stack=stack, source=source, others=list(_same_names(raw)))
    servers = tuple(completed(server, arguments.namespace) for server in arguments.servers)
    problems = [
        *_elsewhere(arguments.namespace, servers),
        *_cut_short(arguments.longest_turn_seconds, servers),
        *_own_name(servers),
        *digests_of_others(
            arguments.images, tuple(proxy_images(arguments.software, arguments.images)), where="images"
        ),
    ]
    if problems:
        raise InvalidInput(source, problems)
    return ProxyPart(
        stack=stack,
        namespace=arguments.namespace,
        software=arguments.software,
        servers=servers,
        timeouts=_timeouts(arguments.longest_turn_seconds, servers),
        owns_key=True,
        images=arguments.images,
        pod_ids=arguments.pod_ids,
        image_pull_secrets=arguments.image_pull_secrets,
    )


def _timeouts(said: int | None, servers: Sequence[ServerReference]) -> TimeoutChain:
    longest = said or max((server.longest_turn_seconds or 0 for server in servers), default=0)
    return timeouts_of(Timeouts.model_validate({"longestTurnSeconds": longest} if longest else {}))


def _same_names(raw: object) -> Iterator[Problem]:
    for name in entries_that_repeat(raw.get("servers") if isinstance(raw, Mapping) else None, "name"):
        yield Problem(
            where="servers",
            cause="repeated",
            found=f"the name {name!r} more than once",
            why="requests are led to a server by the model that they name",
            fix="give each entry of servers its own name",
        )


def _elsewhere(namespace: str, servers: Sequence[ServerReference]) -> Iterator[Problem]:
    for index, server in enumerate(servers):
        if server.namespace != namespace:
            yield _foreign(f"servers[{index}].namespace", str(server.namespace), namespace)


def _foreign(where: str, found: str, namespace: str) -> Problem:
    return Problem(
        where=where,
        cause="contradiction",
        found=f"{found} beside the namespace {namespace}",
        why="Services and keys of another namespace are out of reach: their owner would have to grant each",
        fix=f"set namespace to {found}, or take a Service of {namespace}",
    )


def _cut_short(said: int | None, servers: Sequence[ServerReference]) -> Iterator[Problem]:
    for server in servers:
        longest = server.longest_turn_seconds
        if said is not None and longest is not None and said < longest:
            yield Problem(
                where="longestTurnSeconds",
                cause="contradiction",
                found=f"{said} seconds; {server.name} is made for turns of {longest}",
                why="turns would be cut that the server still serves",
                fix=f"set longestTurnSeconds to {longest}, or leave it out",
            )


def _two_secrets(servers: Sequence[ServerReference]) -> Iterator[Problem]:
    first: dict[str, str | None] = {}
    for index, server in enumerate(servers):
        if first.setdefault(server.service, server.key_secret) != server.key_secret:
            yield Problem(
                where=f"servers[{index}].keySecret",
                cause="contradiction",
                found=f"{server.key_secret or 'none'}, and {first[server.service] or 'none'} for the same Service",
                why="a server asks for one key",
                fix=f"name the Secret that holds the key of {server.service} in both entries",
            )


def _own_name(servers: Sequence[ServerReference]) -> Iterator[Problem]:
    for index, server in enumerate(servers):
        if server.service == PROXY_NAME:
            yield Problem(
                where=f"servers[{index}].service",
                cause="contradiction",
                found=server.service,
                why="the proxy's own Service has that name, so it would call itself",
                fix="name the Service of the model server",
            )


def _unpublished(silent: Sequence[str]) -> Iterator[str]:
    if silent:
        yield (
            f"no connection contract is published, for nobody tells the context of {', '.join(silent)}: say "
            "contextTokens in servers, or write the agents' files by hand"
        )


def _argument(parts: Sequence[int | str]) -> str:
    """Return the argument that a part of the contract comes from."""
    match parts:
        case ["tls", str(key)]:
            return f"tls.{key}"
        case ["roles", int(index)]:
            return f"servers[{index}]"
        case ["roles", int(index), str(key), *_]:
            return f"servers[{index}].{'name' if key == 'model' else key}"
        case [str(head), *_]:
            return _ARGUMENTS.get(head, "servers")
    return "servers"
