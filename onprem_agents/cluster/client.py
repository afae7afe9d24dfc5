"""The verbs on one Kubernetes API server: discovery, server-side apply, waits.

Kubeconfig, TLS and authentication (certificates, tokens, exec helpers) are lightkube's; it comes with the
extra `platform` and is imported at first use, so that `onprem-agents` itself installs without it. Objects are plain
dicts in wire format. One client may be shared by threads.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from onprem_agents.cluster import discovery, kubeconfig
from onprem_agents.cluster.discovery import Resource
from onprem_agents.cluster.refusal import ApiError, api_error, describe
from onprem_agents.errors import ClusterError

if TYPE_CHECKING:
    import httpx2

Object = dict[str, Any]
Array = list[Any]  # the client has a method called list
PatchType = Literal["merge", "json", "strategic"]
Propagation = Literal["Foreground", "Background", "Orphan"]

FIELD_MANAGER = "onprem-coding-agents"

_PATCH_TYPES: dict[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_PAGE_SIZE = 500
_NOT_FOUND = 404
_BUSY = 429
_BUSY_RETRIES = 5


class KubeClient:
    """One API server. Every failure is a ClusterError, the server's refusals are ApiErrors."""

    def __init__(self, http: httpx2.Client, *, source: str, namespace: str = "default") -> None:
        """Wrap a ready HTTP client. `source` says where its address came from and goes into messages."""
        self._http = http
        self._source = source
        self.namespace = namespace
        self._resources: dict[tuple[str, str], Resource] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_kubeconfig(
        cls, path: Path | None = None, *, context: str | None = None, timeout_seconds: float = 30.0
    ) -> KubeClient:
        """Connect as a kubeconfig says: `path`, else the files of $KUBECONFIG, else ~/.kube/config.

        Sends nothing yet.
        """
        files = kubeconfig.places(path)
        source = kubeconfig.named(files)
        config = kubeconfig.load(files, context)
        http = kubeconfig.http_client(config, source, timeout_seconds)
        return cls(http, source=source, namespace=config.namespace)

    @property
    def url(self) -> str:
        return str(self._http.base_url).rstrip("/")

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ready(self) -> bool:
        """Whether the API server says that it is ready; False also when nothing answers."""
        try:
            return self._send("GET", "/readyz", name="the API server").is_success
        except ClusterError:
            return False

    def version(self) -> str:
        """Return the server's version, for instance `v1.36.3`."""
        return str(self.request("GET", "/version", name="the API server")["gitVersion"])

    def resources(self, *, refresh: bool = False) -> tuple[Resource, ...]:
        """Return every served kind; one round trip for the core group and one for all others."""
        with self._lock:
            if self._resources and not refresh:
                return tuple(self._resources.values())
        found = {}
        for root in ("/api", "/apis"):
            document = self.request("GET", root, name="discovery", headers={"Accept": discovery.ACCEPT})
            for resource in discovery.served(document):
                found[resource.api_version, resource.kind] = resource
        with self._lock:
            self._resources = found
        return tuple(found.values())

    def resource(self, api_version: str, kind: str) -> Resource:
        """Return the served kind; asks the server again before it says that there is none (ApiError 404)."""
        for refresh in (False, True):
            self.resources(refresh=refresh)
            if found := self._resources.get((api_version, kind)):
                return found
        raise ApiError(
            status=_NOT_FOUND,
            reason="NotFound",
            message=f"{api_version} {kind} is not served; is its CustomResourceDefinition installed?",
            name=f"{api_version} {kind}",
        )

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        """Read one object; ApiError with status 404 when there is none."""
        path, label = self._path(api_version, kind, name, namespace)
        return self.request("GET", path, name=label)

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Read one object, or return None when it, or its kind, is not there."""
        try:
            return self.get(api_version, kind, name, namespace)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> Array:
        """Read the objects of a kind, of all namespaces when none is named; selectors as in the API."""
        resource = self.resource(api_version, kind)
        path = resource.path(namespace)
        params = {"limit": str(_PAGE_SIZE), "labelSelector": labels, "fieldSelector": fields, "continue": ""}
        items: Array = []
        while True:
            used = {key: value for key, value in params.items() if value}
            page = self.request("GET", path, name=describe(kind, None, namespace), params=used)
            # Items of a list come without their kind; callers need it.
            items += [{"apiVersion": api_version, "kind": kind, **item} for item in page.get("items") or []]
            params["continue"] = page["metadata"].get("continue", "")
            if not params["continue"]:
                return items

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

    def replace(self, body: Mapping[str, Any], *, subresource: str = "", dry_run: bool = False) -> Object:
        """Write a whole object over the present one (`subresource` as `/status`)."""
        path, label = self._path_of(body)
        params = _params(dry_run, FIELD_MANAGER)
        return self.request("PUT", path + subresource, name=label, body=body, params=params)

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        body: Mapping[str, Any] | Iterable[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Patch an object (`subresource` as `/status`)."""
        path, label = self._path(api_version, kind, name, namespace)
        return self.request(
            "PATCH",
            path + subresource,
            name=label,
            body=body if isinstance(body, Mapping) else list(body),
            params=_params(dry_run, FIELD_MANAGER),
            headers={"Content-Type": _PATCH_TYPES[patch_type]},
        )

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation = "Background",
        uid: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """Ask for deletion, return at once; ApiError 404 when it is gone, 409 when `uid` is another's."""
        path, label = self._path(api_version, kind, name, namespace)
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        self.request("DELETE", path, name=label, body=options, params=_params(dry_run, ""))

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
        body: Mapping[str, Any] | Array | str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:
        """Send any request and return the JSON answer; `name` names its object in messages.

        A `body` that is text goes as it is; `headers` then say what it is.
        """
        content = None if body is None else body if isinstance(body, str) else json.dumps(body)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        for attempt in range(_BUSY_RETRIES + 1):
            answer = self._send(
                method,
                path,
                name=name,
                content=content,
                params=params or {},
                headers=sent | dict(headers or {}),
            )
            if answer.status_code != _BUSY or attempt == _BUSY_RETRIES:
                break
            time.sleep(float(answer.headers.get("Retry-After") or 1))
        if answer.is_success:
            return cast(Object, answer.json())
        raise api_error(answer, name)

    def _send(self, method: str, path: str, *, name: str, **request: Any) -> httpx2.Response:
        import httpx2

        try:
            return self._http.request(method, path, **request)
        except httpx2.TimeoutException as error:
            raise ClusterError(
                f"{name}: {self._unreachable()}: no answer in time ({method} {path})"
            ) from error
        except httpx2.RequestError as error:
            raise ClusterError(f"{name}: {self._unreachable()}: {error}") from error
        except Exception as error:
            if type(error).__module__.startswith("lightkube."):  # its exec and token helpers raise late
                raise ClusterError(f"{name}: {self._unreachable()}: {error}") from error
            raise

    def _unreachable(self) -> str:
        return f"cannot reach the Kubernetes API server {self.url} of {self._source}"

    def _path(self, api_version: str, kind: str, name: str, namespace: str | None) -> tuple[str, str]:
        resource = self.resource(api_version, kind)
        place = (namespace or self.namespace) if resource.namespaced else None
        return f"{resource.path(place)}/{name}", describe(kind, name, place)

    def _path_of(self, body: Mapping[str, Any], *, named: bool = True) -> tuple[str, str]:
        metadata = body.get("metadata", {})
        name = metadata.get("name") or metadata.get("generateName", "")
        path, label = self._path(body["apiVersion"], body["kind"], name, metadata.get("namespace"))
        return (path if named else path.rpartition("/")[0]), label


def _params(dry_run: bool, field_manager: str) -> dict[str, str]:
    params = {"fieldManager": field_manager} if field_manager else {}
    return params | ({"dryRun": "All"} if dry_run else {})
