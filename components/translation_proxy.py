"""TranslationProxy: LiteLLM or claude-code-router in front of model servers; a platform has one where it wants it."""

from typing import cast

import pulumi

from onprem_agents.manifests import proxy_bundles
from onprem_agents.manifests.endpoints import server_url
from onprem_agents.plan.plan_ingress import plan_proxy
from onprem_agents.plan.references import proxy_reference

from .arguments import ProxyReference, TranslationProxyArgs
from .component import Component
from .planning import planning
from .wire import to_python


class TranslationProxy(Component):
    """The proxy's Deployment, Service, account, configuration, disruption budget and, alone, the Secret of its key."""

    service: pulumi.Output[str]
    """Name of the proxy's Service."""
    url: pulumi.Output[str]
    """Address of the proxy inside the cluster."""
    proxy: pulumi.Output[ProxyReference]
    """All that an `ExternalIngress` needs of the proxy: its argument `proxy`."""

    def __init__(
        self, name: str, args: TranslationProxyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the proxy's objects."""
        plan = planning(self, name, args, plan=plan_proxy, bundles=proxy_bundles)
        super().__init__(name, {"translation": plan.tell(lambda part: part.software)}, opts)
        plan.declare(self, lambda planned: planned.declaration.declare(self, name))
        self.service = plan.tell(lambda part: proxy_reference(part).service)
        self.url = plan.tell(lambda part: server_url(proxy_reference(part)))
        self.proxy = plan.refer(lambda part: cast(ProxyReference, to_python(proxy_reference(part))))
        self.register_attributes()
