"""InferenceService: one role's model server under KServe, ready when KServe says so."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi

from onprem_agents.manifests import server_bundles
from onprem_agents.manifests.endpoints import server_url
from onprem_agents.plan.plan_parts import plan_server
from onprem_agents.plan.references import server_reference
from onprem_agents.plan.report import role_report

from .arguments import InferenceServiceArgs, ServerReference
from .component import Component
from .planning import planning
from .wire import to_python


class InferenceService(Component):
    """KServe's object with service account, chat template, disruption budget and, alone, the Secret of its key."""

    service: pulumi.Output[str]
    """Name of the Service in front of the server."""
    url: pulumi.Output[str]
    """Address of the server inside the cluster."""
    served_model: pulumi.Output[str]
    """The name that clients send as `model`."""
    replicas: pulumi.Output[int]
    """Model servers behind that Service."""
    sizing: pulumi.Output[Mapping[str, Any]]
    """What fits where: memory, context, sessions and flags, as `onprem-agents plan` reports a role."""
    supported_agents: pulumi.Output[Sequence[str]]
    """The agents that can work with the model."""
    key_secret: pulumi.Output[str | None]
    """The Secret with the server's key, in the server's namespace; nothing where the server asks for none."""
    server: pulumi.Output[ServerReference]
    """All that an `ExternalIngress` or a `TranslationProxy` needs of the server: an entry of their `servers`."""

    def __init__(
        self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the role's objects; the deployment waits until the model is loaded."""
        plan = planning(
            self,
            name,
            args,
            plan=plan_server,
            bundles=server_bundles,
            of_keys=lambda keys: {"has_key": keys.has_server_key},
        )
        state = {
            "role": plan.tell(lambda part: part.serving.role),
            "servedModel": plan.tell(lambda part: part.serving.name),
            "replicas": plan.tell(lambda part: part.serving.replicas),
        }
        super().__init__(name, state, opts)
        plan.declare(
            self, lambda planned: planned.declaration.declare(self, name, role=planned.part.serving.role)
        )
        self.service = plan.tell(lambda part: part.serving.predictor_service)
        self.url = plan.tell(lambda part: server_url(server_reference(part)))
        self.served_model = plan.tell(lambda part: part.serving.name)
        self.replicas = plan.tell(lambda part: part.serving.replicas)
        self.sizing = plan.tell(lambda part: role_report(part.serving))
        self.supported_agents = plan.tell(lambda part: list(part.serving.supported_agents))
        self.key_secret = plan.tell(lambda part: part.key_secret)
        self.server = plan.refer(lambda part: cast(ServerReference, to_python(server_reference(part))))
        self.register_attributes()
