"""What one part tells the next, full: a server as gateway and proxy see it, a proxy, an ingress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.agents import AGENTS
from onprem_agents.contract.limits import output_cap_tokens
from onprem_agents.plan.names import (
    GATEWAY_NAME,
    PREDICTOR_PORT,
    PROXY_KEY_SECRET,
    PROXY_NAME,
    PROXY_PORT,
    SERVER_KEY_SECRET,
)
from onprem_agents.plan.parts import IngressPart, ProxyPart, ProxySoftwareName, ServerPart
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.support import unsupported_reasons
from onprem_agents.plan.thinking import Thinking
from onprem_agents.stack.parts import IngressReference, ProxyReference, ServerReference
from onprem_agents.vllm import version_key

# The Responses API then shows functions of a namespace to the model and gives a call back by both names (0.32.0 run on
# a CPU, 2026-11-28; refused or flattened before, vllm-project/vllm#42475 and #46737).
_NAMESPACE_TOOLS_SINCE = "0.32.0"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A filter of the gateway that adds the key of a Secret."""

    filter: str
    secret: str


def reference_to(
    serving: ServingPlan, *, namespace: str, mode: Literal["Standard", "Knative"], key_secret: str | None
) -> ServerReference:
    """Return all that others need of one of our servers."""
    return ServerReference.model_validate(
        {
            "name": serving.name,
            "service": serving.predictor_service,
            "port": PREDICTOR_PORT,
            "namespace": namespace,
            "mode": mode,
            "replicas": serving.replicas,
            "keySecret": key_secret,
            "role": serving.role,
            "modelId": serving.variant.hf_id,
            "contextTokens": serving.context_tokens,
            "maxOutputTokens": serving.max_output_tokens,
            "reasoning": serving.model.reasoning,
            "thinking": _thinking(serving.thinking),
            "toolCalling": serving.flags.tool_call_parser is not None,
            "namespaceTools": version_key(serving.vllm_release) >= version_key(_NAMESPACE_TOOLS_SINCE),
            "vision": serving.vision,
            "temperature": serving.temperature,
            "unsupportedReasons": dict(serving.unsupported_reasons),
            "longestTurnSeconds": serving.timeouts.longest_turn_seconds,
        }
    )


def _thinking(thinking: Thinking | None) -> Mapping[str, Any] | None:
    if thinking is None:
        return None
    control = thinking.control
    # Switches with other values than true and false are left to the server's own defaults.
    switch = control.switch if control is not None and control.switched_off is False else None
    return {
        "default": thinking.default,
        "budgetTokens": thinking.budget_tokens,
        "effort": thinking.effort,
        "efforts": control.efforts if control is not None else (),
        "switch": switch,
    }


def completed(server: ServerReference, namespace: str) -> ServerReference:
    """Return a reference with what follows from the rest of it; `namespace` is that of what uses it."""
    updates: dict[str, Any] = {"namespace": server.namespace or namespace}
    context = server.context_tokens
    if context is not None:
        output = server.max_output_tokens or output_cap_tokens(context)
        reasons = unsupported_reasons(
            None, context_tokens=context, max_output_tokens=output, tool_calling=server.tool_calling
        )
        updates |= {
            "max_output_tokens": output,
            "unsupported_reasons": {**reasons, **server.unsupported_reasons},
        }
    return server.model_copy(update=updates)


def role_name(server: ServerReference) -> str:
    """Return the name that developers' machines know a server by."""
    return server.role or server.name


def supported_agents(server: ServerReference) -> tuple[str, ...]:
    """Return the agents that can work with a server, in their fixed order."""
    return tuple(agent.name for agent in AGENTS if agent.name not in server.unsupported_reasons)


def credential_of(server: ServerReference) -> Credential | None:
    """Return the filter that adds a server's key; the servers of a platform share one."""
    if server.key_secret is None:
        return None
    if server.key_secret == SERVER_KEY_SECRET:
        return Credential(filter=f"{GATEWAY_NAME}-server-key", secret=SERVER_KEY_SECRET)
    return Credential(filter=f"{GATEWAY_NAME}-key-{server.service}", secret=server.key_secret)


def proxy_credential_of(proxy: ProxyReference) -> Credential:
    """Return the filter that adds a proxy's key."""
    return Credential(filter=f"{GATEWAY_NAME}-proxy-key", secret=proxy.key_secret)


def proxy_to(software: ProxySoftwareName, namespace: str) -> ProxyReference:
    """Return all that an ingress needs of our proxy."""
    return ProxyReference.model_validate(
        {
            "software": software,
            "service": PROXY_NAME,
            "port": PROXY_PORT,
            "namespace": namespace,
            "keySecret": PROXY_KEY_SECRET,
        }
    )


def server_reference(part: ServerPart) -> ServerReference:
    """Return what a server tells the next part."""
    return reference_to(part.serving, namespace=part.namespace, mode=part.mode, key_secret=part.key_secret)


def proxy_reference(part: ProxyPart) -> ProxyReference:
    """Return what a proxy tells the next part."""
    return proxy_to(part.software, part.namespace)


def ingress_reference(part: IngressPart) -> IngressReference:
    """Return what an ingress tells the next part."""
    values: Mapping[str, Any] = {
        "namespace": part.namespace,
        "gateway": part.gateway,
        "routes": part.protected_routes,
    }
    return IngressReference.model_validate(values)
