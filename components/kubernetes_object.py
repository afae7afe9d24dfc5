"""One Kubernetes object as a Pulumi resource, made from its wire format.

The resource has the type token of the official provider's own class, so engine, provider and policies see an
ordinary kind; but none of the SDK's classes is imported. Measured (pulumi 3.272, pulumi-kubernetes 4.34.2,
2026-09): touching `pulumi_kubernetes.core.v1` alone costs 0.24 s and 17 MiB at each start; this class,
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from os import environ
from typing import Any

import pulumi

from onprem_agents.stack.settings import KUBERNETES_PLUGIN

_SECRET_OUTPUTS = ["data", "stringData"]


class KubernetesObject(pulumi.CustomResource):
    """An object of the cluster; with `patch`, fields set on an object that somebody else owns."""

    def __init__(
        self,
        name: str,
        manifest: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
        *,
        patch: bool = False,
    ) -> None:
        """Declare `manifest`, whose values may be Outputs. A Secret's data are secret outputs."""
        own = pulumi.ResourceOptions(version=plugin_version())
        if manifest["kind"] == "Secret":
            own.additional_secret_outputs = _SECRET_OUTPUTS
        token = type_token(manifest["apiVersion"], manifest["kind"], patch=patch)
        super().__init__(token, name, dict(manifest), pulumi.ResourceOptions.merge(opts, own))


def type_token(api_version: str, kind: str, *, patch: bool = False) -> str:
    """Return the provider's token: `v1`, `Secret` is `kubernetes:core/v1:Secret`."""
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{group_version}:{kind}{'Patch' if patch else ''}"


def plugin_version() -> str:
    """Return the version of the plugin to ask for: the one that this machine has, else the installed SDK's."""
    return environ.get(KUBERNETES_PLUGIN) or _sdk_version()


@cache
def _sdk_version() -> str:
    return version("pulumi-kubernetes")
