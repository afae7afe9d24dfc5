"""What a plan tells of the model it serves: licences to accept, the maker's sampling, and models that call no tools."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.errors import InvalidInput
from onprem_agents.plan import ServingPlan, plan_stack

pytestmark = pytest.mark.unit

GATED = "meta-llama/Llama-3.3-70B-Instruct"
MUTE = [model for model in load_catalog().models if model.tool_call_parser is None]


def planned(model: str, serving: dict[str, Any] | None = None, **role: object) -> ServingPlan:
    raw = {
        "hardware": {"accelerator": "H200", "gpusPerNode": 8},
        "models": [{"role": "coder", "model": model, **role}],
        "serving": serving or {},
        "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
    }
    return plan_stack(raw, stack="test").main


def test_a_gated_model_says_which_licence_to_accept_and_where_its_token_goes() -> None:
    notes = " ".join(planned(GATED, precision="bf16").notes)
    assert "gated" in notes
    assert "licence" in notes
    assert "platform.serving.storageSecret" in notes


def test_a_token_that_is_named_is_not_asked_for() -> None:
    notes = " ".join(planned(GATED, {"storageSecret": "hf-token"}, precision="bf16").notes)
    assert "gated" in notes
    assert "storageSecret" not in notes


@pytest.mark.parametrize(
    ("model", "role"),
    [
        ("Qwen/Qwen3.6-27B-FP8", {}),
        (GATED, {"precision": "bf16", "source": "pvc://models/llama-3.3-70b"}),
        (GATED, {"precision": "fp8"}),
    ],
    ids=["open", "from a volume", "a copy of another maker"],
)
def test_weights_that_anyone_may_take_or_that_are_there_ask_for_nothing(
    model: str, role: dict[str, Any]
) -> None:
    notes = " ".join(planned(model, {}, **role).notes)

    assert "licence" not in notes
    assert "storageSecret" not in notes


def test_the_makers_sampling_is_told_and_a_stacks_own_temperature_set_against_it() -> None:
    told = " ".join(planned("Qwen/Qwen3.6-27B-FP8").remarks)
    assert "temperature 0.6, top_p 0.95, top_k 20" in told
    own = " ".join(planned("Qwen/Qwen3.6-27B-FP8", temperature=0.0).remarks)
    assert "the stack's temperature 0 stands before" in own


def test_tables_in_the_hosts_memory_are_counted_in_the_pods() -> None:
    serving = planned("Qwen/Qwen3.8-Flash-Next")
    # 51.2 billion parameters of n-gram tables, a byte each; 12 GiB, a quarter of the weights and shared memory besides.
    assert serving.resources.memory_gib >= 48 + 12
    assert serving.resources.download_gib >= 48 + serving.variant.weights_gib


@pytest.mark.parametrize("model", MUTE, ids=lambda model: model.name)
def test_a_model_that_calls_no_tools_is_refused_with_one_that_does(model: Model) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(model.name)
    (problem,) = [one for one in caught.value.problems if "tool-call parser" in one.why]
    instead = load_catalog().model(problem.fix.removeprefix("set platform.models[0].model to "))
    assert instead.tool_call_parser is not None
    assert planned(instead.name).model.name == instead.name


def test_a_parser_of_the_stacks_own_lets_such_a_model_through() -> None:
    assert planned("Phi-4", toolCallParser="hermes").flags.tool_call_parser == "hermes"
