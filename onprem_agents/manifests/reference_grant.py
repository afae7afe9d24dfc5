"""What lets the Gateway use a TLS Secret of another namespace: the one object that a stack has outside of its own.

It is declared only where the stack says so; else the Secret's owner makes it, and `preflight` tells the YAML.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, labels
from onprem_agents.plan import IngressPart

# Gateway API 1.6.1 stores v1beta1 and serves v1 too, 1.2 to 1.4 serve v1beta1 alone (CRDs read 2026-11).
_API = "gateway.networking.k8s.io/v1beta1"


def reference_grants(part: IngressPart, component: str) -> list[Manifest]:
    """Return the grant for the Gateway's Secret, from this namespace's Gateways to that one name."""
    tls = part.tls
    if not tls.reference_grant:
        return []
    gateways = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": part.namespace}
    return [
        {
            "apiVersion": _API,
            "kind": "ReferenceGrant",
            "metadata": {
                "name": f"{part.namespace}-tls",
                "namespace": tls.secret_namespace,
                "labels": labels(part, component),
            },
            "spec": {"from": [gateways], "to": [{"group": "", "kind": "Secret", "name": tls.secret_name}]},
        }
    ]
