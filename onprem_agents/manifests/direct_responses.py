"""Answers that the gateway gives itself: the list of models, the connection contract, and opencode's form of it."""

from __future__ import annotations

import json

from onprem_agents.agents.opencode_login import OPENCODE_PATH, organisation_file
from onprem_agents.contract.connection import WELL_KNOWN_PATH, Connection
from onprem_agents.manifests.endpoints import MODELS
from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import CONNECTION_ROUTE, MODELS_ROUTE, OPENCODE_FILTER, IngressPart

COMPONENT = "external-ingress"


def models_filter(part: IngressPart) -> Manifest:
    """Return the HTTPRouteFilter that answers GET /v1/models for all roles, in OpenAI's form.

    Other names that lead to the main role stand in its entry, for they are no models of their own.
    """
    models = [
        {
            "id": server.name,
            "object": "model",
            "created": 0,
            "owned_by": "onprem-coding-agents",
        }
        | ({} if server.context_tokens is None else {"max_model_len": server.context_tokens})
        | ({"aliases": list(part.model_aliases)} if part.model_aliases and server is part.servers[0] else {})
        for server in part.servers
    ]
    return _direct_response(part, MODELS_ROUTE, json.dumps({"object": "list", "data": models}))


def contract_filters(part: IngressPart, connection: Connection) -> list[Manifest]:
    """Return the HTTPRouteFilters that serve the contract, which holds no secret, and what opencode makes of it."""
    filters = [_direct_response(part, CONNECTION_ROUTE, connection.to_json())]
    if (file := organisation_file(connection)) is not None:
        filters.append(_direct_response(part, OPENCODE_FILTER, file))
    return filters


def get_rule(path: str, filter_name: str) -> Manifest:
    """Return an HTTPRoute rule that answers GET on `path` by that filter."""
    return {
        "matches": [{"path": {"type": "Exact", "value": path}, "method": "GET"}],
        "filters": [
            {
                "type": "ExtensionRef",
                "extensionRef": {
                    "group": "gateway.envoyproxy.io",
                    "kind": "HTTPRouteFilter",
                    "name": filter_name,
                },
            }
        ],
    }


def models_rule() -> Manifest:
    """Return the rule of the list of models."""
    return get_rule(MODELS, MODELS_ROUTE)


def contract_rules(connection: Connection) -> list[Manifest]:
    """Return the rules of the connection contract; neither asks for a key."""
    rules = [get_rule(WELL_KNOWN_PATH, CONNECTION_ROUTE)]
    if organisation_file(connection) is not None:
        rules.append(get_rule(OPENCODE_PATH, OPENCODE_FILTER))
    return rules


def _direct_response(part: IngressPart, name: str, body: str) -> Manifest:
    # Envoy Gateway 1.9 passes the body on as a format string: a percent sign is written twice.
    response = {
        "statusCode": 200,
        "contentType": "application/json",
        "body": {"type": "Inline", "inline": body.replace("%", "%%")},
    }
    return manifest(
        part,
        "gateway.envoyproxy.io/v1alpha1",
        "HTTPRouteFilter",
        name,
        component=COMPONENT,
        spec={"directResponse": response},
    )
