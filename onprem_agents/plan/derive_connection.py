"""What is decided → the connection contract that developers' machines are set up from.

Settings and contract are made of the same types, so a contract is refused here only for what no single setting
says: the stack's name, or two names that clash. Such a refusal is told with the key of the stack file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from onprem_agents.agents import SOFTWARE
from onprem_agents.contract.connection import CLAUDE_CAPABILITIES, Auth, Connection
from onprem_agents.contract.limits import compact_at_tokens
from onprem_agents.errors import Finding, InvalidInput, Problem
from onprem_agents.plan.derive_ingress import model_aliases
from onprem_agents.plan.parts import base_address
from onprem_agents.plan.references import role_name, supported_agents
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.stack.access import Listener
from onprem_agents.stack.domain import StackName, Translation
from onprem_agents.stack.parts import ServerReference
from onprem_agents.stack.support import Support
from onprem_agents.stack.thinking import ServedThinking
from onprem_agents.stack.value_words import said_of

KeyOf = Callable[[Sequence[int | str]], str]
"""Where a part of the contract comes from, as its owner writes it."""

_STACK_NAME = TypeAdapter(StackName)
# Part of the contract → setting of the stack that it comes from.
_KEYS = {
    "host": "access.host",
    "baseUrl": "access.host",
    "anthropicBaseUrl": "access.host",
    "translation": "translation",
    "timeouts": "timeouts.longestTurnSeconds",
}
# Parts that name one of the roles.
_OF_ROLES = (("main_role",), ("small_role",))
_ROLE_KEYS = {"role": "role", "model": "role", "contextTokens": "context", "compactAtTokens": "context"}


def connection_of(
    listener: Listener,
    *,
    stack: str,
    translation: Translation,
    servers: Sequence[ServerReference],
    timeouts: TimeoutChain,
    support: Support | None,
    source: str,
    key_of: KeyOf,
) -> Connection:
    """Return the contract of a gateway whose servers all tell their context; it holds no secret.

    `source` names the input in errors. Raises `InvalidInput` with every problem, each at the key that `key_of`
    says for a part of the contract.
    """
    base = base_address(listener.host, listener.port)
    values = {
        "stack": stack,
        "host": listener.host,
        "base_url": f"{base}/v1",
        "anthropic_base_url": base,
        "translation": translation,
        "auth": Auth(key_hint="ask your platform team for your own key, it is shown once when it is made"),
        "tls": {
            "issuer": listener.tls.issuer,
            "secret_name": listener.tls.secret_name,
            "ca_hint": listener.tls.ca_hint,
        },
        "roles": [_role(server) for server in servers],
        "main_role": role_name(servers[0]),
        "small_role": role_name(servers[-1]),
        "timeouts": {
            "longest_turn_seconds": timeouts.longest_turn_seconds,
            "stream_idle_seconds": timeouts.client_seconds,
            "client_timeout_seconds": timeouts.client_seconds,
        },
        "tested_agents": {agent.name: agent.version for agent in SOFTWARE},
        "model_aliases": model_aliases(listener, servers),
        "support": support,
    }
    try:
        return Connection.model_validate(values)
    except ValidationError as error:
        refused = error
    raise InvalidInput(source, list(_problems(refused, key_of)))


def _role(server: ServerReference) -> dict[str, object]:
    return {
        "role": role_name(server),
        "model": server.name,
        "model_id": server.model_id or server.name,
        "context_tokens": server.context_tokens,
        "max_output_tokens": server.max_output_tokens,
        "compact_at_tokens": compact_at_tokens(server.context_tokens or 0),
        "reasoning": server.reasoning,
        "tool_calling": server.tool_calling,
        "parallel_tool_calls": server.tool_calling,
        "namespace_tools": server.namespace_tools,
        "vision": server.vision,
        "temperature": server.temperature,
        "thinking": server.thinking,
        "claude_capabilities": _claude_capabilities(server.thinking),
        "supported_agents": supported_agents(server),
        "unsupported_reasons": dict(server.unsupported_reasons),
    }


def _claude_capabilities(thinking: ServedThinking | None) -> tuple[str, ...]:
    """Return what Claude Code must know of a model to send its effort or its budget (2.1.330, run 2026-11)."""
    effort = thinking.effort if thinking is not None else None
    budget = thinking.budget_tokens if thinking is not None else None
    kept = [name for name in CLAUDE_CAPABILITIES if name != "-effort" or effort is None]
    return (*kept, *(("-adaptive_thinking",) if budget is not None else ()))


def stack_name_problems(stack: str) -> list[Problem]:
    """Return what keeps a stack's name from standing in labels and in the contract."""
    try:
        _STACK_NAME.validate_python(stack)
    except ValidationError as error:
        findings: Sequence[Finding] = error.errors()[0].get("ctx", {}).get("refusals", ())
        return [finding.at("the stack's name", repr(stack)) for finding in findings]
    return []


def _problems(error: ValidationError, key_of: KeyOf) -> Iterator[Problem]:
    for detail in error.errors():
        if detail["type"] == "too_short" or detail["loc"] in _OF_ROLES:
            continue  # either only follows from an entry of roles that was refused
        where = key_of([part if isinstance(part, int) else to_camel(part) for part in detail["loc"]])
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
                why=f"the contract that developers' machines read takes no such value: {said_of(detail)[1]}",
                fix=f"change {where}",
            )


def stack_key(parts: Sequence[int | str]) -> str:
    """Return the stack key that a part of the contract comes from."""
    match parts:
        case ["tls", str(key)]:
            return f"platform.access.tls.{key}"
        case ["roles", int(index), *rest]:
            key = _ROLE_KEYS.get(str(rest[0]), "model") if rest else "model"
            return f"platform.models[{index}].{key}"
        case [str(head), *_] if head in _KEYS:
            return f"platform.{_KEYS[head]}"
    return "platform"
