"""The server's sampling: the stack's, the maker's where the checkpoint says otherwise, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.plan.report import report
from onprem_agents.stack.model_role import ModelRole
from tests.unit.test_thinking import QWEN, plan, refused

pytestmark = pytest.mark.unit


def overridden(model: str, thinking: Any = None, **role: Any) -> Any:
    return plan(model, thinking, **role).main.flags.override_generation_config


def test_a_card_that_says_otherwise_than_the_checkpoint_is_followed_and_the_plan_says_why() -> None:
    told = plan(QWEN)

    assert told.main.flags.override_generation_config == {"temperature": 0.6}
    assert report(told)["models"][0]["sampling"] == {
        "values": {"temperature": 0.6},
        "because": "its maker recommends it for such work, and the checkpoint's own configuration says temperature 1",
    }


def test_a_checkpoint_that_says_what_its_card_says_is_left_alone() -> None:
    assert overridden("Qwen/Qwen3-32B", context=32768) is None
    assert overridden("google/gemma-4-31B-it") is None


def test_a_checkpoint_that_says_nothing_gets_what_its_card_says() -> None:
    told = plan("mistralai/Devstral-Small-2-24B-Instruct-2512")

    assert told.main.flags.override_generation_config == {"temperature": 0.15}
    assert "says no temperature" in report(told)["models"][0]["sampling"]["because"]


def test_a_model_that_does_not_think_is_sampled_as_its_card_says_of_that() -> None:
    assert overridden(QWEN, {"default": "off"}) == {"temperature": 0.7, "top_p": 0.8}


def test_what_the_stack_says_stands_before_the_card() -> None:
    assert overridden(QWEN, temperature=0.0) == {"temperature": 0.0}
    assert overridden(QWEN, topP=0.9, topK=40, presencePenalty=0.5, repetitionPenalty=1.05, minP=0.01) == {
        "temperature": 0.6,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.01,
        "presence_penalty": 0.5,
        "repetition_penalty": 1.05,
    }


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("topP", 0),
        ("topP", 1.01),
        ("topK", 0),
        ("topK", 1.5),
        ("minP", -0.1),
        ("minP", 1.1),
        ("presencePenalty", 2.1),
        ("presencePenalty", "much"),
        ("repetitionPenalty", 0),
        ("repetitionPenalty", float("nan")),
    ],
)
def test_a_value_that_vllm_would_refuse_is_refused_here(setting: str, value: Any) -> None:
    problem = refused(QWEN, **{setting: value})

    assert (problem.where, problem.cause) == (f"platform.models[0].{setting}", "bad-value")


def test_a_least_probability_does_not_go_with_guessing_ahead() -> None:
    problem = refused(QWEN, minP=0.1, speculativeTokens=3)

    assert problem.cause == "contradiction"
    assert "'topK' and 'topP'" in problem.fix
    assert ModelRole.model_validate({"role": "a", "model": "b", "minP": 0, "speculativeTokens": 3}).min_p == 0


def test_a_release_that_would_ignore_a_presence_penalty_refuses_it() -> None:
    problem = refused(QWEN, presencePenalty=1.5, vllm="0.30.0")

    assert (problem.where, problem.cause) == ("platform.models[0].presencePenalty", "release-too-old")
    assert "0.31.0" in problem.fix
