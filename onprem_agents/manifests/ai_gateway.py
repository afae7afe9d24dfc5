"""Envoy AI Gateway instead of plain routes: it reads the model from the body itself and speaks both APIs.

Each role is two AIServiceBackends onto one vLLM: the OpenAI one for chat and responses, the Anthropic one for
messages, since a backend of either schema cannot serve the other. Rules match headers only, so Anthropic's
clients are known by the `anthropic-version` header, which they always send. API v1beta1 (v1.1, read 2026-11);
the controller was not run. Its chart must serve Anthropic's API without a prefix (`endpointConfig`), for the
addresses in the connection contract are the same with either gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onprem_agents.manifests.endpoints import backend_name
from onprem_agents.manifests.meta import GATEWAY_NAME, SERVER_KEY_SECRET, Manifest, manifest
from onprem_agents.plan import PlatformPlan, ServingPlan
from onprem_agents.units import format_duration

COMPONENT = "external-ingress"
_API = "aigateway.envoyproxy.io/v1beta1"
_GROUP = "aigateway.envoyproxy.io"
_MODEL_HEADER = "x-ai-eg-model"
_ANTHROPIC_HEADER = "anthropic-version"

Schema = Literal["OpenAI", "Anthropic"]
_SCHEMAS: tuple[Schema, ...] = ("Anthropic", "OpenAI")

_ROLES_PER_ROUTE = 7
"""An AIGatewayRoute takes 15 rules, and a role needs two."""


def route_names(plan: PlatformPlan) -> list[str]:
    """Return the names of the AIGatewayRoutes, which are those of the HTTPRoutes made from them."""
    count = -(-len(plan.serving) // _ROLES_PER_ROUTE)
    return [f"{GATEWAY_NAME}-agents" + (f"-{number}" if number > 1 else "") for number in range(1, count + 1)]


def ai_gateway(plan: PlatformPlan) -> list[Manifest]:
    """Return backends, their key, and the routes."""
    backends = [_service_backend(plan, serving, schema) for serving in plan.serving for schema in _SCHEMAS]
    keys = [_backend_key(plan, serving) for serving in plan.serving]
    return [*backends, *keys, *_routes(plan)]


def _backend(serving: ServingPlan, schema: Schema) -> str:
    return f"{serving.name}-{schema.lower()}"


def _service_backend(plan: PlatformPlan, serving: ServingPlan, schema: Schema) -> Manifest:
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": backend_name(serving)}
    return manifest(
        plan,
        _API,
        "AIServiceBackend",
        _backend(serving, schema),
        component=COMPONENT,
        spec={"schema": {"name": schema}, "backendRef": reference},
    )


def _backend_key(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    # Type APIKey sets `Authorization: Bearer` for either schema, the only header that vLLM looks at.
    targets = [
        {"group": _GROUP, "kind": "AIServiceBackend", "name": _backend(serving, schema)}
        for schema in _SCHEMAS
    ]
    return manifest(
        plan,
        _API,
        "BackendSecurityPolicy",
        f"{serving.name}-server-key",
        component=COMPONENT,
        spec={
            "type": "APIKey",
            "apiKey": {"secretRef": {"group": "", "kind": "Secret", "name": SERVER_KEY_SECRET}},
            "targetRefs": targets,
        },
    )


def _routes(plan: PlatformPlan) -> list[Manifest]:
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY_NAME,
        "sectionName": "https",
    }
    return [
        manifest(
            plan,
            _API,
            "AIGatewayRoute",
            name,
            component=COMPONENT,
            spec={
                "parentRefs": [parent],
                "hostnames": [plan.access.host],
                "rules": [_rule(plan, serving, schema) for serving in roles for schema in _SCHEMAS],
            },
        )
        for name, roles in zip(route_names(plan), _chunks(plan.serving), strict=True)
    ]


def _rule(plan: PlatformPlan, serving: ServingPlan, schema: Schema) -> Manifest:
    headers = [{"type": "Exact", "name": _MODEL_HEADER, "value": serving.name}]
    if schema == "Anthropic":
        headers.append({"type": "RegularExpression", "name": _ANTHROPIC_HEADER, "value": ".+"})
    limit = format_duration(plan.timeouts.route_seconds)
    return {
        "matches": [{"headers": headers}],
        "backendRefs": [{"name": _backend(serving, schema), "weight": 1, "priority": 0}],
        "timeouts": {"request": limit, "backendRequest": limit},
        "modelsOwnedBy": "onprem-coding-agents",
    }


def _chunks(serving: Sequence[ServingPlan]) -> list[tuple[ServingPlan, ...]]:
    return [
        tuple(serving[start : start + _ROLES_PER_ROUTE]) for start in range(0, len(serving), _ROLES_PER_ROUTE)
    ]
