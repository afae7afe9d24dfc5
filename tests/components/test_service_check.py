"""The check after an update: not in a preview, after everything it depends on, a warning or the end of the update."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

import components
from components import spelling
from components.refusal import Refused
from onprem_agents.probes.checked import Checked, Outcome
from onprem_agents.probes.verification import Verification
from onprem_agents.setup.developer_key import DeveloperKey
from tests.components.component_samples import MINIMAL, SERVER_ARGUMENTS, as_outputs, make, without
from tests.components.outcomes import outcome
from tests.components.recording import ALICE, ALICE_NEXT, BOB, SERVER, Recorder, recorded, unknown
from tests.unit.contract_samples import CONTRACT

NOUN = "ServiceCheck"
PLATFORM = MINIMAL["CodingPlatform"]


def with_attributes(found: dict[str, Any], program: Callable[[], Any]) -> Callable[[], None]:
    """Return the program that also keeps what its check tells."""

    def run() -> None:
        check = program()
        for name in ("passed", "summary", "checks", "not_run"):
            getattr(check, name).apply(partial(found.__setitem__, name))

    return run


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model answer in prose where it should call a tool."""
    monkeypatch.setattr(Verification, "run", lambda found, *_: outcome(found, "coder: tool call"))


def test_an_update_tells_each_result(asked: list[Verification]) -> None:
    found: dict[str, Any] = {}

    recorded(with_attributes(found, lambda: make(NOUN)))

    assert (found["passed"], found["summary"], found["not_run"]) == (True, "38 checks, all well", [])
    assert [result["name"] for result in found["checks"][:3]] == ["dns", "connection", "tls"]
    assert list(found["checks"][0]) == [
        *("name", "role", "verdict", "cause", "found", "why", "change", "seconds")
    ]
    (verification,) = asked
    assert verification.roles == ("coder", "fast")
    assert verification.settings.wait_seconds == 60


@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_a_preview_asks_nobody_and_says_what_will_be_checked(
    written: Callable[[Any], Any], asked: list[Verification], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    found: dict[str, Any] = {}

    recorded(with_attributes(found, lambda: make(NOUN, written(MINIMAL[NOUN]))), preview=True)

    assert asked == []
    assert found == {}, "nobody knows what the update will find"
    assert "will check https://agents.example.internal/v1: gateway: dns, gateway: connection" in caplog.text
    assert "fast: prefix reuse" in caplog.text


def test_a_contract_that_is_not_known_yet_is_awaited(
    asked: list[Verification], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    recorded(lambda: make(NOUN, MINIMAL[NOUN] | {"connection": unknown()}), preview=True)

    assert asked == []
    assert "waits for connection: " in caplog.text


@pytest.mark.usefixtures("faulty")
def test_a_fault_is_a_warning_with_found_why_and_change(caplog: pytest.LogCaptureFixture) -> None:
    found: dict[str, Any] = {}

    recorded(with_attributes(found, lambda: make(NOUN)))

    assert found["passed"] is False
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.levelno == logging.WARNING
    assert record.message == (
        "38 checks, 1 with a fault (coder: tool call)\n"
        "coder: tool call\n"
        "  found:  prose instead of a call\n"
        "  why:    an agent reads and changes files by tool calls alone\n"
        "  change: start vLLM with --tool-call-parser"
    )


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_a_fault_ends_a_strict_update_with_the_same_text_and_its_results_are_known(
    written: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    found: dict[str, Any] = {}
    strict = written(MINIMAL[NOUN] | {"strict": True})

    with pytest.raises(Refused) as caught:
        recorded(with_attributes(found, lambda: make(NOUN, strict)))

    assert str(caught.value).startswith("ServiceCheck 'it': 38 checks, 1 with a fault (coder: tool call)\n")
    assert "  change: start vLLM with --tool-call-parser" in str(caught.value)
    assert found["passed"] is False, "the state has it although the update fails"
    assert "Traceback" not in caplog.text


@pytest.mark.usefixtures("faulty")
def test_programs_in_other_languages_hear_of_it_as_of_arguments_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spelling, "_of_the_wire", True)

    with pytest.raises(InputPropertiesError, match="coder: tool call"):
        recorded(lambda: make(NOUN, MINIMAL[NOUN] | {"strict": True}))


def test_checks_that_were_not_run_are_no_success(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cut_short(verification: Verification, *_: object) -> Outcome:
        whole = outcome(verification)
        return Outcome(results=whole.results[:4], planned=whole.planned)

    monkeypatch.setattr(Verification, "run", cut_short)
    found: dict[str, Any] = {}

    recorded(with_attributes(found, lambda: make(NOUN)))

    assert (found["passed"], len(found["not_run"])) == (False, 34)
    assert "4 checks, all well, 34 not run" in caplog.text


def test_only_the_models_that_are_named_are_checked(asked: list[Verification]) -> None:
    recorded(lambda: make(NOUN, MINIMAL[NOUN] | {"models": ["fast"]}))

    assert asked[0].roles == ("fast",)


def test_of_a_model_that_keeps_no_prefix_on_purpose_no_reuse_is_expected(asked: list[Verification]) -> None:
    recorded(lambda: make(NOUN, MINIMAL[NOUN] | {"uncached_models": ["fast"]}))

    planned = asked[0].planned
    assert "coder: prefix reuse" in planned
    assert "fast: prefix reuse" not in planned


def test_progress_is_told_from_the_thread_that_asks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def slow(
        verification: Verification, _key: DeveloperKey, _variables: Any, tell: Callable[[Checked], None]
    ) -> Outcome:
        found = outcome(verification)
        for result in found.results:
            tell(result)
        return found

    monkeypatch.setattr(Verification, "run", slow)
    recorded(lambda: make(NOUN))

    assert "coder: long prompt: as it should be" in caplog.text
    assert caplog.records[-1].message == "38 checks, all well"


def test_numbers_of_other_languages_and_whole_contracts_are_understood(asked: list[Verification]) -> None:
    contract = deepcopy(CONTRACT)
    contract["version"] = 1.0
    contract["roles"][0]["contextTokens"] = 131072.0

    recorded(
        lambda: make(NOUN, {"connection": contract, "developer_key": ALICE, "long_prompt_tokens": 8192.0})
    )

    assert asked[0].connection.main.context_tokens == 131072
    assert asked[0].settings.long_prompt_tokens == 8192


def keys_used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    used: list[str] = []

    def note(verification: Verification, key: DeveloperKey, *_: object) -> Outcome:
        used.append(key.value)
        return outcome(verification)

    monkeypatch.setattr(Verification, "run", note)
    return used


def test_the_key_is_used_and_stands_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    used = keys_used(monkeypatch)
    found: dict[str, Any] = {}
    arguments = MINIMAL[NOUN] | {"developer_key": pulumi.Output.secret(ALICE)}

    recorder = recorded(with_attributes(found, lambda: make(NOUN, arguments)))

    assert used == [ALICE]
    assert ALICE not in str(found) + caplog.text + str([item.inputs for item in recorder.resources])


def platform(**arguments: Any) -> Any:
    return components.CodingPlatform("platform", PLATFORM | arguments)  # type: ignore[arg-type]


def test_a_platform_uses_the_newest_key_of_its_first_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    used = keys_used(monkeypatch)
    keys = {"bob": [BOB], "alice": [ALICE, pulumi.Output.secret(ALICE_NEXT)]}

    recorded(lambda: platform(check={}, developer_keys=keys))

    assert used == [ALICE_NEXT]


@pytest.mark.usefixtures("faulty")
def test_a_platform_tells_its_faults_alone() -> None:
    told: list[Any] = []

    recorded(lambda: platform(check={}).check.apply(told.append))

    (result,) = told
    assert (result["passed"], [each["name"] for each in result["faults"]]) == (False, ["tool call"])


def test_a_platform_that_asks_for_no_check_has_none(asked: list[Verification]) -> None:
    found: list[Any] = []

    recorder = recorded(lambda: platform().check.apply(found.append))

    assert (asked, found) == ([], [None])
    assert "platform-check" not in recorder.types()


@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_a_platform_is_checked_after_all_of_its_objects_are_there(
    written: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    kept: list[Recorder] = []
    told: list[Any] = []

    def note(verification: Verification, *_: object) -> Outcome:
        seen.append(set(kept[0].types()))
        return outcome(verification)

    monkeypatch.setattr(Verification, "run", note)
    recorder = recorded(
        lambda: platform(**written({"check": {"strict": True}})).check.apply(told.append),
        keep=kept.append,
    )

    objects = {item.name for item in recorder.resources if item.typ.startswith("kubernetes:")}
    assert seen[0] >= objects
    assert {name for name in objects if name.startswith(("platform-coder", "platform-ingress"))} <= (
        recorder.before("platform-check")
    )
    (result,) = told
    assert result == {"passed": True, "summary": "22 checks, all well", "faults": [], "notRun": []}


def test_a_check_of_parts_comes_after_the_model_server_that_tells_its_name() -> None:
    def program() -> None:
        server = make("InferenceService", SERVER_ARGUMENTS | {"server_key": SERVER}, "server")
        way_in = make("ExternalIngress", MINIMAL["ExternalIngress"] | {"servers": [server.server]}, "way-in")
        arguments = {
            "connection": way_in.connection,
            "models": [server.served_model],
            "developer_key": pulumi.Output.secret(ALICE),
        }
        make(NOUN, arguments, "check")

    before = recorded(program).before("check")

    assert "server-coder" in before
    assert "way-in-coding-agents" in before


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no contract": (without(NOUN, "connection"), "connection", "nothing"),
    "a contract of nothing": (
        MINIMAL[NOUN] | {"connection": {"version": 1}},
        "connection.",
        "its attribute connection",
    ),
    "a model that the contract does not promise": (
        MINIMAL[NOUN] | {"models": ["codder"]},
        "models[0]",
        "did you mean coder?",
    ),
    "an address that is none": (
        MINIMAL[NOUN] | {"address": "https://x"},
        "address",
        "write it like 10.0.0.7",
    ),
    "no length at all": (MINIMAL[NOUN] | {"long_prompt_tokens": 0}, "long_prompt_tokens", "1024"),
    "a short key": (MINIMAL[NOUN] | {"developer_key": "short"}, "developer_key", "openssl rand"),
    "no key": (without(NOUN, "developer_key"), "developer_key", "openssl rand"),
}


@pytest.mark.parametrize("case", BAD)
def test_arguments_that_cannot_be_are_told_by_name_with_the_way_out(
    case: str, asked: list[Verification]
) -> None:
    arguments, where, told = BAD[case]

    with pytest.raises(Refused) as caught:
        recorded(lambda: make(NOUN, arguments))

    assert f"argument {where}" in str(caught.value)
    assert told in str(caught.value)
    assert asked == []


def test_a_secret_contract_is_refused() -> None:
    with pytest.raises(Refused, match=r"pulumi\.Output\.unsecret"):
        recorded(lambda: make(NOUN, MINIMAL[NOUN] | {"connection": pulumi.Output.secret(CONTRACT)}))
