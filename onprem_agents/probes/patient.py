"""What is examined, and how one question to it becomes a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.probes.exchange import Target, exchange_when_free
from onprem_agents.probes.smoke_causes import of_error, of_status
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.developer_key import DeveloperKey

Judge = Callable[[str], Diagnosis]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A platform by its contract, with the developer's key and a client; `timeout_seconds` bounds each probe.

    `role_name` is the role that is asked; the main one where none is named.
    """

    connection: Connection
    key: DeveloperKey | None
    http: httpx.Client
    timeout_seconds: float
    role_name: str | None = None

    @property
    def role(self) -> Role:
        """The role that is asked."""
        return self.connection.main if self.role_name is None else self.connection.role(self.role_name)

    @property
    def openai(self) -> Target:
        """The address of opencode and Codex."""
        return self._target(self.connection.base_url)

    @property
    def anthropic(self) -> Target:
        """The address of Claude Code, which adds the /v1 by itself."""
        return self._target(f"{self.connection.anthropic_base_url}/v1")

    @property
    def anthropic_headers(self) -> dict[str, str]:
        """What Claude Code sends beside its body."""
        key = {"x-api-key": self.key.value} if self.key else {}
        return {"anthropic-version": "2023-06-01", **key}

    def _target(self, base_url: str) -> Target:
        return Target(
            base_url=base_url,
            model=self.role.model,
            key=self.key.value if self.key else None,
            key_source=self.key.source if self.key else None,
            timeout_seconds=self.timeout_seconds,
        )


def verdict(probe: str, diagnosis: Diagnosis, *, secret: str | None = None) -> Verdict:
    """Return a diagnosis as the verdict of a probe, in the words of this command and without the key."""
    fix = diagnosis.fix.replace("in --base-url", "in --host").replace("--base-url", "the address")
    fix = fix.replace(
        "name its variable with --key-env or its file with --key-file",
        "run onprem-agents setup, or add --key-file",
    )
    return Verdict.of(probe, replace(diagnosis, fix=fix), secret=secret)


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
    asked = target.asked
    started = time.monotonic()
    try:
        response, text = exchange_when_free(
            target, patient.http, "POST", path, body, headers=headers, padding_bytes=padding_bytes
        )
    except httpx.HTTPError as error:
        found = of_error(error, asked)
    else:
        if response.is_success:
            found = judge(text)
        else:
            found = of_status(
                response.status_code, text, asked, location=response.headers.get("location", "")
            )
            if found.cause == "path":
                found = replace(
                    found, fix=f"nothing serves {path} at {target.base_url}; ask the platform team"
                )
    if found.severity is Severity.OK:
        found = replace(found, evidence=f"{found.evidence}, in {time.monotonic() - started:.1f} s")
    return verdict(probe, found, secret=target.key)
