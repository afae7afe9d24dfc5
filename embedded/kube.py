"""The verbs that change a Kubernetes API server, and waits: what the product itself never does.

The local default makes its cluster with them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from onprem_agents.cluster import KubeClient, Object, describe
from onprem_agents.errors import ClusterError

FIELD_MANAGER = "onprem-coding-agents"


class KubeWriter(KubeClient):
    """A client that also writes. Every failure is a ClusterError, the server's refusals are ApiErrors."""

    def ready(self) -> bool:
        """Whether the API server says that it is ready; False also when nothing answers."""
        try:
            return self.send("GET", "/readyz", name="the API server").is_success
        except ClusterError:
            return False

    def create(
        self, body: Mapping[str, Any], *, dry_run: bool = False, field_manager: str = FIELD_MANAGER
    ) -> Object:
        """Create an object; ApiError 409 `AlreadyExists` when there is one of that name."""
        path, label = self._path_of(body, named=False)
        return self.request("POST", path, name=label, body=body, params=_params(dry_run, field_manager))

    def apply(
        self,
        body: Mapping[str, Any],
        *,
        field_manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Object:
        """Apply on the server's side; without `force` a field of another manager is a 409 `Conflict`."""
        path, label = self._path_of(body)
        params = _params(dry_run, field_manager) | {"force": "true" if force else "false"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self.request(
            "PATCH", path + subresource, name=label, body=body, params=params, headers=headers
        )

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        subresource: str = "",
    ) -> Object:
        """Merge `body` into an object (`subresource` as `/status`)."""
        path, label = self.path(api_version, kind, name, namespace)
        return self.request(
            "PATCH",
            path + subresource,
            name=label,
            body=body,
            params=_params(dry_run=False, field_manager=FIELD_MANAGER),
            headers={"Content-Type": "application/merge-patch+json"},
        )

    def delete(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> None:
        """Ask for deletion, return at once; ApiError 404 when it is gone."""
        path, label = self.path(api_version, kind, name, namespace)
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        self.request("DELETE", path, name=label, body=options)

    def wait_until(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        predicate: Callable[[Object | None], bool],
        *,
        timeout_seconds: float,
        what: str = "as wanted",
        interval_seconds: float = 0.2,
    ) -> Object | None:
        """Read an object until `predicate` holds (it gets None while there is no object) and return it.

        Raises ClusterError after `timeout_seconds`, saying that the object is not `what`.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            found = self.find(api_version, kind, name, namespace)
            if predicate(found):
                return found
            if time.monotonic() >= deadline:
                state = "was not" if found else "does not exist and so was not"
                raise ClusterError(
                    f"{describe(kind, name, namespace)} {state} {what} within {timeout_seconds:g} s"
                )
            time.sleep(interval_seconds)

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str,
        body: Mapping[str, Any] | str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:
        """Send any request and return the JSON answer; `name` names its object in messages.

        A `body` that is text goes as it is; `headers` then say what it is.
        """
        content = None if body is None else body if isinstance(body, str) else json.dumps(body)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        return self.ask(
            method, path, name=name, content=content, params=params, headers=sent | dict(headers or {})
        )

    def _path_of(self, body: Mapping[str, Any], *, named: bool = True) -> tuple[str, str]:
        metadata = body.get("metadata", {})
        name = metadata.get("name") or metadata.get("generateName", "")
        path, label = self.path(body["apiVersion"], body["kind"], name, metadata.get("namespace"))
        return (path if named else path.rpartition("/")[0]), label


def _params(dry_run: bool, field_manager: str) -> dict[str, str]:
    return {"fieldManager": field_manager} | ({"dryRun": "All"} if dry_run else {})
