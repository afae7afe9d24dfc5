"""GatewayAuth: who may call. Keys are secret Outputs from the first line and stand in Secrets alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from onprem_agents.manifests import KeyValue
from onprem_agents.plan import PlatformPlan

from .component import Component
from .declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class GatewayAuthArgs:
    """The plan, what is to be declared of it, every developer's one or two keys, and the servers' key."""

    plan: PlatformPlan
    declaration: Declaration
    developer_keys: Mapping[str, Sequence[pulumi.Input[str]]]
    server_key: pulumi.Input[str]


class GatewayAuth(Component):
    """The key check at the gateway, the developers' keys, and the key between gateway and servers."""

    def __init__(self, name: str, args: GatewayAuthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare Secrets first, then the policy that refers to them."""
        outputs = {"developers": list(args.plan.developers)}
        super().__init__(name, outputs, opts)
        args.declaration.declare(self, name, key_data=lambda value: _data(args, value))
        self.register_outputs(outputs)


def _data(args: GatewayAuthArgs, value: KeyValue) -> pulumi.Output[str] | None:
    """Return a key as it stands in a Secret's `data`, None where a developer has no second one."""
    keys = [args.server_key] if value.developer is None else args.developer_keys[value.developer]
    if value.position >= len(keys):
        return None
    key = pulumi.Output.secret(keys[value.position])
    return pulumi.Output.concat(value.prefix, key).apply(_base64)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
