"""What a Kubernetes API server is asked: discovery, one object, lists. Nothing here writes.

Kubeconfig, TLS and authentication (certificates, tokens, exec helpers) are lightkube's; it comes with the
extra `platform` and is imported at first use, so that `onprem-agents` itself installs without it. Objects are plain
dicts in wire format. One client may be shared by threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from onprem_agents.cluster import discovery, kubeconfig
from onprem_agents.cluster.discovery import Resource
from onprem_agents.cluster.refusal import ApiError, api_error, describe
from onprem_agents.errors import ClusterError

if TYPE_CHECKING:
    import httpx2

Object = dict[str, Any]
Array = list[Any]  # the client has a method called list

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
    ) -> Self:
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

    def version(self) -> str:
        """Return the server's version, for instance `v1.36.3`."""
        return str(self.ask("GET", "/version", name="the API server")["gitVersion"])

    def resources(self, *, refresh: bool = False) -> tuple[Resource, ...]:
        """Return every served kind; one round trip for the core group and one for all others."""
        with self._lock:
            if self._resources and not refresh:
                return tuple(self._resources.values())
        found = {}
        for root in ("/api", "/apis"):
            document = self.ask("GET", root, name="discovery", headers={"Accept": discovery.ACCEPT})
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
        path, label = self.path(api_version, kind, name, namespace)
        return self.ask("GET", path, name=label)

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
            page = self.ask("GET", path, name=describe(kind, None, namespace), params=used)
            # Items of a list come without their kind; callers need it.
            items += [{"apiVersion": api_version, "kind": kind, **item} for item in page.get("items") or []]
            params["continue"] = page["metadata"].get("continue", "")
            if not params["continue"]:
                return items

    def ask(
        self,
        method: str,
        path: str,
        *,
        name: str,
        content: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:
        """Send a request, again while the server is busy, and return the JSON answer; `name` goes into messages."""
        for attempt in range(_BUSY_RETRIES + 1):
            answer = self.send(
                method, path, name=name, content=content, params=params or {}, headers=headers or {}
            )
            if answer.status_code != _BUSY or attempt == _BUSY_RETRIES:
                break
            time.sleep(float(answer.headers.get("Retry-After") or 1))
        if answer.is_success:
            return cast(Object, answer.json())
        raise api_error(answer, name)

    def send(self, method: str, path: str, *, name: str, **request: Any) -> httpx2.Response:
        """Send one request; a server out of reach is a ClusterError that says how it was looked for."""
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

    def path(self, api_version: str, kind: str, name: str, namespace: str | None) -> tuple[str, str]:
        """Return the URL path of an object and its name in messages."""
        resource = self.resource(api_version, kind)
        place = (namespace or self.namespace) if resource.namespaced else None
        return f"{resource.path(place)}/{name}", describe(kind, name, place)
