"""A real API server and nothing else: etcd, kube-apiserver, definitions. No controller touches what tests put there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from embedded.cluster import control_plane, crds
from embedded.cluster.certificates import Pki, write_private
from embedded.cluster.site import Site
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.ports import Ports
from embedded.toolchain import Binary, module_dir

Object = dict[str, Any]


class ApiServer:
    """One running API server, and the kubeconfigs that lead to it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.client = KubeWriter.from_kubeconfig(self.kubeconfig)

    @property
    def kubeconfig(self) -> Path:
        """An administrator's."""
        return self._site.layout.kubeconfig

    def kubeconfig_of(self, account: str, namespace: str) -> Path:
        """Return the kubeconfig of a ServiceAccount, with a token of an hour."""
        path, label = self.client.path("v1", "ServiceAccount", account, namespace)
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.client.request("POST", f"{path}/token", name=label, body=request)
        content = json.loads(self.kubeconfig.read_text(encoding="utf-8"))
        content["users"][0]["user"] = {"token": answer["status"]["token"]}
        file = self._site.folder("kubeconfigs") / f"{namespace}-{account}"
        write_private(file, json.dumps(content).encode())
        return file

    def put(self, body: Object) -> None:
        """Create an object with its status, or make one that is there the same again."""
        self.remove(body)
        created = self.client.create(body)
        if "status" in body and created.get("status") != body["status"]:
            self.patch(body, {"status": body["status"]}, subresource="/status")

    def patch(self, body: Mapping[str, Any], change: Mapping[str, Any], *, subresource: str = "") -> None:
        """Merge a change into an object."""
        metadata = body["metadata"]
        self.client.patch(
            body["apiVersion"],
            body["kind"],
            metadata["name"],
            change,
            metadata.get("namespace"),
            subresource=subresource,
        )

    def remove(self, body: Mapping[str, Any]) -> None:
        """Remove an object if it is there; nobody here would take finalizers off."""
        metadata = body["metadata"]
        place = (body["apiVersion"], body["kind"], metadata["name"], metadata.get("namespace"))
        found = self.client.find(*place)
        if found is None:
            return
        if found["metadata"].get("finalizers"):
            self.patch(body, {"metadata": {"finalizers": None}})
        path, label = self.client.path(*place)
        self.client.request("DELETE", path, name=label, body={"gracePeriodSeconds": 0})


@contextmanager
def api_server(
    layout: Layout, binaries: Mapping[str, Binary], groups: frozenset[str], kinds: frozenset[str]
) -> Iterator[ApiServer]:
    """Start one that serves those kinds of the groups of definitions, and stop it."""
    module = partial(module_dir, layout)
    pki = Pki(layout.cluster / "pki")
    site = Site(layout=layout, binaries=binaries, ports=Ports(layout.ports_file), pki=pki, module=module)
    control_plane.write_credentials(site)
    etcd, server = control_plane.etcd(site), control_plane.api_server(site)
    try:
        etcd.start()
        control_plane.wait_for_etcd(site, etcd)
        server.start()
        running = ApiServer(site)
        with running.client as client:
            control_plane.wait_for_api_server(server, client)
            crds.ensure(client, groups, module, lambda _: None, kinds=kinds)
            yield running
    finally:
        server.stop()
        etcd.stop()


def encoded(text: str) -> str:
    """Return a value of a Secret."""
    return base64.b64encode(text.encode()).decode()
