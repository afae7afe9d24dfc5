"""The provider's own configuration, and the API client it leads to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.kube import KubeWriter
from onprem_agents.errors import ClusterError

_CLIENT_TIMEOUT_SECONDS = 30.0
_SWITCHES = {
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `kubernetes:…` configuration or a `Provider` resource says; names and defaults as in 4.34.

    `kubeconfig` is a file's path or a file's content, empty for $KUBECONFIG or ~/.kube/config.
    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    config_maps_mutable: bool = False
    secrets_mutable: bool = False
    patch_force: bool = False
    upsert: bool = False
    delete_unreachable: bool = False

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Settings:
        """Read the configuration; what it leaves open comes from the `PULUMI_K8S_…` variables."""
        on = {
            name: _truth(values.get(name, os.environ.get(variable))) for name, variable in _SWITCHES.items()
        }
        return cls(
            kubeconfig=str(values.get("kubeconfig") or ""),
            context=str(values.get("context") or ""),
            namespace=str(values.get("namespace") or os.environ.get("PULUMI_K8S_NAMESPACE") or ""),
            config_maps_mutable=on["enableConfigMapMutable"],
            secrets_mutable=on["enableSecretMutable"],
            patch_force=on["enablePatchForce"],
            upsert=on["upsertExistingObjects"],
            delete_unreachable=on["deleteUnreachable"],
        )

    def connect(self) -> KubeWriter:
        """Return a client for the configured cluster; ClusterError when the kubeconfig cannot be used."""
        context = self.context or None
        if not self.kubeconfig:
            return KubeWriter.from_kubeconfig(context=context, timeout_seconds=_CLIENT_TIMEOUT_SECONDS)
        if "\n" not in self.kubeconfig and not self.kubeconfig.lstrip().startswith("{"):
            path = Path(self.kubeconfig).expanduser()
            return KubeWriter.from_kubeconfig(path, context=context, timeout_seconds=_CLIENT_TIMEOUT_SECONDS)
        return _connect_to_content(self.kubeconfig, context)


def refusals(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that this stand-in cannot honour, each with a sentence."""
    found = {}
    if "enableServerSideApply" in values and not _truth(values["enableServerSideApply"]):
        found["enableServerSideApply"] = (
            "this stand-in for the Kubernetes provider only does server-side apply; remove the setting,"
            " or install the official provider"
        )
    if values.get("renderYamlToDirectory"):
        found["renderYamlToDirectory"] = (
            "this stand-in for the Kubernetes provider does not render to a folder; `onprem-agents render` prints"
            " the manifests of a stack"
        )
    return found


def _connect_to_content(content: str, context: str | None) -> KubeWriter:
    import yaml
    from lightkube.config.kubeconfig import KubeConfig

    from onprem_agents.cluster import kubeconfig

    source = "kubernetes:kubeconfig"
    try:
        config = KubeConfig.from_dict(yaml.safe_load(content)).get(context)
    except Exception as error:  # three libraries, each with exceptions of its own
        raise ClusterError(f"{source} cannot be read as a kubeconfig: {type(error).__name__}") from error
    if config is None or config.user is None:
        raise ClusterError(f"{source}: the current context names no user; choose one with a user")
    http = kubeconfig.http_client(config, source, _CLIENT_TIMEOUT_SECONDS)
    return KubeWriter(http, source=source, namespace=config.namespace)


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return json.loads(value.lower() or "false") in (True, 1)
        except ValueError:
            return False
    return bool(value)
