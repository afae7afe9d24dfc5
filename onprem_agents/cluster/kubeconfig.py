"""Kubeconfigs turned into an HTTP client through lightkube, which is imported at first use."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from onprem_agents.errors import ClusterError, needs_platform

if TYPE_CHECKING:
    import httpx2
    from lightkube.config.kubeconfig import SingleConfig

# The lists of a kubeconfig, and the key under which an entry holds its body.
_LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True, kw_only=True)
class _Document:
    current_context: str | None
    lists: Mapping[str, Mapping[str, Any]]


def places(given: Path | None) -> tuple[Path, ...]:
    """Return the files to read: `given`, else those that $KUBECONFIG lists, else ~/.kube/config."""
    if given is not None:
        return (given.expanduser(),)
    listed = [Path(part).expanduser() for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(dict.fromkeys(listed)) or (Path("~/.kube/config").expanduser(),)


def named(files: Sequence[Path]) -> str:
    """Return the files as messages name them, in the way in which $KUBECONFIG does."""
    return os.pathsep.join(map(str, files))


def load(files: Sequence[Path], context: str | None) -> SingleConfig:
    """Read the context (None: the current one) of the merged files; ClusterError when it cannot be used.

    As kubectl merges: of entries of one name the first wins whole, so does the first current context, and a file
    that is not there is passed over (kubernetes.io, "Organizing cluster access", read 2026-11).
    """
    try:
        import msgspec
        from lightkube.config.kubeconfig import KubeConfig
        from lightkube.core.exceptions import ConfigError
    except ImportError as error:
        raise ClusterError(needs_platform("talking to a cluster", str(error.name))) from error
    source = named(files)
    there = [file for file in files if file.is_file()]
    if not there:
        raise ClusterError(f"kubeconfig {source} not found; set KUBECONFIG to the file of your cluster")
    merged = _merged([_read(file) for file in there])
    try:
        config = KubeConfig.from_dict(merged, fname=there[0]).get(context)
    except ConfigError as error:
        raise ClusterError(
            f"kubeconfig {source}: {error}; set KUBECONFIG to the file of your cluster"
        ) from error
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
        raise ClusterError(f"kubeconfig {source} has the wrong shape: {error!r}") from error
    if config is None or config.user is None:
        raise ClusterError(f"kubeconfig {source}: the current context names no user; choose one with a user")
    return config


def _read(file: Path) -> _Document:
    """Return one file's content, its lists by name and its relative paths resolved against its folder."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeError) as error:
        raise ClusterError(f"kubeconfig {file} cannot be read: {error}") from error
    try:
        lists = {
            key: {entry["name"]: _resolved(entry, key, file) for entry in (content or {}).get(key) or []}
            for key in _LISTS
        }
        return _Document(current_context=(content or {}).get("current-context") or None, lists=lists)
    except (KeyError, TypeError, AttributeError) as error:
        raise ClusterError(f"kubeconfig {file} has the wrong shape: {error!r}") from error


def _resolved(entry: Mapping[str, Any], key: str, file: Path) -> dict[str, Any]:
    kind = _LISTS[key]
    body = dict(entry[kind])
    folder = file.absolute().parent
    for field in _PATHS:
        if body.get(field):
            body[field] = str(folder / body[field])
    helper = body.get("exec")
    # A command with a slash is a path relative to the file, one without is looked for on PATH.
    if helper and "/" in helper["command"]:
        body["exec"] = {**helper, "command": str(folder / helper["command"])}
    return {"name": entry["name"], kind: body}


def _merged(documents: Sequence[_Document]) -> dict[str, Any]:
    lists: dict[str, dict[str, Any]] = {key: {} for key in _LISTS}
    for document in documents:
        for key, entries in document.lists.items():
            lists[key] = {**entries, **lists[key]}
    contexts = (document.current_context for document in documents)
    return {
        "current-context": next((name for name in contexts if name), None),
        **{key: list(entries.values()) for key, entries in lists.items()},
    }


def http_client(config: SingleConfig, source: str, timeout_seconds: float) -> httpx2.Client:
    """Make the HTTP client for a context: address, TLS, authentication. `source` goes into messages."""
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
        raise ClusterError(f"kubeconfig {source}: its credentials cannot be used: {error}") from error


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
