"""Plan → Kubernetes objects in wire format: pure functions, one module per noun.

`render` returns every object of a stack in the order of application.
"""

from onprem_agents.manifests.meta import GATEWAY_NAME, PROXY_KEY_SECRET, SERVER_KEY_SECRET, Manifest
from onprem_agents.manifests.platform import render

__all__ = ["GATEWAY_NAME", "PROXY_KEY_SECRET", "SERVER_KEY_SECRET", "Manifest", "render"]
