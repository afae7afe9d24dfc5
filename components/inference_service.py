"""InferenceService: one role's model server under KServe, ready when KServe says so."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from onprem_agents.plan import ServingPlan

from .component import Component
from .declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class InferenceServiceArgs:
    """The plan of the role, and what is to be declared of the stack."""

    serving: ServingPlan
    declaration: Declaration


class InferenceService(Component):
    """KServe's object with service account, chat template and disruption budget."""

    served_model: str
    """The name that clients send as `model`."""

    def __init__(
        self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the role's objects; the deployment waits until the model is loaded."""
        serving = args.serving
        self.served_model = serving.name
        outputs = {"role": serving.role, "servedModel": serving.name, "replicas": serving.replicas}
        super().__init__(name, outputs, opts)
        args.declaration.declare(self, name, role=serving.role)
        self.register_outputs(outputs)
