"""Arguments of each component that stands alone, and its plan."""

from __future__ import annotations

from typing import Any

from onprem_agents.plan import AuthPart, IngressPart, PoolPart, ProxyPart, ServerPart
from onprem_agents.plan.plan_ingress import plan_ingress, plan_proxy
from onprem_agents.plan.plan_parts import plan_auth, plan_pool, plan_server
from onprem_agents.plan.references import ingress_reference, proxy_reference, server_reference
from onprem_agents.stack.section import Section

POOL: dict[str, Any] = {"accelerator": "L40S", "namespace": "team-a"}
SERVER: dict[str, Any] = {
    "role": "coder",
    "model": "Qwen/Qwen3.6-27B-FP8",
    "accelerator": "L40S",
    "gpusPerNode": 2,
    "namespace": "team-a",
}
ANY_SERVICE: dict[str, Any] = {"name": "mistral", "service": "mistral-vllm", "port": 8000}


def pool(**changes: Any) -> PoolPart:
    return plan_pool(POOL | changes, stack="test", source="pool")


def server(*, has_key: bool = True, **changes: Any) -> ServerPart:
    return plan_server(SERVER | changes, stack="test", source="coder", has_key=has_key)


def reference(**changes: Any) -> dict[str, Any]:
    """Return what our server tells the next component."""
    return wire(server_reference(server())) | changes


def ingress_arguments() -> dict[str, Any]:
    return {
        "host": "agents.example.internal",
        "tls": {"secretName": "agents-tls"},
        "servers": [reference()],
        "namespace": "team-a",
    }


def ingress(**changes: Any) -> IngressPart:
    return plan_ingress(ingress_arguments() | changes, stack="test", source="ingress")


def auth_arguments() -> dict[str, Any]:
    return {"ingress": wire(ingress_reference(ingress()))}


def auth(*developers: str, **changes: Any) -> AuthPart:
    return plan_auth(
        auth_arguments() | changes, stack="test", source="auth", developers=developers or ("alice",)
    )


def proxy_arguments() -> dict[str, Any]:
    return {"servers": [reference()], "software": "litellm", "namespace": "team-a"}


def proxy(**changes: Any) -> ProxyPart:
    return plan_proxy(proxy_arguments() | changes, stack="test", source="proxy")


def proxy_told(**changes: Any) -> dict[str, Any]:
    """Return what our proxy tells the next component."""
    return wire(proxy_reference(proxy(**changes)))


def wire(section: Section) -> dict[str, Any]:
    """Return what one component tells, as a program gives it to the next."""
    found: dict[str, Any] = section.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found
