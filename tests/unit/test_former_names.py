"""Names that people bring along from documents, other engines and older releases get an answer that helps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.catalog import FormerModel, load_catalog
from onprem_agents.cli import main
from onprem_agents.errors import FormerName, InvalidInput, Problem, UnknownFact
from onprem_agents.plan import plan_stack

pytestmark = pytest.mark.unit

CATALOG = load_catalog()

# Every model that the platform's how-to names: its table of GGUF builds, and its recipes, tables and samples.
BUILDS = {
    "unsloth/gemma-4-E2B-it-qat-GGUF": "gemma-4-E2B",
    "unsloth/gemma-4-E4B-it-qat-GGUF": "gemma-4-E4B",
    "unsloth/gemma-4-12b-it-GGUF": "gemma-4-12B",
    "unsloth/gemma-4-26B-A4B-it-GGUF": "gemma-4-26B-A4B",
    "unsloth/gemma-4-31B-it-GGUF": "gemma-4-31B",
    "unsloth/Qwen3.6-27B-GGUF": "Qwen3.6-27B",
    "unsloth/Qwen3.6-27B-MTP-GGUF": "Qwen3.6-27B",
    "unsloth/Qwen3.6-35B-A3B-MTP-GGUF": "Qwen3.6-35B-A3B",
    # of its later edition
    "unsloth/Qwen3.6-35B-A3B-GGUF": "Qwen3.6-35B-A3B",
    "unsloth/gemma-4-31b-it-GGUF": "gemma-4-31B",
    "unsloth/GLM-5.2-GGUF": "GLM-5.2",
}
SAMPLES = ("qwen-2", "openai/qwen-2", "onprem/qwen-2")
MODELS = {
    "Qwen/Qwen3-8B": "Qwen3-8B",
    "Qwen/Qwen3-0.6B": "Qwen3-0.6B",
    "Qwen/QwQ-32B": "QwQ-32B",
    "QwQ-32B": "QwQ-32B",
    "DeepSeek R1": "DeepSeek-R1",
    "deepseek-ai/DeepSeek-R1": "DeepSeek-R1",
    "DeepSeek-R1-0528": "DeepSeek-R1-0528",
    "Hunyuan-A13B-Instruct": "Hunyuan-A13B",
    "Command A Reasoning": "Command-A-Reasoning",
    "gemma-4-E2B": "gemma-4-E2B",
    "gemma-4-E4B": "gemma-4-E4B",
    "gemma-4-12B": "gemma-4-12B",
    "Gemma 4-26B-A4B": "gemma-4-26B-A4B",
    "gemma-4-31B": "gemma-4-31B",
    "Qwen3.6-27B": "Qwen3.6-27B",
    "Qwen3.6-35B-A3B": "Qwen3.6-35B-A3B",
    "Qwen3-Coder-480B-A35B": "Qwen3-Coder-480B-A35B",
    "Qwen3-Coder-30B-A3B": "Qwen3-Coder-30B-A3B",
}
FAMILIES = ("Qwen2.5", "Qwen3", "Qwen3.6", "Qwen3-Coder", "Gemma-4", "Hunyuan", "Llama-3", "Mistral")
TAGS = {
    "qwen2.5-coder:32b": "Qwen2.5-Coder-32B",
    "qwen2.5-coder:7b-instruct-q4_K_M": "Qwen2.5-Coder-7B",
    "qwen3:8b": "Qwen3-8B",
    "qwen3-coder:30b": "Qwen3-Coder-30B-A3B",
    "qwen3-coder:480b-cloud": "Qwen3-Coder-480B-A35B",
    "llama3.1:8b": "Llama-3.1-8B",
    "gemma3:27b": "gemma-3-27b",
    "gemma4:12b": "gemma-4-12B",
    "gpt-oss:20b": "gpt-oss-20b",
    "glm-4.7-flash:latest": "GLM-4.7-Flash",
    "hf.co/unsloth/Qwen3.6-27B-GGUF:Q4_K_M": "Qwen3.6-27B",
    "bartowski/Qwen2.5-Coder-32B-Instruct-GGUF": "Qwen2.5-Coder-32B",
    "unsloth/Qwen3-32B-UD-Q4_K_XL.gguf": "Qwen3-32B",
    "mlx-community/Qwen3-8B-4bit": "Qwen3-8B",
    "turboderp/Qwen3-8B-exl3-4.0bpw": "Qwen3-8B",
}


def raw(models: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "hardware": {"accelerator": "H200", "gpusPerNode": 8},
        "models": [{"role": "coder"} | model for model in models],
        "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
    } | more


def refused(settings: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        plan_stack(settings, stack="test")
    return caught.value.problems


@pytest.mark.parametrize(("name", "model"), [*BUILDS.items(), *TAGS.items()])
def test_a_file_of_another_engine_is_answered_with_the_model_to_take(name: str, model: str) -> None:
    with pytest.raises(FormerName) as caught:
        CATALOG.model(name)

    assert caught.value.became
    assert CATALOG.model(caught.value.instead[0]).name == model


@pytest.mark.parametrize("name", [*BUILDS, *SAMPLES, "qwen2.5-coder:32b", "devstral", "deepseek-r1:32b"])
def test_plan_refuses_it_with_a_setting_that_plans(name: str) -> None:
    (problem,) = refused(raw([{"model": name}]))

    assert (problem.where, problem.cause) == ("platform.models[0].model", "former-name")
    first, *_ = problem.fix.removeprefix("set platform.models[0].model to ").split(" or ")
    assert plan_stack(raw([{"model": first}]), stack="test").main.variant is not None


def test_a_stack_with_other_problems_tells_this_one_too() -> None:
    problems = refused(raw([{"model": "unsloth/Qwen3.6-27B-GGUF", "replicas": "many"}]))
    assert {problem.cause for problem in problems} == {"bad-value", "former-name"}


@pytest.mark.parametrize("name", [*BUILDS, *SAMPLES, "qwen2.5-coder:32b"])
@pytest.mark.parametrize("arguments", [["fit", "NAME", "--gpu", "L40S"], ["catalog", "NAME"]])
def test_fit_and_catalog_say_the_same(name: str, arguments: list[str]) -> None:
    arguments = [name if word == "NAME" else word for word in arguments]
    done = CliRunner().invoke(main, arguments)
    as_json = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)

    assert done.exit_code == 1
    assert "; take " in done.output
    assert "unknown" not in done.output
    assert as_json["error"] == "FormerName"
    assert as_json["instead"]
    assert "read 2026-" in as_json["source"]


@pytest.mark.parametrize(("name", "model"), MODELS.items())
def test_a_model_that_is_served_is_found_by_the_name_that_the_how_to_gives_it(name: str, model: str) -> None:
    assert CATALOG.model(name).name == model


@pytest.mark.parametrize("name", FAMILIES)
def test_the_name_of_a_family_is_answered_with_members_that_agents_can_work_with(name: str) -> None:
    with pytest.raises(UnknownFact) as caught:
        CATALOG.model(name)

    offered = caught.value.hint.removeprefix("did you mean ").partition("?")[0].split(" or ")
    assert len(offered) in range(1, 4)
    for each in offered:
        assert each.casefold().startswith(name.casefold())
        assert CATALOG.model(each).tool_call_parser is not None


@pytest.mark.parametrize("name", ["nonsense", "zzz", "Qwen/Qwen9-999B", "", "日本語"])
def test_an_unknown_name_is_answered_with_three_names_and_the_command_that_lists_all(name: str) -> None:
    with pytest.raises(UnknownFact) as caught:
        CATALOG.model(name)

    assert not isinstance(caught.value, FormerName)
    assert caught.value.hint.endswith("('onprem-agents catalog' lists all)")
    assert len(caught.value.hint) < 200


@pytest.mark.parametrize(
    ("settings", "where", "fix"),
    [
        (
            raw([{"model": "Qwen3.6-27B"}], serving={"mode": "RawDeployment"}),
            "platform.serving.mode",
            "set platform.serving.mode to Standard",
        ),
        (
            raw([{"model": "Qwen3.6-27B"}], serving={"mode": "Serverless"}),
            "platform.serving.mode",
            "set platform.serving.mode to Knative",
        ),
        (
            raw([{"model": "Qwen3.6-27B"}], serving={"mode": "ModelMesh"}),
            "platform.serving.mode",
            "set platform.serving.mode to Standard",
        ),
        (
            raw([{"model": "Qwen3.6-27B", "quantization": "gguf"}]),
            "platform.models[0].quantization",
            "leave it out; platform.models[0].precision",
        ),
        (
            raw([{"model": "Qwen3.6-27B", "precision": "gguf"}]),
            "platform.models[0].precision",
            "set platform.models[0].precision to int4",
        ),
        (
            raw([{"model": "Qwen3.6-27B", "precision": "Q4_K_M"}]),
            "platform.models[0].precision",
            "set platform.models[0].precision to int4",
        ),
        (
            raw([{"model": "Qwen3.6-27B", "precision": "awq"}]),
            "platform.models[0].precision",
            "set platform.models[0].precision to int4",
        ),
    ],
)
def test_settings_as_other_manifests_write_them_say_what_became_of_them(
    settings: dict[str, Any], where: str, fix: str
) -> None:
    (problem,) = refused(settings)

    assert (problem.where, problem.cause) == (where, "former-name")
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize(
    "former", CATALOG.former_models, ids=lambda former: (former.names or (former.marks,))[0]
)
def test_what_is_offered_instead_is_served_to_agents_and_nothing_served_is_called_former(
    former: FormerModel,
) -> None:
    for name in former.instead:
        assert CATALOG.model(name).tool_call_parser is not None, name
    sized = {name.casefold() for model in CATALOG.models for name in model.same_shape}
    for model in CATALOG.models:
        for name in (model.name, model.hf_id, *model.aliases, *(variant.hf_id for variant in model.variants)):
            assert not former.means(name), name
    assert not {name.casefold() for name in former.names} & sized


def test_no_name_is_told_twice() -> None:
    names = [name.casefold() for former in CATALOG.former_models for name in former.names]
    keys = [
        (former.key, value.casefold())
        for former in CATALOG.former_settings
        for value in former.values or ("anything",)
    ]
    assert sorted(names) == sorted(set(names))
    assert sorted(keys) == sorted(set(keys))


def test_the_whole_list_is_in_the_catalogues_json() -> None:
    told = json.loads(CliRunner().invoke(main, ["catalog", "--json"]).stdout)
    assert len(told["former_models"]) == len(CATALOG.former_models)
    assert {each["key"] for each in told["former_settings"]} >= {
        "platform.serving.mode",
        "platform.models.precision",
    }
