"""TranslationProxy: LiteLLM or claude-code-router, declared only where native serving is off."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from onprem_agents.plan import PlatformPlan

from .component import Component
from .declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class TranslationProxyArgs:
    """The plan, and what is to be declared of it."""

    plan: PlatformPlan
    declaration: Declaration


class TranslationProxy(Component):
    """The proxy's Deployment, Service, configuration and disruption budget."""

    def __init__(
        self, name: str, args: TranslationProxyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the proxy's objects."""
        outputs = {"translation": args.plan.settings.translation}
        super().__init__(name, outputs, opts)
        args.declaration.declare(self, name)
        self.register_outputs(outputs)
