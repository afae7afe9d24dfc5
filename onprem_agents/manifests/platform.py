"""All objects of a stack in the order in which they are applied: what `onprem-agents render` prints.

The groups are what the components declare; keys never pass through here. A rendered Secret shows where its
value comes from instead of the value.
"""

from __future__ import annotations

from onprem_agents.manifests import ai_gateway, direct_responses, external_ingress, gateway_auth
from onprem_agents.manifests.gpu_node_pool import node_patches, priority_class, queues
from onprem_agents.manifests.inference_service import (
    disruption_budgets,
    inference_service,
    supporting_objects,
)
from onprem_agents.manifests.meta import Manifest
from onprem_agents.manifests.namespace import namespace
from onprem_agents.manifests.network_policies import network_policies
from onprem_agents.manifests.traffic_policies import backend_traffic_policy
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import PlatformPlan

_MARKER = "<from the stack's secret {}>"
"""Different for each Secret, as keys are: Envoy Gateway refuses equal ones."""


def protected_routes(plan: PlatformPlan) -> list[str]:
    """Return the names of the HTTPRoutes that ask for a key: all but the one of the connection contract."""
    if plan.access.gateway == "envoy-ai-gateway":
        return ai_gateway.route_names(plan)
    return [external_ingress.AGENTS_ROUTE, direct_responses.MODELS_ROUTE]


def ingress_routes(plan: PlatformPlan, connection_json: str) -> list[Manifest]:
    """Return everything that stands behind the Gateway, for either kind of gateway."""
    objects = external_ingress.routes(plan, connection_json)
    if plan.access.gateway == "envoy-ai-gateway":
        objects += ai_gateway.ai_gateway(plan)
        objects.append(backend_traffic_policy(plan, ai_gateway.route_names(plan)))
    return objects


def auth_objects(plan: PlatformPlan) -> list[Manifest]:
    """Return the key check and the filters that add the servers' keys, without any Secret."""
    objects = [gateway_auth.security_policy(plan, protected_routes(plan))]
    if plan.access.gateway == "envoy-gateway":
        objects += gateway_auth.credential_filters(plan)
    return objects


def render(plan: PlatformPlan, connection_json: str) -> list[Manifest]:
    """Return all objects of the stack. `connection_json` is the connection contract, which holds no secret.

    NodePatches come as the fields of the Node that they set.
    """
    objects = [
        namespace(plan),
        *node_patches(plan),
        priority_class(plan),
        *queues(plan),
        *network_policies(plan),
    ]
    objects += _secrets(plan)
    for serving in plan.serving:
        objects += supporting_objects(plan, serving)
        objects.append(inference_service(plan, serving))
        objects += disruption_budgets(plan, serving)
    objects += translation_proxy(plan)
    objects += auth_objects(plan)
    objects += external_ingress.certificates(plan)
    objects += [external_ingress.envoy_proxy(plan), external_ingress.gateway(plan)]
    return objects + ingress_routes(plan, connection_json)


def _secrets(plan: PlatformPlan) -> list[Manifest]:
    secrets = [gateway_auth.server_key_secret(plan)]
    if plan.settings.translation != "native":
        secrets.append(gateway_auth.proxy_key_secret(plan))
    server_key = _MARKER.format("serverKey")
    rendered = [
        secret | {"stringData": {"apiKey": server_key, "credential": server_key}} for secret in secrets
    ]
    for developer, secret in gateway_auth.key_secrets(plan).items():
        marker = _MARKER.format(f"developerKeys: {developer}")
        rendered.append(secret | {"stringData": {gateway_auth.client_ids(developer)[0]: marker}})
    return rendered
