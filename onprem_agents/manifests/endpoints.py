"""The agents' API: the exact paths that the gateway lets through, and where each of them is served."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest
from onprem_agents.plan import IngressPart
from onprem_agents.stack.domain import Translation
from onprem_agents.stack.parts import ProxyReference, ServerReference

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
MODELS = "/v1/models"

AGENT_PATHS = (CHAT, RESPONSES, MESSAGES, COUNT_TOKENS)
"""All that an agent may POST; everything else of vLLM's API stays inside."""

# Paths that each translation proxy answers; the rest goes to vLLM. claude-code-router 2.0.0 speaks Anthropic's
# API only, LiteLLM 1.109.1 all three (both run 2026-11).
_PROXY_PATHS: dict[Translation, tuple[str, ...]] = {
    "native": (),
    "litellm": AGENT_PATHS,
    "claude-code-router": (MESSAGES, COUNT_TOKENS),
}


def proxy_paths(part: IngressPart) -> tuple[str, ...]:
    """Return the paths that the translation proxy serves; empty in native mode."""
    return _PROXY_PATHS[part.translation]


def native_paths(part: IngressPart) -> tuple[str, ...]:
    """Return the paths that go straight to the servers."""
    return tuple(path for path in AGENT_PATHS if path not in proxy_paths(part))


def server_host(server: ServerReference | ProxyReference) -> str:
    """Return the DNS name of a server inside the cluster."""
    return f"{server.service}.{server.namespace}.svc.cluster.local"


def server_url(server: ServerReference | ProxyReference) -> str:
    """Return the base address of a server for a client inside the cluster, without a path."""
    return f"http://{server_host(server)}:{server.port}"


def has_backend(server: ServerReference) -> bool:
    """Return whether a server is reached through a Backend instead of its Service.

    Knative's Service of that name is an ExternalName, which Envoy Gateway refuses as a backend.
    """
    return server.mode != "Standard"


def server_backend(server: ServerReference) -> Manifest:
    """Return the backendRef of a server."""
    if has_backend(server):
        return {
            "group": "gateway.envoyproxy.io",
            "kind": "Backend",
            "name": backend_name(server),
            "weight": 1,
        }
    return _service_reference(server.service, server.port)


def proxy_backend(proxy: ProxyReference) -> Manifest:
    """Return the backendRef of the translation proxy."""
    return _service_reference(proxy.service, proxy.port)


def backend_spec(server: ServerReference) -> Manifest:
    """Return the spec of an Envoy Gateway Backend that reaches the server."""
    endpoint = {"fqdn": {"hostname": server_host(server), "port": server.port}}
    return {"type": "Endpoints", "endpoints": [endpoint]}


def backend_name(server: ServerReference) -> str:
    """Return the name of a server's Backend."""
    return server.service


def _service_reference(name: str, port: int) -> Manifest:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": 1}
