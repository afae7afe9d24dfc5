"""Plan → Kubernetes objects in wire format: pure functions, one module per noun.

`bundles` is the one list of what a stack declares; `render` returns its objects in the order of application.
"""

from onprem_agents.manifests.bundle import Bundle, Declared, DeclaredPatch, DeclaredSecret, KeyValue
from onprem_agents.manifests.meta import Manifest
from onprem_agents.manifests.operator import Allowed, can_i
from onprem_agents.manifests.platform import (
    auth_bundles,
    bundles,
    ingress_bundles,
    pool_bundles,
    proxy_bundles,
    render,
    server_bundles,
)

__all__ = [
    "Allowed",
    "Bundle",
    "Declared",
    "DeclaredPatch",
    "DeclaredSecret",
    "KeyValue",
    "Manifest",
    "auth_bundles",
    "bundles",
    "can_i",
    "ingress_bundles",
    "pool_bundles",
    "proxy_bundles",
    "render",
    "server_bundles",
]
