"""The agents' API: the exact paths that the gateway lets through, and where each of them is served."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest
from onprem_agents.plan import PlatformPlan, ServingPlan
from onprem_agents.stack.domain import Translation

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
_PROXY_PATHS: dict[Translation, tuple[str, ...]] = {
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


def has_backend(plan: PlatformPlan) -> bool:
    """Return whether roles are reached through a Backend instead of their Service.

    Knative's Service of that name is an ExternalName, which Envoy Gateway refuses as a backend.
    """
    return plan.settings.serving.mode != "Standard"


def predictor_backend(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    """Return the backendRef of a role."""
    if has_backend(plan):
        return {
            "group": "gateway.envoyproxy.io",
            "kind": "Backend",
            "name": backend_name(serving),
            "weight": 1,
        }
    return _service_reference(serving.predictor_service, _PREDICTOR_PORT)


def proxy_backend() -> Manifest:
    """Return the backendRef of the translation proxy."""
    return _service_reference(PROXY_NAME, PROXY_PORT)


def backend_spec(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    """Return the spec of an Envoy Gateway Backend that reaches the role's predictor."""
    endpoint = {"fqdn": {"hostname": predictor_host(plan, serving), "port": _PREDICTOR_PORT}}
    return {"type": "Endpoints", "endpoints": [endpoint]}


def backend_name(serving: ServingPlan) -> str:
    """Return the name of a role's Backend."""
    return f"{serving.name}-predictor"


def _service_reference(name: str, port: int) -> Manifest:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": 1}
