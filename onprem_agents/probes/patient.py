"""What is examined, and how one question to it becomes a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from onprem_agents.contract.connection import Connection
from onprem_agents.errors import cleaned
from onprem_agents.probes.smoke import Target, exchange
from onprem_agents.probes.smoke_causes import Asked, Cause, of_error, of_status
from onprem_agents.probes.verdict import Severity, Verdict
from onprem_agents.setup.developer_key import DeveloperKey

Judge = Callable[[str], Cause]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A platform by its contract, with the developer's key and a client; `timeout_seconds` bounds each probe."""

    connection: Connection
    key: DeveloperKey | None
    http: httpx.Client
    timeout_seconds: float

    @property
    def openai(self) -> Target:
        """The address of opencode and Codex."""
        return self._target(self.connection.base_url)

    @property
    def anthropic(self) -> Target:
        """The address of Claude Code, which adds the /v1 by itself."""
        return self._target(f"{self.connection.anthropic_base_url}/v1")

    def _target(self, base_url: str) -> Target:
        return Target(
            base_url=base_url,
            model=self.connection.main.model,
            key=self.key.value if self.key else None,
            key_source=self.key.source if self.key else None,
            timeout_seconds=self.timeout_seconds,
        )


def fine(evidence: str, *, name: str = "ok") -> Cause:
    """Return the cause of a probe that found nothing wrong."""
    return Cause(name=name, severity=Severity.OK, evidence=evidence, fix="")


def verdict(probe: str, cause: Cause, *, secret: str | None = None) -> Verdict:
    """Return a cause as the verdict of a probe, in the words of this command and without the key."""
    fix = cause.fix.replace("in --base-url", "in --host").replace("--base-url", "the address")
    fix = fix.replace(
        "name its variable with --key-env or its file with --key-file",
        "run onprem-agents setup, or add --key-file",
    )
    return Verdict(
        probe=probe,
        severity=cause.severity,
        cause=cause.name,
        evidence=cleaned(cause.evidence, secret=secret),
        fix=cleaned(fix, secret=secret),
    )


def ask(
    patient: Patient,
    probe: str,
    path: str,
    body: dict[str, Any],
    judge: Judge,
    *,
    target: Target | None = None,
    headers: dict[str, str] | None = None,
    padding_bytes: int = 0,
) -> Verdict:
    """Send one request and judge the text of a good answer; anything else has its usual cause."""
    target = target or patient.openai
    asked = Asked(
        base_url=target.base_url,
        model=target.model,
        key_source=target.key_source,
        timeout_seconds=target.timeout_seconds,
    )
    started = time.monotonic()
    try:
        response, text = exchange(
            target, patient.http, "POST", path, body, headers=headers, padding_bytes=padding_bytes
        )
    except httpx.HTTPError as error:
        cause = of_error(error, asked)
    else:
        if response.is_success:
            cause = judge(text)
        else:
            cause = of_status(
                response.status_code, text, asked, location=response.headers.get("location", "")
            )
            if cause.name == "path":
                cause = replace(
                    cause, fix=f"nothing serves {path} at {target.base_url}; ask the platform team"
                )
    if cause.severity is Severity.OK:
        cause = replace(cause, evidence=f"{cause.evidence}, in {time.monotonic() - started:.1f} s")
    return verdict(probe, cause, secret=target.key)
