"""The gateway's software: a class that is accepted and takes a Gateway with settings of its own, Lua, a way in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onprem_agents.cluster import ApiError, KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, condition, counted
from onprem_agents.plan import PlatformPlan

_GATEWAY_API = "gateway.networking.k8s.io/v1"


def check_gateway_class(
    plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient
) -> Iterator[Check]:
    """Yield whether the GatewayClass is there, accepted, and one that takes our Gateway."""
    name = plan.access.gateway_class
    label = f"GatewayClass {name}"
    found = client.find(_GATEWAY_API, "GatewayClass", name)
    if found is None:
        fix = "create it for Envoy Gateway's controller, or name yours in platform.access.gatewayClass"
        yield Check(name=label, verdict="missing", found="not there", fix=fix)
        return
    if _merges_gateways(found, client):
        fix = (
            "take mergeGateways out of that EnvoyProxy, or name another class in platform.access.gatewayClass"
        )
        why = (
            "its EnvoyProxy merges Gateways, and Envoy Gateway 1.9 refuses one with settings of its own then"
        )
        yield Check(name=label, verdict="missing", found=why, fix=fix)
        return
    accepted = condition(found, "Accepted")
    yield Check.of(
        label,
        holds=accepted == "True",
        found="accepted" if accepted == "True" else f"condition Accepted is {accepted or 'absent'}",
        fix="see that Envoy Gateway's controller runs and that the class names it",
    )


def _merges_gateways(gateway_class: Object, client: KubeClient) -> bool:
    return _settings_of(gateway_class, client).get("mergeGateways") is True


def _settings_of(gateway_class: Object, client: KubeClient) -> Object:
    """Return what a class's own EnvoyProxy says, nothing where it has none."""
    reference = gateway_class.get("spec", {}).get("parametersRef") or {}
    if reference.get("kind") != "EnvoyProxy":
        return {}
    proxy = client.find(
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyProxy",
        reference["name"],
        reference.get("namespace", "default"),
    )
    found: Object = (proxy or {}).get("spec", {})
    return found


def check_lua(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """A Lua filter tells roles, names of hosted models and sessions apart; Envoy Gateway 1.9 refuses it by default."""
    if not any(each["kind"] == "EnvoyExtensionPolicy" for each in objects):
        return
    namespace = plan.access.gateway_namespace
    found = client.find("v1", "ConfigMap", "envoy-gateway-config", namespace)
    text = "\n".join((found or {}).get("data", {}).values())
    if "enableLua: true" in text:
        yield Check(name="Lua filters in Envoy Gateway", verdict="ok", found="enableLua: true")
        return
    yield Check(
        name="Lua filters in Envoy Gateway",
        verdict="missing" if found is not None else "doubtful",
        found="not enabled" if found is not None else f"no ConfigMap envoy-gateway-config in {namespace}",
        fix="set extensionApis.enableLua: true in Envoy Gateway's configuration and restart it, or else the routes "
        f"answer 500{_without_lua(plan)}",
    )


def check_patches(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Replicas' parts of the requests are bounded by a patch, which Envoy Gateway 1.9 ignores by default."""
    if not any(each["kind"] == "EnvoyPatchPolicy" for each in objects):
        return
    namespace = plan.access.gateway_namespace
    found = client.find("v1", "ConfigMap", "envoy-gateway-config", namespace)
    text = "\n".join((found or {}).get("data", {}).values())
    enabled = "enableEnvoyPatchPolicy: true" in text
    otherwise = "not enabled" if found is not None else f"no ConfigMap envoy-gateway-config in {namespace}"
    yield Check.of(
        "patches in Envoy Gateway",
        holds=enabled,
        doubtful=found is None,
        found="enableEnvoyPatchPolicy: true" if enabled else otherwise,
        fix="set extensionApis.enableEnvoyPatchPolicy: true in Envoy Gateway's configuration and restart it, or leave "
        "out platform.access.balancedSessions: without it sessions keep to their replicas whatever those have to do",
    )


def _without_lua(plan: PlatformPlan) -> str:
    """Return the other way out, for a stack that needs the filter for its aliases and sessions alone."""
    if plan.settings.translation != "litellm" and len(plan.serving) > 1:
        return ""
    if not plan.ingress_part.keeps_sessions:
        return "; or do without aliases: platform.access.modelAliases: false"
    if not plan.connection.model_aliases:
        return "; or do without affinity: platform.access.sessionAffinity: false"
    return (
        "; or do without aliases and affinity: platform.access.modelAliases: false and sessionAffinity: false"
    )


def check_load_balancer(
    plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient
) -> Iterator[Check]:
    """Yield whether anything gives Services of type LoadBalancer an address; the Gateway waits for one.

    A cluster tells of its implementation only by Services that have an address already.
    """
    name = "addresses for LoadBalancer Services"
    if not _waits_for_an_address(plan, client):
        yield Check(name=name, verdict="ok", found="not needed: the Gateway's Service waits for none")
        return
    services = [
        each for each in client.list("v1", "Service") if each.get("spec", {}).get("type") == "LoadBalancer"
    ]
    served = [each for each in services if each.get("status", {}).get("loadBalancer", {}).get("ingress")]
    if served:
        yield Check(name=name, verdict="ok", found=f"{counted(len(served), 'Service')} with one")
        return
    fix = (
        "on bare metal install MetalLB, kube-vip or the like, or set platform.access.gatewayService.type to NodePort, "
        "or its addresses to those that your network leads to the nodes; without an address the Gateway is never "
        "Programmed"
    )
    found = (
        f"none for {counted(len(services), 'Service')} of that type"
        if services
        else "no Service that asks for one"
    )
    yield Check(name=name, verdict="missing" if services else "doubtful", found=found, fix=fix)


def _waits_for_an_address(plan: PlatformPlan, client: KubeClient) -> bool:
    """Tell whether the Gateway comes up only where something gives its Service an address."""
    service = plan.access.gateway_service
    if service is not None:
        return service.waits_for_an_address
    try:
        gateway_class = client.find(_GATEWAY_API, "GatewayClass", plan.access.gateway_class)
        settings = _settings_of(gateway_class or {}, client)
    except ApiError:  # told by the check of the class
        return True
    kubernetes = settings.get("provider", {}).get("kubernetes", {})
    return str(kubernetes.get("envoyService", {}).get("type", "LoadBalancer")) == "LoadBalancer"
