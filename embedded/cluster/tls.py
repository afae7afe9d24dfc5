"""The TLS Secret that a stack expects to find; on a real cluster its owner makes it."""

from __future__ import annotations

import base64
from pathlib import Path

from embedded.cluster.certificates import Pki
from embedded.kube import KubeWriter


def give_certificate(client: KubeWriter, folder: Path, *, host: str, name: str, namespace: str) -> Path:
    """Create Secret `namespace/name` for `host` and return the CA's file.

    `folder` is the cluster's, as in `Layout.cluster`.
    """
    pki = Pki(folder / "pki")
    pair = f"tls-{host}"
    pki.server(pair, hosts=(host,))
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, force=True)
    client.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "type": "kubernetes.io/tls",
            "data": {"tls.crt": _encoded(pki.certificate(pair)), "tls.key": _encoded(pki.key(pair))},
        },
        force=True,
    )
    return pki.ca


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
