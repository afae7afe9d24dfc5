"""Does the gateway take a key: asked once, before the key is stored anywhere."""

from __future__ import annotations

from pathlib import Path

import httpx

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import EnvironmentProblem, cleaned
from onprem_agents.probes.discovery import trusting
from onprem_agents.probes.exchange import Target, exchange_when_free
from onprem_agents.probes.smoke_causes import error_text, of_error, of_status
from onprem_agents.probes.verdict import fine
from onprem_agents.setup.developer_key import DeveloperKey

TRIAL_SECONDS = 20.0
UNTRIED = "--no-check stores it untried"


def try_key(
    connection: Connection, key: DeveloperKey, *, ca_file: Path | None = None, proxy: str | None = None
) -> Diagnosis:
    """Ask the gateway for its models with that key.

    The result is `ok`, `key-refused`, or `key-untried` where the gateway answers something else. Raises
    `EnvironmentProblem` when nothing answers.
    """
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
        message = (
            f"the key could not be tried at {connection.base_url}: {evidence}; nothing was written; {UNTRIED}"
        )
        raise EnvironmentProblem(message) from error
    return judged(response, text, target, connection)


def ask_for_models(target: Target, ca_file: Path | None, proxy: str | None) -> tuple[httpx.Response, str]:
    """Ask for the list of models, which costs no token; raises `httpx.HTTPError`."""
    with httpx.Client(
        verify=trusting(ca_file), timeout=target.timeout_seconds, trust_env=False, proxy=proxy
    ) as http:
        return exchange_when_free(target, http, "GET", "models", None)


def judged(response: httpx.Response, text: str, target: Target, connection: Connection) -> Diagnosis:
    """Return what an answer to that says of the key: `ok`, `key-refused` or `key-untried`."""
    if response.is_success:
        return fine("the gateway takes the key")
    found = of_status(response.status_code, text, target.asked)
    evidence = cleaned(f"HTTP {response.status_code}: {error_text(text) or 'no text'}", secret=target.key)
    if found.cause in ("key-refused", "key-forbidden"):
        fix = f"get a key from the platform team: {connection.auth.key_hint}"
        return Diagnosis(cause="key-refused", evidence=evidence, fix=fix)
    fix = "it is stored all the same; onprem-agents doctor tries it again"
    return Diagnosis(cause="key-untried", evidence=evidence, fix=fix)
