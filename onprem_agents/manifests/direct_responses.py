"""Answers that the gateway gives itself: the list of models, and the connection contract."""

from __future__ import annotations

import json

from onprem_agents.contract.connection import WELL_KNOWN_PATH
from onprem_agents.manifests.endpoints import MODELS
from onprem_agents.manifests.meta import GATEWAY_NAME, Manifest, manifest
from onprem_agents.plan import PlatformPlan

COMPONENT = "external-ingress"

MODELS_ROUTE = f"{GATEWAY_NAME}-models"
CONNECTION_ROUTE = f"{GATEWAY_NAME}-connection"


def models_filter(plan: PlatformPlan) -> Manifest:
    """Return the HTTPRouteFilter that answers GET /v1/models for all roles, in OpenAI's form."""
    models = [
        {
            "id": serving.name,
            "object": "model",
            "created": 0,
            "owned_by": "onprem-coding-agents",
            "max_model_len": serving.context_tokens,
        }
        for serving in plan.serving
    ]
    return _direct_response(plan, MODELS_ROUTE, json.dumps({"object": "list", "data": models}))


def connection_filter(plan: PlatformPlan) -> Manifest:
    """Return the HTTPRouteFilter that serves the connection contract, which holds no secret."""
    return _direct_response(plan, CONNECTION_ROUTE, plan.connection.to_json())


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


def connection_rule() -> Manifest:
    """Return the rule of the connection contract."""
    return get_rule(WELL_KNOWN_PATH, CONNECTION_ROUTE)


def _direct_response(plan: PlatformPlan, name: str, body: str) -> Manifest:
    # Envoy Gateway 1.9 passes the body on as a format string: a percent sign is written twice.
    response = {
        "statusCode": 200,
        "contentType": "application/json",
        "body": {"type": "Inline", "inline": body.replace("%", "%%")},
    }
    return manifest(
        plan,
        "gateway.envoyproxy.io/v1alpha1",
        "HTTPRouteFilter",
        name,
        component=COMPONENT,
        spec={"directResponse": response},
    )
