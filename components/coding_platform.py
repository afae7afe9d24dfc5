"""CodingPlatform: the whole stack, composed. It owns its parts' names; objects and order are the plan's bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from onprem_agents.manifests import bundles
from onprem_agents.plan import PlatformPlan

from .component import Component
from .declaration import Declaration
from .external_ingress import ExternalIngress, ExternalIngressArgs
from .gateway_auth import GatewayAuth, GatewayAuthArgs
from .gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from .inference_service import InferenceService, InferenceServiceArgs
from .translation_proxy import TranslationProxy, TranslationProxyArgs


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
