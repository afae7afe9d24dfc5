"""The check of a deployed platform against the scripted model: a sound one passes, each fault has its check."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem_agents.contract.connection import Connection
from onprem_agents.probes.checked import Checked, Outcome
from onprem_agents.probes.long_prompts import reuse
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.verification import Verification, wait_until_served
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.stack.check import Check
from tests.unit.contract_samples import CONTRACT, parsed
from tests.unit.platform_server import KEY as PLATFORM_KEY
from tests.unit.platform_server import platform
from tests.unit.scripted_gateway import KEY, ScriptedGateway, gateway
from tests.unit.test_smoke_wire import self_signed

PROMISED = parsed(CONTRACT)
ONE_ROLE = parsed(CONTRACT | {"roles": CONTRACT["roles"][:1], "smallRole": "coder"})


def checked(
    contract: Connection,
    *,
    key: str = KEY,
    roles: tuple[str, ...] = ("coder",),
    **settings: Any,
) -> Outcome:
    told: list[Checked] = []
    verification = Verification(
        connection=contract,
        roles=roles,
        settings=Check.model_validate({"waitSeconds": 0} | settings),
        timeout_seconds=20,
    )
    outcome = verification.run(DeveloperKey(value=key, source="the test"), {}, told.append)
    assert tuple(told) == outcome.results
    return outcome


def faults(outcome: Outcome) -> dict[str, str]:
    return {result.place: result.cause for result in outcome.faults}


def found(outcome: Outcome, place: str) -> str:
    return next(result.found for result in outcome.results if result.place == place)


def test_a_sound_platform_passes_every_check_of_every_role_in_the_order_that_is_told_before() -> None:
    with gateway(PROMISED) as (_, contract):
        outcome = checked(contract, roles=("coder", "fast"))

    assert faults(outcome) == {}
    assert outcome.passed
    assert tuple(result.place for result in outcome.results) == outcome.planned
    assert [place for place in outcome.planned if place.startswith(("gateway", "fast"))] == [
        "gateway: dns",
        "gateway: connection",
        "gateway: no key",
        "gateway: wrong key",
        "gateway: contract",
        "gateway: models",
        "gateway: long body",
        "fast: chat",
        "fast: tool call",
        "fast: streaming",
        "fast: streamed tool call",
        "fast: parallel tool calls",
        "fast: picture",
        "fast: messages",
        "fast: messages tool call",
        "fast: messages picture",
        "fast: count_tokens",
        "fast: responses",
        "fast: namespace tools",
        "fast: responses picture",
        "fast: context",
        "fast: prefix reuse",
        "fast: long prompt",
    ]
    assert outcome.summary == "37 checks, all well"


def test_the_long_prompt_says_how_long_it_was_and_what_the_window_left_room_for() -> None:
    with gateway(PROMISED) as (_, contract):
        outcome = checked(contract, roles=("coder", "fast"), longPromptTokens=100_000)

    coder, fast = found(outcome, "coder: long prompt"), found(outcome, "fast: long prompt")
    assert 99_000 < int(coder.split()[0].replace(",", "")) < 101_000
    assert "the most that a context of 65,536 has room for, were answered" in fast
    assert 60_000 < int(fast.split()[0].replace(",", "")) < 62_000


def test_the_second_turn_is_found_cached() -> None:
    with gateway(PROMISED) as (_, contract):
        outcome = checked(contract)

    assert "prompt tokens of turn 2 were cached (99." in found(outcome, "coder: prefix reuse")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("open", {"gateway: no key": "key-not-checked", "gateway: wrong key": "key-not-checked"}),
        ("no-contract", {"gateway: contract": "contract"}),
        ("old-contract", {"gateway: contract": "contract-differs"}),
        ("body-limit", {"gateway: long body": "body-limit"}),
        ("no /v1/models", {"gateway: models": "path"}),
        ("no /v1/responses", {"coder: responses": "path"}),
        ("no /v1/messages", {"coder: messages": "path", "coder: messages tool call": "path"}),
        ("no /v1/messages/count_tokens", {"coder: count_tokens": "path"}),
        ("half-window", {"gateway: models": "context", "coder: context": "context"}),
        ("no-usage-details", {"coder: prefix reuse": "cached-untold"}),
    ],
)
def test_each_fault_of_the_gateway_has_its_check(fault: str, expected: dict[str, str]) -> None:
    with gateway(ONE_ROLE, fault) as (_, contract):
        outcome = checked(contract)

    assert faults(outcome) == expected
    assert not outcome.passed
    assert all(
        result.found and result.why and result.change for result in outcome.results if not result.sound
    )
    assert KEY not in repr(outcome)


def test_a_server_without_a_tool_parser_fails_all_that_calls_tools() -> None:
    with gateway(ONE_ROLE, of_model=["no-tools"]) as (_, contract):
        outcome = checked(contract)

    assert faults(outcome) == {
        "coder: tool call": "tool-parser",
        "coder: streamed tool call": "tool-parser",
        "coder: parallel tool calls": "tool-parser",
        "coder: messages tool call": "tool-parser",
        "coder: responses": "tool-parser",
    }
    assert outcome.missing == ("coder: namespace tools",)


def test_a_server_that_keeps_no_prefix_is_found_after_five_turns() -> None:
    with gateway(ONE_ROLE, of_model=["no-prefix-cache"]) as (_, contract):
        outcome = checked(contract)

    assert faults(outcome) == {"coder: prefix reuse": "no-reuse"}
    assert found(outcome, "coder: prefix reuse").startswith("0 of 16,")
    assert "of turn 5 were cached (0.0 %)" in found(outcome, "coder: prefix reuse")


def test_of_a_server_that_keeps_no_prefix_on_purpose_no_reuse_is_expected() -> None:
    with gateway(ONE_ROLE, of_model=["no-prefix-cache"]) as (_, contract):
        verification = Verification(
            connection=contract,
            roles=("coder",),
            uncached_roles=("coder",),
            settings=Check.model_validate({"waitSeconds": 0}),
        )
        outcome = verification.run(DeveloperKey(value=KEY, source="the test"), {}, lambda _: None)

    assert outcome.passed
    assert "coder: prefix reuse" not in outcome.planned


def test_a_turn_that_goes_to_another_replica_is_told_and_is_no_fault() -> None:
    with gateway(ONE_ROLE, replicas=2) as (_, contract), httpx.Client(trust_env=False) as http:
        key = DeveloperKey(value=KEY, source="the test")
        told = reuse(Patient(connection=contract, key=key, http=http, timeout_seconds=20))

    assert (told.cause, told.severity.name) == ("late-reuse", "OK")
    assert "turn 3" in told.evidence
    assert "several replicas" in told.evidence


def test_a_key_that_is_refused_ends_the_check_with_what_was_not_run() -> None:
    with gateway(PROMISED) as (_, contract):
        wrong = "onprem-a-revoked-key-0123456789012345678901"
        outcome = checked(contract, key=wrong, roles=("coder", "fast"))

    assert faults(outcome) == {
        "gateway: models": "key-refused",
        "gateway: long body": "key-refused",
        "coder: chat": "key-refused",
    }
    assert "fast: chat" in outcome.missing
    assert not outcome.passed
    assert outcome.summary.endswith(f"{len(outcome.missing)} not run")
    assert wrong not in repr(outcome)


def test_a_name_that_is_in_no_dns_is_reached_at_an_address_and_its_certificate_is_checked(
    tmp_path: Path,
) -> None:
    name = "agents.example.internal"
    ca_file, chain = self_signed(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with platform(tls=context) as server:
        outcomes = []
        for host in (name, "models.example.internal"):
            base = f"https://{host}"
            contract = server.contract(host=host, baseUrl=f"{base}/v1", anthropicBaseUrl=base)
            settings: dict[str, Any] = {
                "address": server.authority,
                "caFile": str(ca_file),
                "longPromptTokens": 2048,
            }
            outcomes.append(checked(contract, key=PLATFORM_KEY, **settings))
        hosts = {headers.get("Host") for _, headers, _ in server.seen}

    right, wrong = outcomes
    assert hosts == {name}
    assert {"gateway: tls": "ok", "coder: chat": "ok", "coder: tool call": "ok"}.items() <= {
        result.place: result.cause for result in right.results
    }.items()
    assert right.results[0].place == "gateway: connection", "the name is not looked up"
    assert faults(wrong) == {"gateway: tls": "tls"}


def test_a_gateway_that_is_not_there_is_told_once() -> None:
    with gateway(ONE_ROLE) as (_, contract):
        pass

    outcome = checked(contract)

    assert [(result.place, result.cause) for result in outcome.results] == [
        ("gateway: dns", "ok"),
        ("gateway: connection", "refused"),
    ]
    assert len(outcome.missing) > 15


def test_apis_of_agents_that_cannot_work_with_a_role_are_not_asked() -> None:
    role: dict[str, Any] = CONTRACT["roles"][0] | {
        "supportedAgents": ["opencode"],
        "unsupportedReasons": {"codex": "no", "claude": "no"},
    }
    with gateway(parsed(CONTRACT | {"roles": [role], "smallRole": "coder"})) as (server, contract):
        outcome = checked(contract)

    assert outcome.passed
    assert not {"/v1/messages", "/v1/responses"} & set(server.seen)


def test_a_role_without_tool_calls_is_asked_for_none() -> None:
    role: dict[str, Any] = CONTRACT["roles"][0] | {
        "toolCalling": False,
        "parallelToolCalls": False,
        "supportedAgents": [],
        "unsupportedReasons": dict.fromkeys(CONTRACT["testedAgents"], "no tool calls"),
    }
    plain = parsed(CONTRACT | {"roles": [role], "smallRole": "coder"})
    with gateway(plain, of_model=["no-tools"]) as (_, contract):
        outcome = checked(contract)

    assert outcome.passed
    assert "coder: tool call" not in outcome.planned


def test_a_gateway_that_learns_its_routes_late_is_waited_for() -> None:
    with gateway(ONE_ROLE, "no /v1/chat/completions") as (server, contract):
        with httpx.Client(trust_env=False) as http:
            key = DeveloperKey(value=KEY, source="the test")
            patient = Patient(connection=contract, key=key, http=http, timeout_seconds=5)
            _forget_after_two(server)
            wait_until_served(patient, 20)
        asked = server.seen.count("/v1/chat/completions")

    assert asked == 3


def _forget_after_two(server: ScriptedGateway) -> None:
    """Let the gateway know its route from the third request on."""

    class Counting(list[str]):
        def append(self, path: str) -> None:
            super().append(path)
            if self.count("/v1/chat/completions") > 2:
                server.faults.clear()

    server.seen = Counting()


def test_each_result_is_plain_json_with_its_seconds() -> None:
    with gateway(ONE_ROLE) as (_, contract):
        outcome = checked(contract)

    wire = outcome.results[-1].to_wire()
    assert list(wire) == ["name", "role", "verdict", "cause", "found", "why", "change", "seconds"]
    assert (wire["name"], wire["role"], wire["verdict"], wire["change"]) == ("long prompt", "coder", "ok", "")
    assert wire["seconds"] == outcome.results[-1].seconds >= 0
