"""ExternalIngress: the Gateway with its certificate, routes, timeouts and limits."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from onprem_agents.plan import PlatformPlan

from .component import Component
from .declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class ExternalIngressArgs:
    """The plan, and what is to be declared of it."""

    plan: PlatformPlan
    declaration: Declaration


class ExternalIngress(Component):
    """The way in from outside the cluster."""

    host: str
    """The name that developers connect to."""

    def __init__(
        self, name: str, args: ExternalIngressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the Gateway, waiting until it is programmed, and everything behind it."""
        plan = args.plan
        self.host = plan.access.host
        outputs = {"host": self.host, "port": plan.access.port}
        super().__init__(name, outputs, opts)
        args.declaration.declare(self, name)
        self.register_outputs(outputs)
