"""Whether a session's turns keep to one replica, and if not, why: what several prefix caches hold follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from onprem_agents.plan.serving import ServingPlan
from onprem_agents.stack.access import Listener
from onprem_agents.stack.domain import Translation
from onprem_agents.stack.parts import ServerReference
from onprem_agents.stack.settings import Platform

GatewaySoftware = Literal["envoy-gateway", "envoy-ai-gateway"]


def why_scattered(
    listener: Listener,
    *,
    mode: Literal["Standard", "Knative"],
    software: GatewaySoftware,
    translation: Translation,
) -> str | None:
    """Return why turns of one session reach any of several replicas; None where the gateway keeps them on one."""
    if not listener.session_affinity:
        return "access.sessionAffinity is false"
    if software == "envoy-ai-gateway":
        return "Envoy AI Gateway leads to the server's Service, behind which nobody knows of sessions"
    if mode == "Knative":
        return "Knative's own ingress picks the pod and knows of no sessions"
    if translation == "litellm":
        return "LiteLLM calls the server's Service, behind which nobody knows of sessions"
    if translation == "claude-code-router":
        return "claude-code-router calls the server's Service for Claude Code, and there nobody knows of sessions"
    return None


def keeps_sessions(
    listener: Listener,
    servers: Sequence[ServerReference],
    software: GatewaySoftware,
    translation: Translation,
) -> bool:
    """Return whether the gateway itself has a choice between replicas, and must keep a session on one.

    Beside claude-code-router it has: all agents but one come without it.
    """
    direct: Translation = "native" if translation == "claude-code-router" else translation
    return any(
        server.replicas > 1
        and why_scattered(listener, mode=server.mode, software=software, translation=direct) is None
        for server in servers
    )


def with_affinity(settings: Platform, serving: Sequence[ServingPlan]) -> tuple[ServingPlan, ...]:
    """Return the roles with what it means for their prefix caches where a session has no replica of its own."""
    why = why_scattered(
        settings.access,
        mode=settings.serving.mode,
        software=settings.access.gateway,
        translation=settings.translation,
    )
    if why is None:
        return tuple(serving)
    return tuple(role if role.replicas == 1 else _scattered(role, why) for role in serving)


def _scattered(role: ServingPlan, why: str) -> ServingPlan:
    note = (
        f"{role.replicas} replicas hold {role.fit.sessions} whole sessions, no more than one does: {why}, so each "
        "comes to hold a part of every session and reads much of a prompt anew"
    )
    return replace(role, scattered=True, notes=(*role.notes, note))
