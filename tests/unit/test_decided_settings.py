"""Which settings an agent may change, and how a change of the others is told."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from onprem_agents.stack.decided import people_decide, settings_in
from onprem_agents.stack.settings import Platform
from tests.unit.manifest_samples import FAST, STACK

pytestmark = pytest.mark.unit

# What follows from the sizing, or is refused by it; a new setting belongs here or gets a mark with its reason.
FREE = {
    *("models[].model", "models[].precision", "models[].context", "models[].sessions", "models[].replicas"),
    *("models[].tensorParallel", "models[].kvCacheDtype", "models[].gpuMemoryUtilization"),
    *("models[].maxNumSeqs", "models[].maxNumBatchedTokens", "models[].toolCallParser"),
    *("models[].reasoningParser", "models[].prefixCaching", "models[].vision", "models[].speculativeTokens"),
    *("models[].temperature", "models[].topP", "models[].topK", "models[].minP", "models[].presencePenalty"),
    *("models[].repetitionPenalty", "models[].thinking.default", "models[].thinking.budgetTokens"),
    *("models[].thinking.effort", "serving.vllm", "serving.cudaAffinity", "serving.downloadMibPerSecond"),
    *("timeouts.longestTurnSeconds", "timeouts.loadBudgetSeconds"),
}
PLATFORM = "onprem-coding-agents:platform"


def file_with(**changes: Any) -> dict[str, Any]:
    platform = deepcopy(STACK)
    platform["models"][0].update(changes.pop("model", {}))
    return {"config": {PLATFORM: platform | changes}}


def told(before: object, after: object) -> dict[str, str]:
    problems = people_decide(Platform, before, after)
    assert {problem.cause for problem in problems} <= {"for-a-person"}
    assert all(problem.found and problem.why and problem.fix for problem in problems)
    return {problem.where: problem.found for problem in problems}


def test_an_agent_may_change_what_the_plan_sizes_and_nothing_else() -> None:
    assert {setting.path for setting in settings_in(Platform) if setting.why is None} == FREE


def test_every_setting_that_is_not_free_says_why() -> None:
    reasons = [setting.why for setting in settings_in(Platform) if setting.path not in FREE]

    assert len(reasons) > 20
    assert all(why and not why.endswith(".") for why in reasons)


def test_a_file_that_did_not_change_holds_nothing_to_decide() -> None:
    assert told(file_with(), file_with()) == {}


@pytest.mark.parametrize(
    "model", [{"context": 32768}, {"model": "google/gemma-4-12B-it"}, {"thinking": {"default": "off"}}]
)
def test_what_is_free_may_change(model: dict[str, Any]) -> None:
    assert told(file_with(), file_with(model=model, timeouts={"longestTurnSeconds": 900})) == {}


@pytest.mark.parametrize(
    ("after", "where", "found"),
    [
        (
            file_with(model={"extraArgs": ["--enforce-eager"]}),
            "platform.models[0].extraArgs",
            "'--enforce-eager', before nothing",
        ),
        (
            file_with(model={"env": {"VLLM_X": "1"}}),
            "platform.models[0].env",
            "{'VLLM_X': '1'}, before nothing",
        ),
        (
            file_with(model={"source": "hf://other/model"}),
            "platform.models[0].source",
            "'hf://other/model', before nothing",
        ),
        (
            file_with(translation="litellm"),
            "platform.translation",
            "'litellm', before nothing",
        ),
        (
            file_with(network={"egress": [{"cidr": "0.0.0.0/0", "ports": [443]}]}),
            "platform.network",
            "{'egress': [{'cidr': '0.0.0.0/0', 'ports': [443]}]}, before nothing",
        ),
        (
            file_with(access={**STACK["access"], "host": "other.example.internal"}),
            "platform.access.host",
            "'other.example.internal', before 'agents.example.internal'",
        ),
        (
            file_with(access={**STACK["access"], "developers": {"alice": {}, "bob": {}, "eve": {}}}),
            "platform.access.developers.eve",
            "{}, before nothing",
        ),
        (
            file_with(operator={"updatesModels": True}),
            "platform.operator",
            "{'updatesModels': True}, before nothing",
        ),
        (file_with(models=[*STACK["models"], FAST]), "platform.models[1].role", "'fast', before nothing"),
        (file_with(models=[FAST]), "platform.models", "'coder' is gone"),
        (
            {**file_with(), "encryptionsalt": "v1:another"},
            "encryptionsalt",
            "another value than before (not shown)",
        ),
        (
            {"config": {**file_with()["config"], "kubernetes:kubeconfig": "/root/.kube/config"}},
            "config.kubernetes:kubeconfig",
            "another value than before (not shown)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_person_decides_is_told_by_its_key(after: object, where: str, found: str) -> None:
    assert told(file_with(), after)[where] == found


def test_a_role_is_known_by_its_name_wherever_it_stands() -> None:
    before, after = (
        file_with(models=[*STACK["models"], FAST]),
        file_with(models=[{**FAST, "context": 32768}, *STACK["models"]]),
    )

    assert told(before, after) == {}


def test_what_is_taken_away_is_told_too() -> None:
    before = file_with(check={"strict": True})

    assert told(before, file_with()) == {"platform.check": "{'strict': True} is gone"}


def test_eager_mode_is_told_with_what_it_costs() -> None:
    (problem,) = people_decide(Platform, file_with(), file_with(model={"extraArgs": ["--enforce_eager"]}))

    assert problem.why == (
        "a person decides it: it goes beyond what is sized and checked (--enforce-eager: each token takes longer "
        "without CUDA graphs; the memory that they would take is in the KV cache)"
    )


def test_a_new_stack_is_for_a_person_from_the_first_line_on() -> None:
    assert {"platform.hardware", "platform.access", "platform.models[0].role"} <= set(told(None, file_with()))


@pytest.mark.parametrize(
    "content", [[], "text", {"config": []}, {"config": {PLATFORM: {"models": [3, "x"]}}}]
)
def test_content_of_any_shape_is_compared_without_a_crash(content: object) -> None:
    told(file_with(), content)
    told(content, file_with())
