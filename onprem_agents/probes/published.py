"""What the gateway publishes itself, the contract and the list of models, against what the stack says."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.contract.connection import WELL_KNOWN_PATH, Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import InvalidInput
from onprem_agents.probes.exchange import exchange
from onprem_agents.probes.patient import Patient, verdict
from onprem_agents.probes.smoke_causes import Asked, of_error, of_status
from onprem_agents.probes.verdict import Verdict, fine

_AGAIN = "have the stack deployed again by whoever runs the platform: the gateway says what was meant before"


def contract(patient: Patient) -> Verdict:
    """Return whether the gateway publishes the contract that the stack's settings lead to, to anybody."""
    target = replace(patient.openai, base_url=patient.connection.anthropic_base_url)
    asked = Asked(base_url=target.base_url, model="", key_source=None, timeout_seconds=target.timeout_seconds)
    try:
        response, text = exchange(
            target, patient.http, "GET", WELL_KNOWN_PATH.removeprefix("/"), None, headers={}
        )
    except httpx.HTTPError as error:
        return verdict("contract", of_error(error, asked))
    if not response.is_success:
        found = of_status(response.status_code, text, asked)
        fix = f"developers cannot be set up by the host name alone: {_AGAIN}"
        return verdict("contract", replace(found, cause="contract", fix=fix))
    try:
        published = parse(text, WELL_KNOWN_PATH)
    except InvalidInput as error:
        fix = "look at what answers under this name; the gateway's own route serves a contract"
        return verdict("contract", Diagnosis(cause="contract", evidence=str(error), fix=fix))
    if different := _differences(patient.connection, published):
        evidence = f"it publishes another contract than the stack's: {', '.join(different)}"
        return verdict("contract", Diagnosis(cause="contract-differs", evidence=evidence, fix=_AGAIN))
    return verdict("contract", fine("it is published as the stack says"))


def _differences(own: Connection, published: Connection) -> list[str]:
    """Return what differs of that which agents are set up by; another way to the same gateway is no difference."""
    left_out = {"host", "base_url", "anthropic_base_url", "tested_agents"}
    mine, theirs = (each.model_dump(by_alias=True, exclude=left_out) for each in (own, published))
    return [name for name in mine if mine[name] != theirs[name]]


def models(patient: Patient) -> Verdict:
    """Return whether the list of models names every role, with at least the context that is promised."""
    target = patient.openai
    asked = target.asked
    try:
        response, text = exchange(target, patient.http, "GET", "models", None)
    except httpx.HTTPError as error:
        return verdict("models", of_error(error, asked), secret=target.key)
    if not response.is_success:
        return verdict("models", of_status(response.status_code, text, asked), secret=target.key)
    try:
        windows = {str(entry["id"]): entry.get("max_model_len") for entry in json.loads(text)["data"]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        fix = "look at what answers GET /v1/models under this name"
        return verdict(
            "models",
            Diagnosis(cause="not-an-api", evidence=f"no list but: {text}", fix=fix),
            secret=target.key,
        )
    return verdict("models", _judged(patient.connection, windows), secret=target.key)


def _judged(connection: Connection, windows: dict[str, object]) -> Diagnosis:
    missing = [role.model for role in connection.roles if role.model not in windows]
    if missing:
        evidence = f"{', '.join(missing)} not among {', '.join(windows) or 'nothing'}"
        return Diagnosis(cause="model", evidence=evidence, fix=_AGAIN)
    small = [
        f"{role.model} with {told} tokens of {role.context_tokens}"
        for role in connection.roles
        if isinstance(told := windows[role.model], int) and told < role.context_tokens
    ]
    if small:
        return Diagnosis(cause="context", evidence=f"it lists {', '.join(small)}", fix=_AGAIN)
    listed = [
        f"{role.model} with {windows[role.model]} tokens" if windows[role.model] else role.model
        for role in connection.roles
    ]
    return fine(f"it lists {', '.join(listed)}")
