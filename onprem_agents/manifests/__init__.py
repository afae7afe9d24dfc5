"""Plan → Kubernetes objects in wire format: pure functions, one module per noun.

`bundles` is the one list of what a stack declares; `render` returns its objects in the order of application.
"""

from onprem_agents.manifests.bundle import Bundle, Declared, DeclaredPatch, DeclaredSecret, KeyValue
from onprem_agents.manifests.meta import GATEWAY_NAME, PROXY_KEY_SECRET, SERVER_KEY_SECRET, Manifest
from onprem_agents.manifests.platform import bundles, render

__all__ = [
    "GATEWAY_NAME",
    "PROXY_KEY_SECRET",
    "SERVER_KEY_SECRET",
    "Bundle",
    "Declared",
    "DeclaredPatch",
    "DeclaredSecret",
    "KeyValue",
    "Manifest",
    "bundles",
    "render",
]
