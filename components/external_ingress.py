"""ExternalIngress: the Gateway with its certificate, routes, timeouts and limits.

Routes come after the key check (`after_auth`): there is no moment in which they are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.component import Component
from components.kubernetes_object import declare
from onprem_agents.manifests.external_ingress import certificates, envoy_proxy, gateway
from onprem_agents.manifests.platform import ingress_routes
from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class ExternalIngressArgs:
    """The plan, the connection contract as JSON, and what must exist before."""

    plan: PlatformPlan
    connection_json: str
    after: Sequence[pulumi.Resource] = ()
    after_auth: Sequence[pulumi.Resource] = ()


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
        before = declare(self, name, [*certificates(plan), envoy_proxy(plan)], args.after)
        declare(self, name, [gateway(plan)], [*args.after, *before])
        declare(self, name, ingress_routes(plan, args.connection_json), [*args.after, *args.after_auth])
        self.register_outputs(outputs)
