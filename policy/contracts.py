"""The connection contracts that a program publishes: what developers' machines are told of each role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onprem_agents.stack.labels import ROLE_LABEL

from .attachment import ENVOY_GATEWAY
from .graph import Graph, Resource, dig, items, once
from .served_names import served_names
from .serving import Server


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role as a contract tells it.

    `model` is the name that clients ask for, `promised` the agents that it is said to serve, `told` those whose users
    are told why it does not. `used` are the agents of the platform's developers, None where that is left open.
    """

    contract: Resource
    role: str
    model: str
    promised: tuple[str, ...]
    told: frozenset[str]
    used: frozenset[str] | None


def texts(graph: Graph) -> Iterator[tuple[Resource, str]]:
    """Yield what may be a published contract: the answers that a gateway gives itself, and ConfigMaps' entries."""
    for resource in graph.of_kind(ENVOY_GATEWAY, "HTTPRouteFilter"):
        body = dig(resource.props, "spec", "directResponse", "body", "inline")
        if isinstance(body, str):
            yield resource, body
    for resource in (r for r in graph.resources if r.type == "kubernetes:core/v1:ConfigMap"):
        data = dig(resource.props, "data")
        for text in data.values() if isinstance(data, dict) else ():
            if isinstance(text, str):
                yield resource, text


def contract_in(text: str, key: str) -> Mapping[str, Any]:
    """Return the contract in a text, nothing where it is none with that key."""
    if key not in text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@once
def roles(graph: Graph) -> tuple[Role, ...]:
    """Return the roles of all contracts that a program publishes."""
    return tuple(role for resource, text in texts(graph) for role in _roles(resource, text))


def role_of(graph: Graph, server: Server) -> Role | None:
    """Return the role that a server stands for, by its label, else by the name it answers to; None without one."""
    label = dig(server.resource.props, "metadata", "labels", ROLE_LABEL)
    found = [role for role in roles(graph) if role.role == label]
    if not found and label is None:
        names = served_names(server) or ()
        found = [role for role in roles(graph) if role.model in names]
    return found[0] if found else None


def _roles(resource: Resource, text: str) -> Iterator[Role]:
    contract = contract_in(text, "supportedAgents")
    for told in items(contract.get("roles")):
        role, model = dig(told, "role"), dig(told, "model")
        if not isinstance(role, str) or not isinstance(model, str):
            continue
        unsupported = dig(told, "unsupportedReasons")
        yield Role(
            contract=resource,
            role=role,
            model=model,
            promised=tuple(str(agent) for agent in items(dig(told, "supportedAgents"))),
            told=frozenset(unsupported if isinstance(unsupported, Mapping) else ()),
            used=frozenset(map(str, items(used))) if (used := contract.get("agents")) is not None else None,
        )
