"""KServe's controller outside of its cluster, with its real webhooks.

Its webhook port is the one port of the whole set-up that is not bound to the loopback: the controller has no
option for it. It answers admission reviews alone and holds no secret.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import yaml

from embedded.cluster.certificates import write_private
from embedded.cluster.probe import answers
from embedded.cluster.site import Site
from embedded.kube import KubeWriter
from embedded.ports import LOOPBACK
from embedded.process import Process
from onprem_agents.cluster import Object

NAME = "kserve-manager"
NAMESPACE = "kserve"
INGRESS_GATEWAY = "kserve-ingress-gateway"
PORTS = ("kserve-webhook", "kserve-health")

_MODULE = "github.com/kserve/kserve"
_READY_SECONDS = 180.0


def write_credentials(site: Site) -> None:
    """Make the webhook's serving pair and lay it where the controller looks for it below its TMPDIR."""
    site.pki.server("kserve-webhook")
    folder = site.folder("kserve/tmp/k8s-webhook-server/serving-certs")
    write_private(folder / "tls.crt", site.pki.certificate("kserve-webhook").read_bytes())
    write_private(folder / "tls.key", site.pki.key("kserve-webhook").read_bytes())
    site.pki.kubeconfig(site.kubeconfig(NAME), server=site.server, user=NAME)


def process(site: Site, groups: Collection[str]) -> Process:
    """Describe the controller; it looks for optional kinds only at its start: new `groups` restart it."""
    return site.process(
        NAME,
        f"--kubeconfig={site.kubeconfig(NAME)}",
        f"--webhook-port={site.ports['kserve-webhook']}",
        f"--health-probe-addr={LOOPBACK}:{site.ports['kserve-health']}",
        "--metrics-addr=0",
        "--zap-log-level=info",
        env={
            "POD_NAMESPACE": NAMESPACE,
            "TMPDIR": str(site.folder("kserve/tmp")),
            "ONPREM_KINDS": " ".join(sorted(groups)),
        },
    )


def install(client: KubeWriter, site: Site, groups: Collection[str]) -> None:
    """Apply namespace and configuration: Standard mode, routes by the Gateway API where it is installed."""
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, force=True)
    file = site.module(_MODULE) / "config" / "configmap" / "inferenceservice.yaml"
    config: Object = yaml.safe_load(file.read_text(encoding="utf-8"))
    data: dict[str, str] = config["data"]
    data.pop("_example", None)
    routes = {"gateway-api", "envoy-gateway"} <= set(groups)
    _merge(data, "deploy", {"defaultDeploymentMode": "Standard"})
    _merge(
        data,
        "ingress",
        {
            "enableGatewayApi": routes,
            "disableIngressCreation": not routes,
            "disableIstioVirtualHost": True,
            "kserveIngressGateway": f"{NAMESPACE}/{INGRESS_GATEWAY}",
        },
    )
    client.apply(config, force=True)


def wait_ready(site: Site, controller: Process) -> None:
    """Wait until the controller says that its webhooks answer."""
    url = f"http://{LOOPBACK}:{site.ports['kserve-health']}/readyz"
    controller.wait_until(lambda: answers(url), timeout_seconds=_READY_SECONDS, what="ready")


def register_webhooks(client: KubeWriter, site: Site) -> None:
    """Point the API server at the controller's webhooks on this host."""
    file = site.module(_MODULE) / "config" / "webhook" / "manifests.yaml"
    for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        if not manifest:
            continue
        manifest["metadata"].pop("creationTimestamp", None)
        for webhook in manifest["webhooks"]:
            path = webhook["clientConfig"].pop("service")["path"]
            url = f"https://{LOOPBACK}:{site.ports['kserve-webhook']}{path}"
            webhook["clientConfig"] |= {"url": url, "caBundle": site.pki.ca_base64}
        client.apply(manifest, force=True)


def _merge(data: dict[str, str], key: str, changes: dict[str, Any]) -> None:
    data[key] = json.dumps(json.loads(data.get(key, "{}")) | changes, indent=1)
