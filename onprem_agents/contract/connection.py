"""The connection contract: all that a developer's machine must know of a platform, and no secret.

The stack publishes it as an output and at the gateway; `onprem_agents.agents` turns it into the agents' own files.
Version 1. Field names are camelCase in JSON. Anything that looks like a credential is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic.alias_generators import to_camel

from onprem_agents.contract.limits import MAX_OUTPUT_TOKENS, compact_at_tokens, output_cap_tokens
from onprem_agents.errors import Finding
from onprem_agents.stack.domain import (
    AgentName,
    AliasPattern,
    ApiUrl,
    ContextTokens,
    Host,
    KeyEnvName,
    ModelId,
    OutputTokens,
    PlainText,
    Prose,
    RoleName,
    Seconds,
    ServedName,
    StackName,
    Temperature,
    Translation,
    VersionText,
)
from onprem_agents.stack.support import Support
from onprem_agents.stack.thinking import ServedThinking
from onprem_agents.stack.untrusted import refusal

CONTRACT_VERSION = 1
WELL_KNOWN_PATH = "/.well-known/onprem-coding-agents.json"
"""Where the gateway serves the contract, so that a developer needs nothing but the host name."""

AuthHeader = Literal["Authorization: Bearer", "x-api-key"]
# Claude Code 2.1.330, CLAUDE_CODE_MODEL_CAPABILITIES: a name, with a minus to switch it off; 2026-11.
# vLLM 0.24 to 0.25.1 place system messages in mid-conversation and break Qwen3.6 tool calls there, older ones
# refuse them (vllm-project/vllm#48874, #44000); effort and context management are not modelled; 2026-11.
CLAUDE_CAPABILITIES = ("-mid_conv_system", "-mid_conv_tool_change", "-effort", "-context_management")
ClaudeCapability = Annotated[str, Field(pattern=r"^-?[a-z][a-z_]{0,40}\z")]


def fits(pattern: str, model: str) -> bool:
    """Return whether an alias stands for a model's name."""
    return model.startswith(pattern.removesuffix("*"))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Auth(_Part):
    """How a request shows its key, and where a developer gets one; never the key."""

    headers: tuple[AuthHeader, ...] = ("Authorization: Bearer", "x-api-key")
    key_env: KeyEnvName = "ONPREM_API_KEY"
    key_hint: PlainText


class Tls(_Part):
    """Who signed the gateway's certificate.

    `ca_hint` says where a developer finds the CA file of a private issuer; None means a publicly trusted one.
    """

    issuer: PlainText | None = None
    secret_name: PlainText | None = None
    ca_hint: PlainText | None = None


class Timeouts(_Part):
    """Seconds a client must be ready to wait: the longest turn, silence within a stream, a whole request."""

    longest_turn_seconds: Seconds
    stream_idle_seconds: Seconds
    client_timeout_seconds: Seconds

    @model_validator(mode="after")
    def _clients_outwait_the_platform(self) -> Self:
        if self.client_timeout_seconds < self.longest_turn_seconds:
            raise refusal(
                Finding(
                    cause="contradiction",
                    found=f"clientTimeoutSeconds {self.client_timeout_seconds} below"
                    f" longestTurnSeconds {self.longest_turn_seconds}",
                    why="clients would hang up on turns that the platform still serves",
                    fix="make clientTimeoutSeconds at least longestTurnSeconds",
                )
            )
        return self


class Role(_Part):
    """One served model under its stable name; limits in tokens."""

    role: RoleName
    model: ServedName
    model_id: ModelId
    context_tokens: ContextTokens
    max_output_tokens: OutputTokens
    compact_at_tokens: OutputTokens
    reasoning: StrictBool
    tool_calling: StrictBool
    parallel_tool_calls: StrictBool
    namespace_tools: StrictBool = False
    vision: StrictBool = False
    temperature: Temperature | None = None
    thinking: ServedThinking | None = None
    claude_capabilities: tuple[ClaudeCapability, ...] = CLAUDE_CAPABILITIES
    supported_agents: tuple[AgentName, ...]
    unsupported_reasons: dict[AgentName, Prose] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limits_leave_room(self) -> Self:
        most = min(MAX_OUTPUT_TOKENS, self.context_tokens // 4)
        if self.max_output_tokens > most:
            raise refusal(
                Finding(
                    cause="contradiction",
                    found=f"maxOutputTokens {self.max_output_tokens} of contextTokens {self.context_tokens}",
                    why="clients send this cap with every request, so prompt and answer exceed the window",
                    fix=f"set maxOutputTokens to {output_cap_tokens(self.context_tokens)}, at most {most}",
                )
            )
        if self.compact_at_tokens + self.max_output_tokens > self.context_tokens:
            before_overflow = self.context_tokens - self.max_output_tokens
            raise refusal(
                Finding(
                    cause="contradiction",
                    found=f"compactAtTokens {self.compact_at_tokens} of contextTokens {self.context_tokens}",
                    why="an agent would compact only after the window has overflowed",
                    fix="set compactAtTokens to "
                    f"{min(compact_at_tokens(self.context_tokens), before_overflow)}, at most {before_overflow}",
                )
            )
        return self


class Connection(_Part):
    """The whole contract. `main_role` does the work; `small_role` takes titles and other short calls.

    `model_aliases` are beginnings of names that lead to the main role as well, each with `*` for the rest. `agents` are
    those that the platform's developers use; None where it leaves that open, and then no key of that name is published.
    """

    version: Literal[1] = 1
    stack: StackName
    host: Host
    base_url: ApiUrl
    anthropic_base_url: ApiUrl
    translation: Translation = "native"
    auth: Auth
    tls: Tls = Tls()
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=100)]
    main_role: RoleName
    small_role: RoleName
    timeouts: Timeouts
    tested_agents: dict[AgentName, VersionText] = Field(default_factory=dict)
    model_aliases: Annotated[tuple[AliasPattern, ...], Field(max_length=20)] = ()
    support: Support | None = None
    agents: Annotated[tuple[AgentName, ...], Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        refusals = [*self._addresses_that_differ(), *self._names_that_clash()]
        if refusals:
            raise refusal(*refusals)
        return self

    def _addresses_that_differ(self) -> Iterator[Finding]:
        if self.base_url != f"{self.anthropic_base_url}/v1":
            yield Finding(
                cause="contradiction",
                found=f"baseUrl {self.base_url} and anthropicBaseUrl {self.anthropic_base_url}",
                why="OpenAI clients need the address with /v1, Anthropic clients the same one without it",
                fix="make baseUrl exactly anthropicBaseUrl followed by /v1",
            )
        if urlsplit(self.base_url).hostname != self.host:
            yield Finding(
                cause="contradiction",
                found=f"host {self.host} and baseUrl {self.base_url}",
                why="the two name different machines",
                fix="make the host in both addresses equal to host",
            )

    def _names_that_clash(self) -> Iterator[Finding]:
        roles = [role.role for role in self.roles]
        for label, names in (("role", roles), ("model", [role.model for role in self.roles])):
            for name in sorted({name for name in names if names.count(name) > 1}):
                yield Finding(
                    cause="contradiction",
                    found=f"{label} {name} more than once",
                    why=f"clients could not tell which {label} is meant",
                    fix=f"give each entry of roles its own {label}",
                )
        for key, wanted in (("mainRole", self.main_role), ("smallRole", self.small_role)):
            if wanted not in roles:
                yield Finding(
                    cause="contradiction",
                    found=f"{key} {wanted}",
                    why="no entry of roles has that name",
                    fix=f"set {key} to one of: {', '.join(roles[:10])}",
                )

    @property
    def support_lines(self) -> tuple[str, ...]:
        """Where a developer turns when something is wrong, a line each; none where the platform names nobody."""
        return self.support.lines if self.support is not None else ()

    def role(self, name: str) -> Role:
        """Return the role of that name; `KeyError` when there is none."""
        return {role.role: role for role in self.roles}[name]

    @property
    def main(self) -> Role:
        """The role that does the work."""
        return self.role(self.main_role)

    @property
    def small(self) -> Role:
        """The role for titles, summaries and other short calls."""
        return self.role(self.small_role)

    def to_wire(self) -> dict[str, Any]:
        """Return the contract as plain JSON values with camelCase names, for a stack output."""
        wire: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        if self.agents is None:
            del wire["agents"]
        return wire

    def to_json(self) -> str:
        """Return the contract as JSON text, the same bytes for the same contract, with a final newline."""
        return json.dumps(self.to_wire(), indent=2, sort_keys=True, ensure_ascii=True) + "\n"
