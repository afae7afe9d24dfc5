"""ExternalIngress: the Gateway with its certificate, routes, timeouts and limits."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from onprem_agents.manifests import ingress_bundles
from onprem_agents.plan.plan_ingress import plan_ingress
from onprem_agents.plan.references import ingress_reference

from .arguments import ExternalIngressArgs, IngressReference
from .component import Component
from .planning import planning
from .wire import to_python


class ExternalIngress(Component):
    """The way in from outside the cluster. Nobody may use it until a `GatewayAuth` says who."""

    url: pulumi.Output[str]
    """Address of the OpenAI API."""
    anthropic_url: pulumi.Output[str]
    """Address of the Anthropic API, for Claude Code."""
    host: pulumi.Output[str]
    """The name that developers connect to."""
    connection: pulumi.Output[Mapping[str, Any] | None]
    """The connection contract: everything that `onprem-agents setup` needs, and no secret. Nothing where a server
    does not say its context."""
    ingress: pulumi.Output[IngressReference]
    """All that a `GatewayAuth` needs of the ingress: its argument `ingress`."""

    def __init__(
        self, name: str, args: ExternalIngressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the Gateway, waiting until it is programmed, and everything behind it."""
        plan = planning(self, name, args, plan=plan_ingress, bundles=ingress_bundles)
        state = {"host": plan.tell(lambda part: part.host), "port": plan.tell(lambda part: part.port)}
        super().__init__(name, state, opts)
        plan.declare(self, lambda planned: planned.declaration.declare(self, name))
        self.url = plan.tell(lambda part: part.url)
        self.anthropic_url = plan.tell(lambda part: part.anthropic_url)
        self.host = plan.tell(lambda part: part.host)
        self.connection = plan.tell(
            lambda part: None if part.connection is None else part.connection.to_wire()
        )
        self.ingress = plan.refer(lambda part: cast(IngressReference, to_python(ingress_reference(part))))
        self.register_attributes()
