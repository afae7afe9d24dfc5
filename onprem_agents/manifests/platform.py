"""The one list of what a stack declares, in the order in which it is applied, with what must exist before what.

The bundles of each part stand alone as well: for a component outside of any platform.

Components declare its bundles, `onprem-agents render` prints them, policies and preflight read what they hold. A
model server may load for the better part of an hour: nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from onprem_agents.manifests import ai_gateway, external_ingress, model_cache
from onprem_agents.manifests.admission import stack_admission
from onprem_agents.manifests.bundle import Bundle, Declared, DeclaredPatch, Group, plain
from onprem_agents.manifests.gateway_auth import (
    closing_policies,
    credential_filters,
    developer_secrets,
    key_secret,
    security_policy,
)
from onprem_agents.manifests.gpu_node_pool import node_patches, priority_class
from onprem_agents.manifests.inference_service import COMPONENT as MODEL_SERVER
from onprem_agents.manifests.inference_service import REPLACED as MODEL_SERVER_REPLACED
from onprem_agents.manifests.inference_service import (
    disruption_budgets,
    inference_service,
    service_account_name,
    supporting_objects,
)
from onprem_agents.manifests.meta import Manifest
from onprem_agents.manifests.namespace import namespace
from onprem_agents.manifests.network_policies import network_policies
from onprem_agents.manifests.operator import operator_access
from onprem_agents.manifests.queues import REPLACED, queues
from onprem_agents.manifests.reference_grant import reference_grants
from onprem_agents.manifests.traffic_policies import backend_traffic_policy
from onprem_agents.manifests.translation_proxy import COMPONENT as TRANSLATION_PROXY
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import (
    PROXY_KEY,
    AuthPart,
    IngressPart,
    KeySecret,
    PlatformPlan,
    PoolPart,
    ProxyPart,
    Scope,
    ServerPart,
)


def render(plan: PlatformPlan) -> list[Manifest]:
    """Return all objects of the stack.

    NodePatches come as the fields of the Node that they set, Secrets with a marker in place of each key.
    """
    return [each.shown() for bundle in bundles(plan) for each in bundle.objects]


def bundles(plan: PlatformPlan) -> tuple[Bundle, ...]:
    """Return the bundles of the stack in the order of application; each comes after those of its `after`."""
    first, *rest = _platform_bundles(plan)
    others = [each.manifest for bundle in (first, *rest) for each in bundle.objects]
    operator = plan.operator_part
    return _filled(
        first,
        Bundle(
            group="admission",
            component="CodingPlatform",
            objects=plain(stack_admission(plan, others)),
            after=("namespace",),
        ),
        Bundle(
            group="operator",
            component="CodingPlatform",
            objects=() if operator is None else plain(operator_access(operator, others)),
            after=("namespace",),
        ),
        *rest,
    )


def _platform_bundles(plan: PlatformPlan) -> tuple[Bundle, ...]:
    auth, proxy, ingress = plan.auth_part, plan.proxy_part, plan.ingress_part
    return _filled(
        Bundle(
            group="namespace",
            component="CodingPlatform",
            objects=(Declared(manifest=namespace(plan), label="namespace"),),
        ),
        *pool_bundles(plan.pool_part, plan.server_parts),
        Bundle(
            group="network",
            component="CodingPlatform",
            objects=tuple(
                Declared(manifest=policy, label=f"network-{policy['metadata']['name']}")
                for policy in network_policies(plan)
            ),
            after=("namespace",),
        ),
        *_keys(auth),
        *(bundle for part in plan.server_parts for bundle in server_bundles(part)),
        *(proxy_bundles(proxy) if proxy is not None else ()),
        _key_check(auth, credential_filters(ingress) if ingress.software == "envoy-gateway" else []),
        *ingress_bundles(ingress),
    )


def pool_bundles(part: PoolPart, servers: Sequence[ServerPart] = ()) -> tuple[Bundle, ...]:
    """Return what makes nodes ready for model servers; `servers` are those it is for, where they are known."""
    return _filled(
        Bundle(
            group="pool",
            component="GpuNodePool",
            objects=(
                *(DeclaredPatch(manifest=patch) for patch in node_patches(part)),
                *plain([priority_class(part)]),
                *(
                    Declared(manifest=queue, replace_on_changes=REPLACED.get(queue["kind"], ()))
                    for queue in queues(part, servers)
                ),
            ),
            after=("namespace",),
        )
    )


def server_bundles(part: ServerPart) -> tuple[Bundle, ...]:
    """Return one role's model server, with the Secret of its key where that is its own."""
    role = part.serving.role
    own_key = part.key_secret if part.owns_key else None
    return _filled(
        Bundle(
            group="server-keys",
            component="InferenceService",
            role=role,
            objects=_own_secret(part, KeySecret(name=own_key) if own_key is not None else None, MODEL_SERVER),
            after=("namespace",),
        ),
        Bundle(
            group="model-files",
            component="InferenceService",
            role=role,
            objects=plain(supporting_objects(part)),
            after=("namespace",),
        ),
        Bundle(
            group="model-cache",
            component="InferenceService",
            role=role,
            objects=tuple(
                Declared(manifest=each, replace_on_changes=model_cache.REPLACED.get(each["kind"], ()))
                for each in model_cache.cache_objects(part, service_account=service_account_name(part))
            ),
            after=("namespace", "network", "pool", "model-files"),
        ),
        Bundle(
            group="model-server",
            component="InferenceService",
            role=role,
            objects=(Declared(manifest=inference_service(part), replace_on_changes=MODEL_SERVER_REPLACED),),
            after=("namespace", "network", "server-keys", "pool", "model-files", "model-cache"),
        ),
        Bundle(
            group="model-budget",
            component="InferenceService",
            role=role,
            objects=plain(disruption_budgets(part)),
            after=("namespace",),
        ),
    )


def proxy_bundles(part: ProxyPart) -> tuple[Bundle, ...]:
    """Return a translation proxy, with the Secret of its key where that is its own."""
    return _filled(
        Bundle(
            group="server-keys",
            component="TranslationProxy",
            objects=_own_secret(part, PROXY_KEY if part.owns_key else None, TRANSLATION_PROXY),
            after=("namespace",),
        ),
        Bundle(
            group="proxy",
            component="TranslationProxy",
            objects=plain(translation_proxy(part)),
            after=("namespace", "network", "server-keys"),
        ),
    )


def auth_bundles(part: AuthPart) -> tuple[Bundle, ...]:
    """Return who may call, where no platform is around it."""
    return _filled(*_keys(part), _key_check(part, []))


def ingress_bundles(part: IngressPart) -> tuple[Bundle, ...]:
    """Return the way in. Routes come after what guards them: there is no moment in which they are open."""
    alone = [*closing_policies(part), *credential_filters(part)] if part.alone else []
    guard: tuple[Group, ...] = ("guard",) if part.alone else ()
    return _filled(
        Bundle(
            group="listener",
            component="ExternalIngress",
            objects=plain(
                [
                    *external_ingress.certificates(part),
                    *reference_grants(part, external_ingress.COMPONENT),
                    external_ingress.envoy_proxy(part),
                ]
            ),
            after=("namespace",),
        ),
        Bundle(group="guard", component="ExternalIngress", objects=plain(alone), after=("namespace",)),
        Bundle(
            group="gateway",
            component="ExternalIngress",
            objects=plain([external_ingress.gateway(part)]),
            after=("namespace", "listener", *guard),
        ),
        Bundle(
            group="routes",
            component="ExternalIngress",
            objects=plain(_routes(part)),
            after=("namespace", "server-keys", "developer-keys", "key-check", *guard),
        ),
    )


def _filled(*found: Bundle) -> tuple[Bundle, ...]:
    return tuple(bundle for bundle in found if bundle.objects)


def _own_secret(scope: Scope, secret: KeySecret | None, component: str) -> tuple[Declared, ...]:
    return () if secret is None else (key_secret(scope, secret, component=component),)


def _keys(part: AuthPart) -> tuple[Bundle, ...]:
    return (
        Bundle(
            group="server-keys",
            component="GatewayAuth",
            objects=tuple(key_secret(part, secret) for secret in part.key_secrets),
            after=("namespace",),
        ),
        Bundle(
            group="developer-keys",
            component="GatewayAuth",
            objects=developer_secrets(part),
            after=("namespace",),
        ),
    )


def _key_check(part: AuthPart, filters: list[Manifest]) -> Bundle:
    """Return the key check, and the filters that add the servers' keys where a platform shares them."""
    return Bundle(
        group="key-check",
        component="GatewayAuth",
        objects=plain([security_policy(part), *filters]),
        after=("namespace", "server-keys", "developer-keys"),
    )


def _routes(part: IngressPart) -> list[Manifest]:
    """Return everything that stands behind the Gateway, for either kind of gateway."""
    objects = external_ingress.routes(part)
    if part.software == "envoy-ai-gateway":
        objects += ai_gateway.ai_gateway(part)
        objects.append(backend_traffic_policy(part, part.agent_routes))
    return objects
