"""What is decided → the connection contract that developers' machines are set up from.

Settings and contract are made of the same types, so a contract is refused here only for what no single setting
says: the stack's name, or two names that clash. Such a refusal is told with the key of the stack file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from onprem_agents.agents import TARGETS
from onprem_agents.contract.connection import Auth, Connection
from onprem_agents.contract.limits import compact_at_tokens
from onprem_agents.errors import Finding, InvalidInput, Problem
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.stack.domain import StackName
from onprem_agents.stack.settings import Platform

_HTTPS_PORT = 443
_STACK_NAME = TypeAdapter(StackName)
# Part of the contract → setting of the stack that it comes from.
_KEYS = {
    "host": "access.host",
    "baseUrl": "access.host",
    "anthropicBaseUrl": "access.host",
    "translation": "translation",
    "timeouts": "timeouts.longestTurnSeconds",
}
_ROLE_KEYS = {"role": "role", "model": "role", "contextTokens": "context", "compactAtTokens": "context"}


def connection_of(
    settings: Platform,
    *,
    stack: str,
    serving: Sequence[ServingPlan],
    timeouts: TimeoutChain,
    source: str,
) -> Connection:
    """Return the contract of a stack; it holds no secret.

    `source` names the stack file in errors. Raises `InvalidInput` with every problem, each at its stack key.
    """
    try:
        return _connection(settings, stack=stack, serving=serving, timeouts=timeouts)
    except ValidationError as error:
        refused = error
    raise InvalidInput(source, list(_problems(refused)))


def _connection(
    settings: Platform, *, stack: str, serving: Sequence[ServingPlan], timeouts: TimeoutChain
) -> Connection:
    access = settings.access
    authority = access.host if access.port == _HTTPS_PORT else f"{access.host}:{access.port}"
    values = {
        "stack": stack,
        "host": access.host,
        "base_url": f"https://{authority}/v1",
        "anthropic_base_url": f"https://{authority}",
        "translation": settings.translation,
        "auth": Auth(key_hint="ask your platform team for your own key, it is shown once when it is made"),
        "tls": {
            "issuer": access.tls.issuer,
            "secret_name": access.tls.secret_name,
            "ca_hint": access.tls.ca_hint,
        },
        "roles": [_role(role) for role in serving],
        "main_role": serving[0].role,
        "small_role": serving[-1].role,
        "timeouts": {
            "longest_turn_seconds": timeouts.longest_turn_seconds,
            "stream_idle_seconds": timeouts.client_seconds,
            "client_timeout_seconds": timeouts.client_seconds,
        },
        "tested_agents": {agent.name: agent.version for agent in TARGETS},
    }
    return Connection.model_validate(values)


def _role(serving: ServingPlan) -> dict[str, object]:
    tool_calling = serving.flags.tool_call_parser is not None
    return {
        "role": serving.role,
        "model": serving.name,
        "model_id": serving.variant.hf_id,
        "context_tokens": serving.context_tokens,
        "max_output_tokens": serving.max_output_tokens,
        "compact_at_tokens": compact_at_tokens(serving.context_tokens),
        "reasoning": serving.model.reasoning,
        "tool_calling": tool_calling,
        "parallel_tool_calls": tool_calling,
        "vision": False,
        "temperature": serving.temperature,
        "supported_agents": serving.supported_agents,
        "unsupported_reasons": dict(serving.unsupported_reasons),
    }


def stack_name_problems(stack: str) -> list[Problem]:
    """Return what keeps a stack's name from standing in labels and in the contract."""
    try:
        _STACK_NAME.validate_python(stack)
    except ValidationError as error:
        findings: Sequence[Finding] = error.errors()[0].get("ctx", {}).get("refusals", ())
        return [finding.at("the stack's name", repr(stack)) for finding in findings]
    return []


def _problems(error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors():
        if detail["type"] == "too_short":  # pydantic says so of a list whose entries were refused
            continue
        where = _key_of(detail["loc"])
        findings: Sequence[Finding] = detail.get("ctx", {}).get("refusals", ())
        for finding in findings:
            yield finding.at(
                where, repr(detail["input"]) if finding.cause != "looks-like-key" else "a text (not shown)"
            )
        if not findings:
            yield Problem(
                where=where,
                cause="bad-value",
                found=repr(detail["input"])[:80],
                why=f"the contract that developers' machines read takes no such value: {detail['msg']}",
                fix=f"change {where}",
            )


def _key_of(location: tuple[int | str, ...]) -> str:
    """Return the stack key that a part of the contract comes from."""
    parts = [part if isinstance(part, int) else to_camel(part) for part in location]
    match parts:
        case ["tls", str(key)]:
            return f"platform.access.tls.{key}"
        case ["roles", int(index), *rest]:
            key = _ROLE_KEYS.get(str(rest[0]), "model") if rest else "model"
            return f"platform.models[{index}].{key}"
        case [str(head), *_] if head in _KEYS:
            return f"platform.{_KEYS[head]}"
    return "platform"
