"""InferenceService: one role's model server under KServe, ready when KServe says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.component import Component
from components.kubernetes_object import declare
from onprem_agents.manifests.inference_service import (
    disruption_budgets,
    inference_service,
    supporting_objects,
)
from onprem_agents.plan import PlatformPlan, ServingPlan


@dataclass(frozen=True, kw_only=True)
class InferenceServiceArgs:
    """The plan of the stack and of the role, and what must exist before."""

    plan: PlatformPlan
    serving: ServingPlan
    after: Sequence[pulumi.Resource] = ()


class InferenceService(Component):
    """KServe's object with service account, chat template and disruption budget."""

    served_model: str
    """The name that clients send as `model`."""

    def __init__(
        self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the role's objects; the deployment waits until the model is loaded."""
        plan, serving = args.plan, args.serving
        self.served_model = serving.name
        outputs = {"role": serving.role, "servedModel": serving.name, "replicas": serving.replicas}
        super().__init__(name, outputs, opts)
        first = declare(self, name, supporting_objects(plan, serving), args.after)
        declare(self, name, [inference_service(plan, serving)], [*args.after, *first])
        declare(self, name, disruption_budgets(plan, serving), args.after)
        self.register_outputs(outputs)
