"""The connection contract: what it holds, what it refuses, and the arithmetic of windows and output caps."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from onprem_agents.contract.connection import Auth, Connection, Role, Timeouts
from onprem_agents.contract.connection_file import parse
from onprem_agents.contract.limits import compact_at_tokens, output_cap_tokens
from onprem_agents.errors import InvalidInput, Problem
from tests.unit.contract_samples import CONTRACT, changed, contract

pytestmark = pytest.mark.unit


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        parse(text, "contract.json")
    return caught.value.problems


def test_a_contract_survives_the_round_trip_and_is_the_same_text_each_time() -> None:
    first = contract()
    text = first.to_json()
    assert parse(text, "again") == first
    assert parse(text, "again").to_json() == text
    assert json.loads(text) == CONTRACT
    assert text.endswith("}\n")


def test_a_stack_builds_a_contract_from_keywords_and_gets_safe_defaults() -> None:
    built = Connection(
        stack="local",
        host="127.0.0.1",
        base_url="http://127.0.0.1:8443/v1",
        anthropic_base_url="http://127.0.0.1:8443",
        auth=Auth(key_hint="onprem-agents keys add NAME"),
        roles=(
            Role(
                role="coder",
                model="coder",
                model_id="openai/gpt-oss-120b",
                context_tokens=65536,
                max_output_tokens=8192,
                compact_at_tokens=52428,
                reasoning=True,
                tool_calling=True,
                parallel_tool_calls=False,
                supported_agents=("opencode", "claude"),
                unsupported_reasons={
                    "codex": "its tool calls don't survive there (seen in 0.33); use opencode"
                },
            ),
        ),
        main_role="coder",
        small_role="coder",
        timeouts=Timeouts(longest_turn_seconds=600, stream_idle_seconds=900, client_timeout_seconds=1800),
    )
    wire = built.to_wire()
    assert wire["version"] == 1
    assert wire["translation"] == "native"
    assert wire["auth"] == {
        "headers": ["Authorization: Bearer", "x-api-key"],
        "keyEnv": "ONPREM_API_KEY",
        "keyHint": "onprem-agents keys add NAME",
    }
    assert wire["roles"][0]["claudeCapabilities"] == [
        "-mid_conv_system",
        "-mid_conv_tool_change",
        "-effort",
        "-context_management",
    ]
    assert parse(built.to_json(), "again") == built


def test_a_contract_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        contract().stack = "other"


@pytest.mark.parametrize(
    ("context_tokens", "cap"),
    [(8192, 1024), (32768, 4096), (65536, 8192), (131072, 16384), (262144, 16384), (1048576, 16384)],
)
def test_the_output_cap_is_an_eighth_of_the_window_and_at_most_16384(context_tokens: int, cap: int) -> None:
    assert output_cap_tokens(context_tokens) == cap


def test_codex_is_told_to_compact_at_eighty_percent() -> None:
    assert [compact_at_tokens(window) for window in (32768, 65536, 131072)] == [26214, 52428, 104857]


def test_an_output_cap_that_overflows_the_window_is_refused_with_the_right_one() -> None:
    (problem,) = refused(changed("roles", 0, "maxOutputTokens", value=64000))
    assert problem.where == "roles[0]"
    assert problem.fix == "set maxOutputTokens to 16384, at most 16384"
    (small,) = refused(changed("roles", 1, "maxOutputTokens", value=16385))
    assert small.fix == "set maxOutputTokens to 8192, at most 16384"


def test_compaction_after_the_overflow_is_refused() -> None:
    (problem,) = refused(changed("roles", 0, "compactAtTokens", value=131072))
    assert problem.fix == "set compactAtTokens to 104857, at most 114688"


def test_a_compaction_that_the_answer_overflows_gets_a_limit_that_does_not() -> None:
    """80 % of the window would leave the answer too little room here."""
    data = json.loads(changed("roles", 0, "contextTokens", value=65_536))
    data["roles"][0] |= {"compactAtTokens": 52_428, "maxOutputTokens": 16_384}

    (problem,) = refused(json.dumps(data))

    assert problem.fix == "set compactAtTokens to 49152, at most 49152"


def test_a_client_that_hangs_up_before_the_platform_is_refused() -> None:
    (problem,) = refused(changed("timeouts", "clientTimeoutSeconds", value=300))
    assert problem.fix == "make clientTimeoutSeconds at least longestTurnSeconds"


def test_every_problem_comes_at_once() -> None:
    data = json.loads(changed("roles", 0, "temperature", value=9))
    data |= {"host": "A/B", "stack": "$(x)", "apiKey": "x", "translation": "magic"}
    del data["timeouts"]
    where = {problem.where for problem in refused(json.dumps(data))}
    assert where == {"roles[0].temperature", "host", "stack", "apiKey", "translation", "timeouts"}


def test_names_that_clash_or_lead_nowhere_come_together() -> None:
    data = json.loads(json.dumps(CONTRACT))
    data["roles"][1]["role"] = data["roles"][1]["model"] = "coder"
    found = [problem.found for problem in refused(json.dumps(data))]
    assert found == ["role coder more than once", "model coder more than once", "smallRole fast"]


def test_an_agent_that_this_release_does_not_know_stays_a_name() -> None:
    data = json.loads(changed("roles", 0, "supportedAgents", value=["opencode", "agent-of-2030"]))
    data["roles"][0]["unsupportedReasons"] = {"another-one": "its window is too small"}
    data["testedAgents"] |= {"agent-of-2030": "9.1.0"}
    kept = parse(json.dumps(data), "a newer platform's")
    assert kept.main.supported_agents == ("opencode", "agent-of-2030")
    assert parse(kept.to_json(), "again") == kept


@pytest.mark.parametrize("name", ["Agent", "a b", "../x", "-x", "a" * 40, "$(id)", ""])
def test_an_agents_name_is_a_plain_word(name: str) -> None:
    assert (
        refused(changed("roles", 0, "supportedAgents", value=[name]))[0].where
        == "roles[0].supportedAgents[0]"
    )
    assert "testedAgents" in refused(changed("testedAgents", name, value="1.0.0"))[0].where
