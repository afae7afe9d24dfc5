"""GatewayAuth: who may call. Keys are secret Outputs from the first line and stand in Secrets alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.component import Component
from components.kubernetes_object import KubernetesObject, declare
from onprem_agents.manifests.gateway_auth import client_ids, key_secrets, proxy_key_secret, server_key_secret
from onprem_agents.manifests.platform import auth_objects
from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class GatewayAuthArgs:
    """The plan, every developer's one or two keys, the servers' key, and what must exist before."""

    plan: PlatformPlan
    developer_keys: Mapping[str, Sequence[pulumi.Input[str]]]
    server_key: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()


class GatewayAuth(Component):
    """The key check at the gateway, the developers' keys, and the key between gateway and servers."""

    server_secrets: tuple[KubernetesObject, ...]
    """Secrets that pods read: they must exist before the pods."""

    def __init__(self, name: str, args: GatewayAuthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare Secrets first, then the policy that refers to them."""
        plan = args.plan
        super().__init__(name, {"developers": list(plan.developers)}, opts)
        self.server_secrets = tuple(declare(self, name, _server_secrets(args), args.after))
        keys = declare(self, name, _developer_secrets(args), args.after)
        declare(self, name, auth_objects(plan), [*args.after, *self.server_secrets, *keys])
        self.register_outputs({"developers": list(plan.developers)})


def _developer_secrets(args: GatewayAuthArgs) -> list[dict[str, Any]]:
    return [
        secret
        | _data(dict(zip(client_ids(developer), _secret(args.developer_keys[developer]), strict=False)))
        for developer, secret in key_secrets(args.plan).items()
    ]


def _server_secrets(args: GatewayAuthArgs) -> list[dict[str, Any]]:
    (key,) = _secret([args.server_key])
    secrets = [server_key_secret(args.plan) | _data(_both_forms(key))]
    if args.plan.settings.translation != "native":
        # LiteLLM wants keys that begin with sk- (1.109.1, 2026-11).
        proxy_key = pulumi.Output.concat("sk-", key)
        secrets.append(proxy_key_secret(args.plan) | _data(_both_forms(proxy_key)))
    return secrets


def _both_forms(key: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
    return {"apiKey": key, "credential": pulumi.Output.concat("Bearer ", key)}


def _data(values: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
    """Return a Secret's `data`; in `stringData` a server-side apply would never remove a key that is gone.

    A developer's old key would stay beside the new one, equal to it: Envoy Gateway 1.9 then answers 500 to all.
    """
    return {"data": {name: value.apply(_base64) for name, value in values.items()}}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(keys: Sequence[pulumi.Input[str]]) -> list[pulumi.Output[str]]:
    return [pulumi.Output.secret(key) for key in keys]
