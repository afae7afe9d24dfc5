"""The doctor on thinking: the stand-in thinks as told, and each hop that drops a field has its cause and fix."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes.examination import left_out
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.thinking import names_of_thinking, thinking
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.developer_key import DeveloperKey
from scripted_model.http import HttpRequest
from scripted_model.record import Record
from scripted_model.server import ScriptedModel
from tests.unit.contract_samples import CONTRACT, parsed

pytestmark = pytest.mark.unit

Body = dict[str, Any]
Hop = Callable[[str, Body], Body]
BUDGET = {"default": "on", "budgetTokens": 2048, "switch": "enable_thinking"}
OFF = {"default": "off", "switch": "enable_thinking"}
EFFORTS = {"default": "on", "effort": "low", "efforts": ["low", "high"]}


def direct(_path: str, body: Body) -> Body:
    return body


def dropping(*fields: str) -> Hop:
    """Return a hop that drops these fields of a request."""
    return lambda _path, body: {name: value for name, value in body.items() if name not in fields}


def litellm(path: str, body: Body) -> Body:
    """Return what LiteLLM makes of Anthropic's field: `medium` where nothing in particular is said (run 2026-11-28)."""
    thought = body.get("thinking")
    if path != "/v1/messages" or thought is None:
        return body
    rest = {name: value for name, value in body.items() if name != "thinking"}
    return rest if thought["type"] == "disabled" else rest | {"output_config": {"effort": "medium"}}


def examined(told: Any, hop: Hop = direct, *, unthinking: bool = False) -> list[Verdict]:
    """Return what the doctor finds in a scripted model behind a hop, for a contract with that thinking."""
    model = ScriptedModel({"coder": 131072}, Record(None), unthinking=["coder"] if unthinking else [])
    loop = asyncio.new_event_loop()

    def answer(request: httpx.Request) -> httpx.Response:
        body = hop(request.url.path, json.loads(request.content))
        asked = HttpRequest(
            method=request.method,
            target=request.url.raw_path.decode(),
            headers=(),
            body=json.dumps(body).encode(),
        )

        async def reply() -> httpx.Response:
            response = await model(asked)
            parts = response.body if response.stream is None else b"".join([e async for e in response.stream])
            return httpx.Response(response.status, content=parts)

        return loop.run_until_complete(reply())

    roles = [CONTRACT["roles"][0] | {"thinking": told}, CONTRACT["roles"][1]]
    connection = parsed(CONTRACT | {"roles": roles})
    key = DeveloperKey(value="onprem-a-key-0123456789", source="the test")
    try:
        with httpx.Client(transport=httpx.MockTransport(answer)) as http:
            patient = Patient(connection=connection, key=key, http=http, timeout_seconds=10)
            found = list(thinking(patient))
    finally:
        loop.close()
    assert tuple(item.probe for item in found) == names_of_thinking(connection.main)
    assert all(item.fix for item in found if item.severity is not Severity.OK)
    return found


def causes(found: list[Verdict]) -> dict[str, str]:
    return {item.probe: item.cause for item in found if item.cause != "ok"}


@pytest.mark.parametrize(("told", "unthinking"), [(BUDGET, False), (OFF, True), (EFFORTS, False)])
@pytest.mark.parametrize("hop", [direct, litellm])
def test_a_server_that_thinks_as_its_contract_says_passes(told: Any, unthinking: bool, hop: Hop) -> None:
    found = examined(told, hop, unthinking=unthinking)

    assert causes(found) == {}


def test_the_evidence_says_how_much_was_thought() -> None:
    found = {item.probe: item.evidence for item in examined(BUDGET)}

    assert "characters of thought" in found["thinking"]
    assert found["thinking off"].startswith("enable_thinking false switches it off")
    assert found["thinking budget"].startswith("a budget of 64 tokens ends it")


def test_a_server_that_thinks_although_its_contract_says_it_does_not_is_found_in_each_api() -> None:
    found = examined(OFF)

    # What Codex sends says none, so there alone it is quiet.
    assert causes(found) == {"thinking": "thinks", "messages thinking": "thinks"}
    assert "deploy the stack again" in found[0].fix


@pytest.mark.parametrize(
    ("told", "field", "probe", "cause"),
    [
        (BUDGET, "chat_template_kwargs", "thinking off", "switch-ignored"),
        (BUDGET, "thinking_token_budget", "thinking budget", "budget-ignored"),
        (EFFORTS, "reasoning_effort", "reasoning effort", "effort-without-effect"),
    ],
)
def test_a_hop_that_drops_a_field_is_found(told: Any, field: str, probe: str, cause: str) -> None:
    found = examined(told, dropping(field))

    assert causes(found) == {probe: cause}
    (verdict,) = [item for item in found if item.probe == probe]
    # Chance has its part in the length of a thought.
    assert (verdict.severity is Severity.OK) == (cause == "effort-without-effect")
    assert verdict.severity is Severity.OK or field in verdict.fix


def test_a_model_that_may_think_and_does_not_is_told_and_is_no_fault() -> None:
    found = examined({"default": "on"}, unthinking=True)

    assert {item.cause for item in found} == {"no-thought"}
    assert {item.severity for item in found} == {Severity.OK}


def test_a_server_that_refuses_a_field_is_told_with_its_words() -> None:
    refused = examined(
        EFFORTS, lambda _path, body: body | ({"reasoning_effort": "lots"} if "messages" in body else {})
    )

    assert "reasoning_effort" in next(item.evidence for item in refused if item.probe == "reasoning effort")


def test_a_contract_without_thinking_asks_for_nothing() -> None:
    assert examined(None) == []


def test_probes_that_did_not_run_are_named() -> None:
    connection = parsed(
        CONTRACT | {"roles": [CONTRACT["roles"][0] | {"thinking": EFFORTS}, CONTRACT["roles"][1]]}
    )

    assert set(names_of_thinking(connection.main)) <= set(left_out(connection, []))
