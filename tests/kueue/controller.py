"""Kueue's own controller beside the embedded cluster, installed as its manifests install it.

It makes its certificates itself, puts them into its Secret and waits until the kubelet has mounted them; no kubelet is
here, so `start` lays them where they would be mounted. The API server finds the webhooks by a Service without pods.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from embedded.cluster.certificates import Pki, write_private
from embedded.cluster.probe import answers
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from embedded.process import Process
from embedded.toolchain import Binary, module_dir

NAME = "kueue-manager"
NAMESPACE = "kueue-system"
_MODULE = "sigs.k8s.io/kueue"
# Names as the manifests' `namePrefix` makes them; the controller looks for its webhooks by these (v0.19.2).
_PREFIX = "kueue-"
_SERVICE = f"{_PREFIX}webhook-service"
_SECRET = f"{_PREFIX}webhook-server-cert"
_READY_SECONDS = 120.0


class Kueue:
    """The controller of one cluster."""

    def __init__(self, layout: Layout, ports: Ports, binary: Binary, client: KubeWriter) -> None:
        self._layout, self._ports, self._client = layout, ports, client
        self._folder = layout.cluster / "kueue"
        self._certificates = self._folder / "certificates"
        self._certificates.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._process = Process(
            name=NAME,
            argv=(
                str(binary.path),
                f"--config={self._configuration()}",
                f"--kubeconfig={self._kubeconfig()}",
                "--zap-log-level=2",
            ),
            pid_file=layout.cluster / "run" / f"{NAME}.pid",
            log=layout.logs / f"{NAME}.log",
        )

    def start(self) -> None:
        """Install definitions' conversion, webhooks and Secret, start the controller and wait for it."""
        for each in self._objects():
            self._client.apply(each, force=True)
        for name, conversion in self._conversions():
            self._client.patch("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, conversion)
        self._process.start()
        self._process.wait_until(
            self._certified, timeout_seconds=_READY_SECONDS, what="done with its certificates"
        )
        url = f"http://{LOOPBACK}:{self._ports['kueue-health']}/readyz"
        self._process.wait_until(lambda: answers(url), timeout_seconds=_READY_SECONDS, what="ready")

    def stop(self) -> None:
        """End the controller."""
        self._process.stop()

    def _kubeconfig(self) -> Path:
        file = self._folder / "kubeconfig"
        server = f"https://{LOOPBACK}:{self._ports['kube-apiserver']}"
        Pki(self._layout.cluster / "pki").kubeconfig(file, server=server, user=NAME)
        return file

    def _configuration(self) -> Path:
        """Write the configuration of the manifests, with what the product relies on and this place's addresses."""
        file = self._folder / "controller_manager_config.yaml"
        settings: dict[str, Any] = {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "namespace": NAMESPACE,
            "health": {"healthProbeBindAddress": f"{LOOPBACK}:{self._ports['kueue-health']}"},
            "metrics": {"bindAddress": "0"},
            "webhook": {
                "host": LOOPBACK,
                "port": self._ports["kueue-webhook"],
                "certDir": str(self._certificates),
            },
            "leaderElection": {"leaderElect": False},
            "integrations": {"frameworks": ["pod", "deployment"]},
            # It would serve pending workloads on a port of all interfaces.
            "featureGates": {"VisibilityOnDemand": False},
        }
        file.write_text(json.dumps(settings), encoding="utf-8")
        return file

    def _objects(self) -> Iterator[dict[str, Any]]:
        metadata = {"namespace": NAMESPACE}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": {**metadata, "name": _SECRET}}
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "name": _SERVICE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
        file = module_dir(self._layout, _MODULE) / "config" / "components" / "webhook" / "manifests.yaml"
        for each in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            each["metadata"]["name"] = _PREFIX + each["metadata"]["name"]
            for webhook in each["webhooks"]:
                self._lead_here(webhook["clientConfig"])
                groups = {group for rule in webhook["rules"] for group in rule["apiGroups"]}
                if "kueue.x-k8s.io" not in groups:
                    webhook["namespaceSelector"] = _OTHER_NAMESPACES
            yield each

    def _conversions(self) -> Iterator[tuple[str, dict[str, Any]]]:
        folder = module_dir(self._layout, _MODULE) / "config" / "components" / "crd"
        settings = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        for patch in settings["patches"]:
            found = yaml.safe_load((folder / patch["path"]).read_text(encoding="utf-8"))
            self._lead_here(found["spec"]["conversion"]["webhook"]["clientConfig"])
            yield found["metadata"]["name"], {"spec": found["spec"]}

    def _lead_here(self, settings: dict[str, Any]) -> None:
        settings["service"] |= {
            "name": _SERVICE,
            "namespace": NAMESPACE,
            "port": self._ports["kueue-webhook"],
        }

    def _certified(self) -> bool:
        """Do the kubelet's part once the controller has made its certificates."""
        data: Mapping[str, str] = self._client.get("v1", "Secret", _SECRET, NAMESPACE).get("data") or {}
        if not {"tls.crt", "tls.key"} <= data.keys():
            return False
        for name, value in data.items():
            write_private(self._certificates / name, base64.b64decode(value))
        return True


_OTHER_NAMESPACES = {
    "matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", NAMESPACE]}
    ]
}
