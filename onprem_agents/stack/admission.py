"""The settings of admission: which policies the API server itself asks of all that comes into the namespace."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from onprem_agents.errors import Finding
from onprem_agents.stack.section import Section
from onprem_agents.stack.untrusted import refusal

AskedPolicy = Literal[
    "tool-calling-is-on",
    "memory-headroom-is-left",
    "timeouts-are-monotonic",
    "paths-are-listed",
    "keys-end-at-the-gateway",
    "keys-are-read-from-both-headers",
    "servers-stay-behind-the-gateway",
    "keys-are-bare",
    "no-hosted-models",
    "secrets-are-not-plain",
    "images-are-pinned",
    "registries-are-allowed",
    "releases-are-not-denied",
    "releases-have-no-open-holes",
    "pods-leave-their-node-alone",
    "node-folders-are-read-only",
    "pods-are-restricted",
    "pods-pass-their-namespace",
    "eager-mode-is-off",
    "deployment-modes-exist",
    "servers-stay-up",
    "capabilities-are-not-added",
    "tolerations-name-their-taint",
    "certificates-are-checked",
    "tokens-name-their-audience",
]
"""The policies that the API server can ask, as `onprem-agents policies` lists them."""


def _day(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="an exemption ends on a day of the calendar",
                fix='write the last day like "2027-01-31"',
            )
        ) from None
    return text


Registry = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$", max_length=300)]


class Exemption(Section):
    """One object that a policy lets pass for a while."""

    policy: AskedPolicy = Field(
        description="Which policy lets it pass, as 'onprem-agents policies' lists them."
    )
    resource: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="The object as findings name it, e.g. 'Deployment coding-agents/router', or its name alone."
    )
    reason: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="Why.")
    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)] = Field(
        description='Its last day, in quotes, e.g. "2027-01-31"; the first update after it takes it away.'
    )


class AdmissionSettings(Section):
    """What the API server asks of each object that comes into the stack's namespace."""

    mode: Literal["warn", "enforce"] = Field(
        default="enforce",
        description="Whether what is mandatory is denied and the rest warned of (enforce), or all is warned of (warn); "
        "warnings are in the audit log too.",
    )
    disabled: Annotated[tuple[AskedPolicy, ...], Field(max_length=100)] = Field(
        default=(),
        description="Policies that the API server does not ask. Left out: it asks all that it can.",
    )
    allowed_registries: Annotated[tuple[Registry, ...], Field(max_length=100)] = Field(
        default=(),
        description="Where images may come from: hosts, or hosts with the beginning of a path. Left out: from "
        "anywhere.",
    )
    require_digest: bool = Field(default=False, description="Whether images need a digest, not a tag alone.")
    exemptions: Annotated[tuple[Exemption, ...], Field(max_length=1000)] = Field(
        default=(), description="Objects that a policy lets pass for a while. Left out: none."
    )
