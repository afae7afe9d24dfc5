"""The agents' API: the exact paths that the gateway lets through, and where each of them is served."""

from __future__ import annotations

from onprem.manifests.meta import Manifest
from onprem.plan import PlatformPlan, ServingPlan

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
MODELS = "/v1/models"

AGENT_PATHS = (CHAT, RESPONSES, MESSAGES, COUNT_TOKENS)
"""All that an agent may POST; everything else of vLLM's API stays inside."""

PROXY_NAME = "translation-proxy"
PROXY_PORT = 4000
"""The proxy's Service port, whatever the proxy itself listens on."""

# Paths that each translation proxy answers; the rest goes to vLLM. claude-code-router 2.0.0 speaks
# Anthropic's
# API only, LiteLLM 1.109.1 all three (both run 2026-11).
_PROXY_PATHS: dict[str, tuple[str, ...]] = {
    "native": (),
    "litellm": AGENT_PATHS,
    "claude-code-router": (MESSAGES, COUNT_TOKENS),
}

# KServe's predictor Service listens here in both modes (v0.20.0, CommonDefaultHttpPort).
_PREDICTOR_PORT = 80


def proxy_paths(plan: PlatformPlan) -> tuple[str, ...]:
    """Return the paths that the translation proxy serves; empty in native mode."""
    return _PROXY_PATHS[plan.settings.translation]


def native_paths(plan: PlatformPlan) -> tuple[str, ...]:
    """Return the paths that go straight to vLLM."""
    return tuple(path for path in AGENT_PATHS if path not in proxy_paths(plan))


def predictor_host(plan: PlatformPlan, serving: ServingPlan) -> str:
    """Return the DNS name of a role's predictor inside the cluster."""
    return f"{serving.predictor_service}.{plan.namespace}.svc.cluster.local"


def predictor_url(plan: PlatformPlan, serving: ServingPlan) -> str:
    """Return the base address of a role's server for a client inside the cluster, without a path."""
    return f"http://{predictor_host(plan, serving)}:{_PREDICTOR_PORT}"


def predictor_backend(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    """Return the backendRef of a role: its Service, or in Knative mode the Backend that stands for it.

    Knative's Service of that name is an ExternalName, which Envoy Gateway refuses as a backend.
    """
    if plan.settings.serving.mode == "Standard":
        return {
            "group": "",
            "kind": "Service",
            "name": serving.predictor_service,
            "port": _PREDICTOR_PORT,
            "weight": 1,
        }
    return {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": backend_name(serving), "weight": 1}


def backend_spec(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    """Return the spec of an Envoy Gateway Backend that reaches the role's predictor by name."""
    endpoint = {"fqdn": {"hostname": predictor_host(plan, serving), "port": _PREDICTOR_PORT}}
    return {"type": "Endpoints", "endpoints": [endpoint]}


def backend_name(serving: ServingPlan) -> str:
    """Return the name of a role's Backend."""
    return f"{serving.name}-predictor"
