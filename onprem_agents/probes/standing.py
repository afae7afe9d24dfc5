"""What a gateway tells of a developer's key: that it takes it, whose it is, until when, what is used of which quota.

There is no standard for any of it but the status. What is known comes in headers of an ordinary answer, told here by
their own names, for what one gateway counts in requests another counts in tokens or money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import cleaned
from onprem_agents.probes.exchange import Target
from onprem_agents.probes.key_trial import TRIAL_SECONDS, ask_for_models, judged
from onprem_agents.probes.smoke_causes import of_error
from onprem_agents.setup.developer_key import DeveloperKey

# How this platform's gateway calls the owner of a key towards the model servers; one before it may pass it back.
_OWNER = "x-client-id"
_EXPIRY = re.compile(r"key-?(?:expir|valid-until)|expir\w*-?key")
# OpenAI's and Anthropic's (2026-11), those of draft-ietf-httpapi-ratelimit-headers, which Envoy writes as
# x-ratelimit-…, and LiteLLM's of a key with limits or a budget (its pages on headers, read 2026-11-28).
_QUOTA = re.compile(
    r"^(?:x-|anthropic-)?rate-?limit\b|^x-litellm-key-|^(?:x-)?(?:quota|budget)\b|^retry-after$"
)
_MOST_HEADERS = 24


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`found` says whether the key is taken; the rest is None or empty where the gateway tells nothing."""

    found: Diagnosis
    owner: str | None = None
    expires: str | None = None
    quota: dict[str, str] = field(default_factory=dict)


def standing(
    connection: Connection, key: DeveloperKey, *, ca_file: Path | None = None, proxy: str | None = None
) -> Standing:
    """Ask for the list of models with that key. Never raises for what the network does."""
    target = Target(
        base_url=connection.base_url,
        model="",
        key=key.value,
        key_source=key.source,
        timeout_seconds=TRIAL_SECONDS,
    )
    try:
        response, text = ask_for_models(target, ca_file, proxy)
    except httpx.HTTPError as error:
        cause = of_error(error, target.asked)
        evidence = cleaned(cause.evidence, secret=key.value)
        return Standing(
            found=Diagnosis(
                cause=cause.cause, severity=Severity.UNREACHABLE, evidence=evidence, fix=cause.fix
            )
        )
    headers = [(name.lower(), cleaned(value, secret=key.value)) for name, value in response.headers.items()]
    return Standing(
        found=judged(response, text, target, connection),
        owner=_first(value for name, value in headers if name == _OWNER),
        expires=_first(value for name, value in headers if _EXPIRY.search(name)),
        quota=dict([(name, value) for name, value in headers if _QUOTA.search(name)][:_MOST_HEADERS]),
    )


def _first(values: Iterable[str]) -> str | None:
    return next(iter(values), None)
