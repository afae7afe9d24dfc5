"""Envoy AI Gateway instead of plain routes: it reads the model from the body itself and speaks both APIs.

Each role is two AIServiceBackends onto one vLLM: the OpenAI one for chat and responses, the Anthropic one for
messages, since a backend of either schema cannot serve the other. Rules match headers only, so Anthropic's
clients are known by the `anthropic-version` header, which they always send. Other names of the main role are a second
match of its rules, and `modelNameOverride` writes its own name into the body. API v1beta1 (v1.1, read 2026-11);
the controller was not run. Its chart must serve Anthropic's API without a prefix (`endpointConfig`), for the
addresses in the connection contract are the same with either gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onprem_agents.manifests.endpoints import backend_name
from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import GATEWAY_NAME, ROLES_PER_AI_ROUTE, IngressPart
from onprem_agents.stack.parts import ServerReference
from onprem_agents.units import format_duration

COMPONENT = "external-ingress"
_API = "aigateway.envoyproxy.io/v1beta1"
_GROUP = "aigateway.envoyproxy.io"
_MODEL_HEADER = "x-ai-eg-model"
_ANTHROPIC_HEADER = "anthropic-version"

Schema = Literal["OpenAI", "Anthropic"]
_SCHEMAS: tuple[Schema, ...] = ("Anthropic", "OpenAI")


def ai_gateway(part: IngressPart) -> list[Manifest]:
    """Return backends, their key, and the routes."""
    backends = [_service_backend(part, server, schema) for server in part.servers for schema in _SCHEMAS]
    keys = [_backend_key(part, server) for server in part.servers if server.key_secret is not None]
    return [*backends, *keys, *_routes(part)]


def _backend(server: ServerReference, schema: Schema) -> str:
    return f"{server.name}-{schema.lower()}"


def _service_backend(part: IngressPart, server: ServerReference, schema: Schema) -> Manifest:
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": backend_name(server)}
    return manifest(
        part,
        _API,
        "AIServiceBackend",
        _backend(server, schema),
        component=COMPONENT,
        spec={"schema": {"name": schema}, "backendRef": reference},
    )


def _backend_key(part: IngressPart, server: ServerReference) -> Manifest:
    # Type APIKey sets `Authorization: Bearer` for either schema, the only header that vLLM looks at.
    targets = [
        {"group": _GROUP, "kind": "AIServiceBackend", "name": _backend(server, schema)} for schema in _SCHEMAS
    ]
    return manifest(
        part,
        _API,
        "BackendSecurityPolicy",
        f"{server.name}-server-key",
        component=COMPONENT,
        spec={
            "type": "APIKey",
            "apiKey": {"secretRef": {"group": "", "kind": "Secret", "name": server.key_secret}},
            "targetRefs": targets,
        },
    )


def _routes(part: IngressPart) -> list[Manifest]:
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY_NAME,
        "sectionName": "https",
    }
    return [
        manifest(
            part,
            _API,
            "AIGatewayRoute",
            name,
            component=COMPONENT,
            spec={
                "parentRefs": [parent],
                "hostnames": [part.host],
                "rules": [_rule(part, server, schema) for server in servers for schema in _SCHEMAS],
            },
        )
        for name, servers in zip(part.agent_routes, _chunks(part.servers), strict=True)
    ]


def _rule(part: IngressPart, server: ServerReference, schema: Schema) -> Manifest:
    names = [{"type": "Exact", "name": _MODEL_HEADER, "value": server.name}]
    backend: Manifest = {"name": _backend(server, schema), "weight": 1, "priority": 0}
    if part.model_aliases and server is part.servers[0]:
        beginnings = "|".join(alias.removesuffix("*").replace(".", r"\.") for alias in part.model_aliases)
        names.append({"type": "RegularExpression", "name": _MODEL_HEADER, "value": f"({beginnings}).*"})
        backend["modelNameOverride"] = server.name
    speaks = {"type": "RegularExpression", "name": _ANTHROPIC_HEADER, "value": ".+"}
    limit = format_duration(part.timeouts.route_seconds)
    return {
        "matches": [{"headers": [name, speaks] if schema == "Anthropic" else [name]} for name in names],
        "backendRefs": [backend],
        "timeouts": {"request": limit, "backendRequest": limit},
        "modelsOwnedBy": "onprem-coding-agents",
    }


def _chunks(servers: Sequence[ServerReference]) -> list[tuple[ServerReference, ...]]:
    return [
        tuple(servers[start : start + ROLES_PER_AI_ROUTE])
        for start in range(0, len(servers), ROLES_PER_AI_ROUTE)
    ]
