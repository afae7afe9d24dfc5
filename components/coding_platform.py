"""CodingPlatform: the whole stack, composed. It owns its parts' names; objects and order are the plan's bundles."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi

from onprem_agents.manifests import bundles
from onprem_agents.manifests.gateway_auth import key_secret_name
from onprem_agents.plan import SERVER_KEY_SECRET, PlatformPlan
from onprem_agents.plan.plan_parts import plan_platform
from onprem_agents.plan.report import report

from .arguments import CodingPlatformArgs
from .component import Component
from .external_ingress import ExternalIngress
from .gateway_auth import GatewayAuth
from .gpu_node_pool import GpuNodePool
from .inference_service import InferenceService
from .planning import Planned, planning
from .service_check import ServiceCheck
from .translation_proxy import TranslationProxy


class CodingPlatform(Component):
    """Everything that gives a company's developers their agents."""

    url: pulumi.Output[str]
    """Address of the OpenAI API, which developers' machines are set up with."""
    anthropic_url: pulumi.Output[str]
    """Address of the Anthropic API, for Claude Code."""
    host: pulumi.Output[str]
    """The name that developers connect to."""
    connection: pulumi.Output[Mapping[str, Any]]
    """The connection contract: everything that `onprem-agents setup` needs, and no secret."""
    sizing: pulumi.Output[Mapping[str, Any]]
    """What fits where: the report that `onprem-agents plan` prints."""
    served_models: pulumi.Output[Sequence[str]]
    """The names that clients send as `model`; the first one does the work."""
    supported_agents: pulumi.Output[Mapping[str, Sequence[str]]]
    """The agents that can work with each served model."""
    replicas: pulumi.Output[Mapping[str, int]]
    """Model servers of each served model."""
    key_secrets: pulumi.Output[Mapping[str, str]]
    """The Secret of each developer's keys, in the platform's namespace."""
    key_secret: pulumi.Output[str]
    """The Secret of the key between gateway and model servers, in the same namespace."""
    check: pulumi.Output[Mapping[str, Any] | None]
    """The sum of the check after the update: passed, summary, faults, notRun. Nothing where none is asked for."""

    def __init__(
        self, name: str, args: CodingPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the platform."""
        self._check: ServiceCheck | None = None
        plan = planning(self, name, args, plan=plan_platform, bundles=bundles)
        super().__init__(name, {"stack": plan.tell(lambda found: found.stack)}, opts)
        plan.declare(self, lambda planned: self._parts(name, planned))
        self.url = plan.tell(lambda found: found.connection.base_url)
        self.anthropic_url = plan.tell(lambda found: found.connection.anthropic_base_url)
        self.host = plan.tell(lambda found: found.access.host)
        self.connection = plan.tell(lambda found: found.connection.to_wire())
        self.sizing = plan.tell(report)
        self.served_models = plan.tell(lambda found: [serving.name for serving in found.serving])
        self.supported_agents = plan.tell(
            lambda found: {serving.name: list(serving.supported_agents) for serving in found.serving}
        )
        self.replicas = plan.tell(lambda found: {serving.name: serving.replicas for serving in found.serving})
        self.key_secrets = plan.tell(
            lambda found: {developer: key_secret_name(developer) for developer in found.developers}
        )
        self.key_secret = plan.tell(lambda _: SERVER_KEY_SECRET)
        self.check = plan.tell(lambda _: cast(Any, None if self._check is None else self._check.told))
        self.register_attributes()

    def _parts(self, name: str, planned: Planned[PlatformPlan]) -> None:
        """Declare what belongs to no part, and every part, each in its place of the order."""
        plan, child = planned.part, self.child_options()
        planned.declaration.declare(self, name)
        GpuNodePool(f"{name}-pool", planned.of(plan.pool_part), child)
        parts: list[Component] = [
            GatewayAuth(f"{name}-auth", planned.of(plan.auth_part), child),
            *(
                InferenceService(f"{name}-{part.serving.role}", planned.of(part), child)
                for part in plan.server_parts
            ),
        ]
        if plan.proxy_part is not None:
            parts.append(TranslationProxy(f"{name}-proxy", planned.of(plan.proxy_part), child))
        parts.append(ExternalIngress(f"{name}-ingress", planned.of(plan.ingress_part), child))
        if plan.check_part is not None:
            after = self.child_options(parts)
            self._check = ServiceCheck(f"{name}-check", planned.of(plan.check_part), after)
