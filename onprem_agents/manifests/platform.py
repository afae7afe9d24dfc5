"""The one list of what a stack declares, in the order in which it is applied, with what must exist before what.

Components declare its bundles, `onprem-agents render` prints them, policies and preflight read what they hold. A
model server may load for the better part of an hour: nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from onprem_agents.manifests import ai_gateway, direct_responses, external_ingress, gateway_auth
from onprem_agents.manifests.bundle import Bundle, Declared, DeclaredPatch, Group, plain
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
from onprem_agents.plan import PlatformPlan, ServingPlan


def render(plan: PlatformPlan) -> list[Manifest]:
    """Return all objects of the stack.

    NodePatches come as the fields of the Node that they set, Secrets with a marker in place of each key.
    """
    return [each.shown() for bundle in bundles(plan) for each in bundle.objects]


def bundles(plan: PlatformPlan) -> tuple[Bundle, ...]:
    """Return the bundles of the stack in the order of application; each comes after those of its `after`."""
    found = [
        Bundle(
            group="namespace",
            component="CodingPlatform",
            objects=(Declared(manifest=namespace(plan), label="namespace"),),
        ),
        Bundle(
            group="pool",
            component="GpuNodePool",
            objects=(
                *(DeclaredPatch(manifest=patch) for patch in node_patches(plan)),
                *plain([priority_class(plan), *queues(plan)]),
            ),
            after=("namespace",),
        ),
        Bundle(
            group="network",
            component="CodingPlatform",
            objects=tuple(
                Declared(manifest=policy, label=f"network-{policy['metadata']['name']}")
                for policy in network_policies(plan)
            ),
            after=("namespace",),
        ),
        Bundle(
            group="server-keys",
            component="GatewayAuth",
            objects=gateway_auth.server_secrets(plan),
            after=("namespace",),
        ),
        Bundle(
            group="developer-keys",
            component="GatewayAuth",
            objects=gateway_auth.developer_secrets(plan),
            after=("namespace",),
        ),
        *(bundle for serving in plan.serving for bundle in _model_server(plan, serving)),
        Bundle(
            group="proxy",
            component="TranslationProxy",
            objects=plain(translation_proxy(plan)),
            after=("namespace", "network", "server-keys"),
        ),
        Bundle(
            group="key-check",
            component="GatewayAuth",
            objects=plain(_key_check(plan)),
            after=("namespace", "server-keys", "developer-keys"),
        ),
        *_ingress(plan),
    ]
    return tuple(bundle for bundle in found if bundle.objects)


def _model_server(plan: PlatformPlan, serving: ServingPlan) -> Iterable[Bundle]:
    before_pods: tuple[Group, ...] = ("namespace", "network", "server-keys", "pool")
    yield Bundle(
        group="model-files",
        component="InferenceService",
        role=serving.role,
        objects=plain(supporting_objects(plan, serving)),
        after=before_pods,
    )
    yield Bundle(
        group="model-server",
        component="InferenceService",
        role=serving.role,
        objects=plain([inference_service(plan, serving)]),
        after=(*before_pods, "model-files"),
    )
    yield Bundle(
        group="model-budget",
        component="InferenceService",
        role=serving.role,
        objects=plain(disruption_budgets(plan, serving)),
        after=before_pods,
    )


def _ingress(plan: PlatformPlan) -> Iterable[Bundle]:
    """Routes come after the key check: there is no moment in which they are open."""
    yield Bundle(
        group="listener",
        component="ExternalIngress",
        objects=plain([*external_ingress.certificates(plan), external_ingress.envoy_proxy(plan)]),
        after=("namespace",),
    )
    yield Bundle(
        group="gateway",
        component="ExternalIngress",
        objects=plain([external_ingress.gateway(plan)]),
        after=("namespace", "listener"),
    )
    yield Bundle(
        group="routes",
        component="ExternalIngress",
        objects=plain(_routes(plan)),
        after=("namespace", "server-keys", "developer-keys", "key-check"),
    )


def _routes(plan: PlatformPlan) -> list[Manifest]:
    """Return everything that stands behind the Gateway, for either kind of gateway."""
    objects = external_ingress.routes(plan)
    if plan.access.gateway == "envoy-ai-gateway":
        objects += ai_gateway.ai_gateway(plan)
        objects.append(backend_traffic_policy(plan, ai_gateway.route_names(plan)))
    return objects


def _key_check(plan: PlatformPlan) -> list[Manifest]:
    """Return the key check and the filters that add the servers' keys."""
    objects = [gateway_auth.security_policy(plan, protected_routes(plan))]
    if plan.access.gateway == "envoy-gateway":
        objects += gateway_auth.credential_filters(plan)
    return objects


def protected_routes(plan: PlatformPlan) -> list[str]:
    """Return the names of the HTTPRoutes that ask for a key: all but the one of the connection contract."""
    if plan.access.gateway == "envoy-ai-gateway":
        return ai_gateway.route_names(plan)
    return [external_ingress.AGENTS_ROUTE, direct_responses.MODELS_ROUTE]
