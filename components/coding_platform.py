"""CodingPlatform: the whole stack, composed. It owns names and order; its parts own their objects.

Order: namespace, then the denial of all traffic, nodes and keys, then model servers and proxy; routes last of
the ingress, after the key check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.component import Component
from components.external_ingress import ExternalIngress, ExternalIngressArgs
from components.gateway_auth import GatewayAuth, GatewayAuthArgs
from components.gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from components.inference_service import InferenceService, InferenceServiceArgs
from components.kubernetes_object import KubernetesObject, declare
from components.translation_proxy import TranslationProxy, TranslationProxyArgs
from onprem_agents.manifests.namespace import namespace
from onprem_agents.manifests.network_policies import network_policies
from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class CodingPlatformArgs:
    """The plan, the connection contract as JSON, and the keys, which are secret."""

    plan: PlatformPlan
    connection_json: str
    developer_keys: Mapping[str, Sequence[pulumi.Input[str]]]
    server_key: pulumi.Input[str]


class CodingPlatform(Component):
    """Everything that gives a company's developers their agents."""

    host: str
    """The name that developers connect to."""

    def __init__(
        self, name: str, args: CodingPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the platform."""
        plan = args.plan
        self.host = plan.access.host
        super().__init__(name, {"stack": plan.stack}, opts)
        child = pulumi.ResourceOptions(parent=self)
        home = KubernetesObject(f"{name}-namespace", namespace(plan), child)
        walls = declare(self, f"{name}-network", network_policies(plan), [home])
        pool = GpuNodePool(f"{name}-pool", GpuNodePoolArgs(plan=plan, after=[home]), child)
        auth = GatewayAuth(
            f"{name}-auth",
            GatewayAuthArgs(
                plan=plan, developer_keys=args.developer_keys, server_key=args.server_key, after=[home]
            ),
            child,
        )
        before_pods = [home, *walls, *auth.server_secrets]
        for serving in plan.serving:
            InferenceService(
                f"{name}-{serving.role}",
                InferenceServiceArgs(plan=plan, serving=serving, after=[*before_pods, pool]),
                child,
            )
        if plan.settings.translation != "native":
            TranslationProxy(f"{name}-proxy", TranslationProxyArgs(plan=plan, after=before_pods), child)
        ExternalIngress(
            f"{name}-ingress",
            ExternalIngressArgs(
                plan=plan, connection_json=args.connection_json, after=[home], after_auth=[auth]
            ),
            child,
        )
        self.register_outputs({"host": self.host})
