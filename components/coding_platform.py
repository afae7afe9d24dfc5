"""CodingPlatform: the whole stack, composed. It owns its parts' names; objects and order are the plan's bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.component import Component
from components.declaration import Declaration
from components.external_ingress import ExternalIngress, ExternalIngressArgs
from components.gateway_auth import GatewayAuth, GatewayAuthArgs
from components.gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from components.inference_service import InferenceService, InferenceServiceArgs
from components.translation_proxy import TranslationProxy, TranslationProxyArgs
from onprem_agents.manifests import bundles
from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class CodingPlatformArgs:
    """The plan, and the keys, which are secret."""

    plan: PlatformPlan
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
        declaration = Declaration(bundles=bundles(plan))
        declaration.declare(self, name)
        GpuNodePool(f"{name}-pool", GpuNodePoolArgs(plan=plan, declaration=declaration), child)
        GatewayAuth(
            f"{name}-auth",
            GatewayAuthArgs(
                plan=plan,
                declaration=declaration,
                developer_keys=args.developer_keys,
                server_key=args.server_key,
            ),
            child,
        )
        for serving in plan.serving:
            InferenceService(
                f"{name}-{serving.role}",
                InferenceServiceArgs(serving=serving, declaration=declaration),
                child,
            )
        if declaration.has("TranslationProxy"):
            TranslationProxy(f"{name}-proxy", TranslationProxyArgs(plan=plan, declaration=declaration), child)
        ExternalIngress(f"{name}-ingress", ExternalIngressArgs(plan=plan, declaration=declaration), child)
        self.register_outputs({"host": self.host})
