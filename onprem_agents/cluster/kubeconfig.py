"""A kubeconfig turned into an HTTP client through lightkube, which is imported at first use."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onprem_agents.errors import ClusterError

if TYPE_CHECKING:
    import httpx2
    from lightkube.config.kubeconfig import SingleConfig


def load(path: Path, context: str | None) -> SingleConfig:
    """Read the context (None: the current one) of a kubeconfig; ClusterError when it cannot be used."""
    try:
        import msgspec
        import yaml
        from lightkube.config.kubeconfig import KubeConfig
        from lightkube.core.exceptions import ConfigError
    except ImportError as error:
        raise ClusterError(
            "talking to a cluster needs the extra `platform`: pip install 'onprem-coding-agents[platform]'"
        ) from error
    try:
        config = KubeConfig.from_file(path).get(context)
    except ConfigError as error:
        raise ClusterError(
            f"kubeconfig {path}: {error}; set KUBECONFIG to the file of your cluster"
        ) from error
    except (yaml.YAMLError, msgspec.MsgspecError, OSError, UnicodeError) as error:
        raise ClusterError(f"kubeconfig {path} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ClusterError(f"kubeconfig {path} has the wrong shape: {error!r}") from error
    if config is None or config.user is None:
        raise ClusterError(f"kubeconfig {path}: the current context names no user; choose one with a user")
    return config


def http_client(config: SingleConfig, path: Path, timeout_seconds: float) -> httpx2.Client:
    """Make the HTTP client for a context: address, TLS, authentication."""
    import httpx2
    from lightkube.config import client_adapter
    from lightkube.core.exceptions import ConfigError

    parameters = client_adapter.ConnectionParams(
        timeout=httpx2.Timeout(timeout_seconds, connect=5.0),
        trust_env=not _is_loopback(config.cluster.server),  # a proxy cannot reach this machine's loopback
    )
    try:
        return client_adapter.Client(_with_current_exec(config), parameters)
    except (OSError, ValueError, ConfigError) as error:
        raise ClusterError(f"kubeconfig {path}: its credentials cannot be used: {error}") from error


def _with_current_exec(config: SingleConfig) -> SingleConfig:
    """Let exec helpers of `client.authentication.k8s.io/v1` work too.

    lightkube 1.0.1 knows v1alpha1 and v1beta1 only and does not set KUBERNETES_EXEC_INFO; the answer it reads
    (`status.token`) is the same in all three (client-go credential plugins, read 2026-11).
    """
    from lightkube.config.models import NameValue

    user = config.user
    if user is None or user.exec is None:
        return config
    version = user.exec.apiVersion
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    user.exec.env = [*(user.exec.env or []), NameValue(name="KUBERNETES_EXEC_INFO", value=json.dumps(info))]
    if version == "client.authentication.k8s.io/v1":
        user.exec.apiVersion = "client.authentication.k8s.io/v1beta1"
    return config


def _is_loopback(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
