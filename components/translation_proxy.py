"""TranslationProxy: LiteLLM or claude-code-router, declared only where native serving is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.component import Component
from components.kubernetes_object import declare
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class TranslationProxyArgs:
    """The plan, and what must exist before: the Secrets that the proxy's pods read."""

    plan: PlatformPlan
    after: Sequence[pulumi.Resource] = ()


class TranslationProxy(Component):
    """The proxy's Deployment, Service, configuration and disruption budget."""

    def __init__(
        self, name: str, args: TranslationProxyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the proxy's objects."""
        outputs = {"translation": args.plan.settings.translation}
        super().__init__(name, outputs, opts)
        declare(self, name, translation_proxy(args.plan), args.after)
        self.register_outputs(outputs)
