"""GatewayAuth: who may call. Keys are secret Outputs and stand in Secrets alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from onprem_agents.manifests import auth_bundles
from onprem_agents.manifests.gateway_auth import key_secret_name
from onprem_agents.plan.plan_parts import plan_auth

from .arguments import GatewayAuthArgs
from .component import Component
from .keys import Keys
from .planning import planning


class GatewayAuth(Component):
    """The key check at the gateway, and the developers' keys."""

    developers: pulumi.Output[Sequence[str]]
    """Everyone who may call, in a fixed order."""
    key_secrets: pulumi.Output[Mapping[str, str]]
    """The Secret of each developer's keys, in the namespace of the ingress."""

    def __init__(self, name: str, args: GatewayAuthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare Secrets first, then the policy that refers to them."""
        plan = planning(self, name, args, plan=plan_auth, bundles=auth_bundles, of_keys=_developers)
        super().__init__(name, {"developers": plan.tell(lambda part: list(part.developers))}, opts)
        plan.declare(self, lambda planned: planned.declaration.declare(self, name))
        self.developers = plan.tell(lambda part: list(part.developers))
        self.key_secrets = plan.tell(
            lambda part: {developer: key_secret_name(developer) for developer in part.developers}
        )
        self.register_attributes()


def _developers(keys: Keys) -> Mapping[str, Any] | None:
    """Return who may call: those who have keys."""
    return None if keys.developers is None else {"developers": keys.developers}
