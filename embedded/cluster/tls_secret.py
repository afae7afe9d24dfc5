"""The TLS Secret that a site's administrator would provide: a certificate for the gateway's host name."""

from __future__ import annotations

import base64
from pathlib import Path

from embedded.cluster.certificates import Pki
from onprem.kube import KubeClient, Object


def gateway_ca(cluster: Path) -> Path:
    """Return the certificate of the authority that clients of the gateway trust, once there is one.

    `cluster` is the layout's cluster folder. The authority is not the cluster's own: who trusts it trusts
    nothing else of the cluster.
    """
    return cluster / "gateway-pki" / "ca.crt"


def ensure_tls_secret(
    client: KubeClient, cluster: Path, *, host: str, name: str, namespace: str, used_from: str
) -> None:
    """Apply a TLS Secret for `host`; Gateways of namespace `used_from` get leave to refer to it."""
    pki = Pki(gateway_ca(cluster).parent)
    pki.server(host, hosts=(host,))
    data = {
        "tls.crt": base64.b64encode(pki.certificate(host).read_bytes()).decode(),
        "tls.key": base64.b64encode(pki.key(host).read_bytes()).decode(),
    }
    metadata = {"name": name, "namespace": namespace}
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, force=True)
    client.apply(secret | {"type": "kubernetes.io/tls", "data": data}, force=True)
    if namespace != used_from:
        client.apply(_grant(name, namespace, used_from), force=True)


def _grant(name: str, namespace: str, used_from: str) -> Object:
    gateways = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": used_from}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "ReferenceGrant",
        "metadata": {"name": f"gateways-use-{name}", "namespace": namespace},
        "spec": {"from": [gateways], "to": [{"group": "", "kind": "Secret", "name": name}]},
    }
