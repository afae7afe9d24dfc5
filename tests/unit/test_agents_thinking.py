"""What each agent and proxy is told of a model's thinking, and that what it sends asks for just that."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from onprem_agents.agents.ccr import CCR
from onprem_agents.agents.claude import CLAUDE
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.litellm import LITELLM
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.contract.connection import Connection
from onprem_agents.stack.thinking import ServedThinking
from tests.unit.contract_samples import CONTRACT, parsed

pytestmark = pytest.mark.unit

OFF = {"default": "off", "switch": "enable_thinking"}
LOW = {"default": "on", "effort": "low", "efforts": ["low", "medium", "high"]}
BUDGET = {"default": "on", "budgetTokens": 2048, "switch": "enable_thinking"}
PLAIN = {"default": "on", "switch": "enable_thinking"}


def thinking(main: Any, small: Any = None) -> Connection:
    coder, fast = CONTRACT["roles"]
    roles = [coder | {"thinking": main}, fast | {"thinking": small}]
    return parsed(CONTRACT | {"roles": roles})


def first(agent: Any, connection: Connection) -> Any:
    return agent.files(connection)[0].values


@pytest.mark.parametrize(
    ("told", "options"),
    [
        (OFF, {"chat_template_kwargs": {"enable_thinking": False}}),
        (LOW, {"reasoningEffort": "low"}),
        (BUDGET, {"thinking_token_budget": 2048}),
        (PLAIN, None),
        (None, None),
    ],
)
def test_opencode_adds_to_each_request_what_the_contract_says(told: Any, options: Any) -> None:
    model = first(OPENCODE, thinking(told))["provider"]["onprem"]["models"]["coder"]

    assert model.get("options") == options


@pytest.mark.parametrize(
    ("told", "effort"), [(OFF, "none"), (LOW, "low"), (BUDGET, None), (PLAIN, None), (None, None)]
)
def test_codex_sends_an_effort_and_has_no_field_for_a_budget(told: Any, effort: str | None) -> None:
    (main, small) = CODEX.files(thinking(told, LOW))[1].values["models"]

    assert main.get("default_reasoning_level") == effort
    assert small["default_reasoning_level"] == "low", "each role has its own"


@pytest.mark.parametrize(
    ("main", "small", "variables"),
    [
        (OFF, None, {"MAX_THINKING_TOKENS": "0"}),
        (OFF, OFF, {"MAX_THINKING_TOKENS": "0"}),
        (OFF, PLAIN, {}),
        (BUDGET, OFF, {"MAX_THINKING_TOKENS": "2048"}),
        (LOW, OFF, {"CLAUDE_CODE_EFFORT_LEVEL": "low"}),
        (LOW | {"effort": "max"}, OFF, {"CLAUDE_CODE_EFFORT_LEVEL": "max"}),
        (PLAIN, None, {}),
        (None, OFF, {}),
    ],
)
def test_claude_code_gets_the_variables_that_hold_for_all_of_its_models(
    main: Any, small: Any, variables: dict[str, str]
) -> None:
    connection = thinking(main, small)
    names = ("MAX_THINKING_TOKENS", "CLAUDE_CODE_EFFORT_LEVEL")
    settings = first(CLAUDE, connection)
    env = settings["env"]
    # A setting, unlike the variable, leaves the choice of the session to the developer; it knows no max.
    level = {"CLAUDE_CODE_EFFORT_LEVEL": settings["effortLevel"]} if "effortLevel" in settings else {}

    assert {name: env[name] for name in names if name in env} | level == variables
    assert level or env.get("CLAUDE_CODE_EFFORT_LEVEL") in (None, "max")
    behind_router = CCR.environment(connection).values
    assert {name: behind_router[name] for name in names if name in behind_router} == variables


@pytest.mark.parametrize(
    ("told", "parameters"),
    [
        (OFF, {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}),
        (LOW, {"reasoning_effort": "low"}),
        (BUDGET, {"extra_body": {"thinking_token_budget": 2048}}),
        (PLAIN, {}),
        (None, {}),
    ],
)
def test_the_proxies_on_a_machine_add_what_they_would_drop(told: Any, parameters: dict[str, Any]) -> None:
    connection = thinking(told)
    (route, other) = yaml.safe_load(yaml.safe_dump(first(LITELLM, connection)))["model_list"]
    routed, small = first(CCR, connection)["Providers"]
    names = ("reasoning_effort", "extra_body")

    assert {
        name: route["litellm_params"][name] for name in names if name in route["litellm_params"]
    } == parameters
    assert not set(names) & set(other["litellm_params"])
    fields = {**parameters.get("extra_body", {})} or parameters
    assert routed.get("extraBody") == (fields or None), "3.1.1 reads this one"
    custom = [value for name, value in routed["transformer"]["use"] if name == "customparams"]
    assert custom == ([fields] if fields else []), "and 2.0.0 that one"
    assert (small["name"], "extraBody" in small) == ("fast", False)


def test_what_cannot_be_switched_by_a_truth_value_is_left_to_the_server() -> None:
    assert ServedThinking.model_validate({"default": "off"}).request_fields() == {}


def test_a_switch_of_another_name_is_told_beside_the_one_that_an_effort_moves() -> None:
    told = ServedThinking.model_validate({"default": "off", "switch": "thinking"})

    assert told.request_fields() == {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}


def test_an_old_contract_that_says_nothing_of_thinking_is_read() -> None:
    old = json.loads(json.dumps(CONTRACT))
    for role in old["roles"]:
        del role["thinking"]

    assert all(role.thinking is None for role in parsed(old).roles)
