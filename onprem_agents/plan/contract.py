"""The plan → the connection contract that developers' machines are set up from."""

from __future__ import annotations

from onprem_agents.agents import AGENTS, TARGETS
from onprem_agents.contract.connection import Auth, Connection, Role, Timeouts, Tls
from onprem_agents.contract.limits import compact_at_tokens
from onprem_agents.plan import PlatformPlan, ServingPlan

_HTTPS_PORT = 443


def connection_for(plan: PlatformPlan) -> Connection:
    """Return the contract of a planned stack; it holds no secret."""
    access = plan.access
    authority = access.host if access.port == _HTTPS_PORT else f"{access.host}:{access.port}"
    return Connection(
        stack=plan.stack,
        host=access.host,
        base_url=f"https://{authority}/v1",
        anthropic_base_url=f"https://{authority}",
        translation=plan.settings.translation,
        auth=Auth(key_hint="ask your platform team for your own key, it is shown once when it is made"),
        tls=Tls(issuer=access.tls.issuer, secret_name=access.tls.secret_name, ca_hint=access.tls.ca_hint),
        roles=tuple(_role(serving) for serving in plan.serving),
        main_role=plan.main.role,
        small_role=plan.small.role,
        timeouts=Timeouts(
            longest_turn_seconds=plan.timeouts.longest_turn_seconds,
            stream_idle_seconds=plan.timeouts.client_seconds,
            client_timeout_seconds=plan.timeouts.client_seconds,
        ),
        tested_agents={target.name: target.version for target in TARGETS},
    )


def _role(serving: ServingPlan) -> Role:
    reasons = _unsupported(serving)
    return Role(
        role=serving.role,
        model=serving.name,
        model_id=serving.variant.hf_id,
        context_tokens=serving.context_tokens,
        max_output_tokens=serving.max_output_tokens,
        compact_at_tokens=compact_at_tokens(serving.context_tokens),
        reasoning=serving.model.reasoning,
        tool_calling=True,
        parallel_tool_calls=True,
        vision=False,
        temperature=serving.temperature,
        supported_agents=tuple(agent.name for agent in AGENTS if agent.name not in reasons),
        unsupported_reasons=reasons,
    )


def _unsupported(serving: ServingPlan) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for agent in AGENTS:
        obstacle = serving.model.obstacle(agent.name) or agent.obstacle(
            context_tokens=serving.context_tokens,
            max_output_tokens=serving.max_output_tokens,
            tool_calling=True,
        )
        if obstacle is not None:
            reasons[agent.name] = obstacle
    return reasons
