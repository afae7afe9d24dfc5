"""What a plan tells of the model it serves: licences to accept, the maker's sampling, and models that call no tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.cli import main
from onprem_agents.errors import InvalidInput
from onprem_agents.plan import ServingPlan, plan_stack
from onprem_agents.plan.report import report

pytestmark = pytest.mark.unit

GATED = "meta-llama/Llama-3.3-70B-Instruct"
MUTE = [model for model in load_catalog().models if model.tool_call_parser is None]


def settings_of(
    model: str, serving: dict[str, Any], accelerator: str, role: dict[str, Any]
) -> dict[str, Any]:
    access = {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}}
    return {
        "hardware": {"accelerator": accelerator, "gpusPerNode": 8},
        "models": [{"role": "coder", "model": model, **role}],
        "serving": serving,
        "access": access | {"agents": []},  # some models have windows that no agent works in
    }


def planned(
    model: str, serving: dict[str, Any] | None = None, *, accelerator: str = "H200", **role: object
) -> ServingPlan:
    return plan_stack(settings_of(model, serving or {}, accelerator, role), stack="test").main


def test_a_gated_model_says_which_licence_to_accept_and_where_its_token_goes() -> None:
    notes = " ".join(planned(GATED, precision="bf16").notes)
    assert "gated" in notes
    assert "licence" in notes
    assert "platform.serving.storageSecret" in notes


def test_the_token_for_kserves_own_download_goes_to_an_account_of_its_jobs() -> None:
    def asked(**place: str) -> list[str]:
        cache = {"localModelCache": {"nodeGroup": "gpus", **place}}
        notes = planned(GATED, precision="bf16", cache=cache).notes
        return [note for note in notes if note.startswith("without a token")]

    (note,) = asked()
    assert "platform.models[].cache.localModelCache.serviceAccount" in note
    assert asked(serviceAccount="downloads") == []


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


def test_the_page_of_the_licence_is_told_with_the_secret_and_its_key() -> None:
    serving = planned(GATED, precision="bf16")
    notes = " ".join(serving.notes)
    assert f"https://huggingface.co/{GATED}" in notes
    assert "HF_TOKEN" in notes
    assert serving.licence_to_accept is not None
    copy = planned(GATED, precision="bf16", source="hf://acme/llama-3.3-70b-copy")
    assert copy.licence_to_accept is None


def test_every_gated_model_says_so_where_its_makers_own_weights_are_downloaded() -> None:
    gated = [model for model in load_catalog().models if model.gated and model.tool_call_parser is not None]
    assert len(gated) > 10
    for model in gated:
        for variant in model.variants:
            try:
                serving = planned(variant.hf_id, context=8192)
            except InvalidInput:  # a checkpoint of which these GPUs, or this vLLM, make nothing
                continue
            makers_own = serving.variant.hf_id.partition("/")[0] == model.hf_id.partition("/")[0]
            assert (serving.licence_to_accept is not None) == makers_own, variant.hf_id


NAMES = [
    pytest.param(model, name, id=name)
    for model in load_catalog().models
    if model.tool_call_parser is not None
    for name in dict.fromkeys((model.name, model.hf_id, *model.aliases))
]


@pytest.mark.parametrize(("model", "name"), NAMES)
def test_what_is_served_is_the_id_that_was_asked_or_the_plan_says_which_and_why(
    model: Model, name: str
) -> None:
    try:
        serving = planned(name, {}, accelerator="B300")
    except InvalidInput as error:
        serving, causes = None, {problem.cause for problem in error.problems}
    if serving is None:
        # Larger than eight of the largest GPUs, or without a release that takes it.
        assert causes & {"does-not-fit", "release-refuses", "does-not-split"}
        return

    assert serving.model.name == model.name
    assert serving.asked == name
    assert serving.source.uri == f"hf://{serving.variant.hf_id}"
    told = [
        note
        for note in serving.notes
        if note.startswith(f"asked {name}, serves {serving.variant.hf_id}, because ")
    ]
    assert len(told) == (0 if name == serving.variant.hf_id else 1)
    assert (serving.because is None) == (name == serving.variant.hf_id)


@pytest.mark.parametrize(
    ("model", "role", "told"),
    [
        ("Qwen/Qwen3.6-27B-FP8", {}, None),
        ("qwen/qwen3.6-27b-fp8", {}, None),
        (
            "Qwen3.6-27B-FP8",
            {},
            "asked Qwen3.6-27B-FP8, serves Qwen/Qwen3.6-27B-FP8, because that id leaves out its",
        ),
        (
            "Qwen/Qwen3.6-27B",
            {},
            "asked Qwen/Qwen3.6-27B, serves Qwen/Qwen3.6-27B-FP8, because the id of Qwen3.6-27B leaves its precision",
        ),
        (
            "Qwen/Qwen3.6-27B",
            {"precision": "int4"},
            "asked Qwen/Qwen3.6-27B, serves Lorbus/Qwen3.6-27B-int4-AutoRound, because it is the first checkpoint of",
        ),
        (
            "Qwen3.6-27B",
            {"precision": "fp8", "source": "hf://acme/our-own"},
            "asked Qwen3.6-27B, serves acme/our-own, because platform.models[].source names it; it is sized as Qwen/",
        ),
    ],
)
def test_the_reason_is_the_one_that_decided(model: str, role: dict[str, Any], told: str | None) -> None:
    asked = [note for note in planned(model, {}, **role).notes if note.startswith("asked ")]
    assert [note[: len(told or "")] for note in asked] == ([] if told is None else [told])


def test_render_and_the_report_say_it_too(tmp_path: Path) -> None:
    raw = settings_of("Qwen3.6-27B", {}, "H200", {})
    document = {"config": {"onprem-coding-agents:platform": raw}}
    (tmp_path / "Pulumi.asked.yaml").write_text(yaml.safe_dump(document))

    done = CliRunner().invoke(main, ["render", "asked", "--stacks", str(tmp_path)])
    told = report(plan_stack(raw, stack="asked"))["models"][0]

    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("coder: asked Qwen3.6-27B, serves Qwen/Qwen3.6-27B-FP8, because ")
    assert "asked Qwen3.6-27B" not in done.stdout
    assert "hf://Qwen/Qwen3.6-27B-FP8" in done.stdout
    assert (told["asked"], told["model"]) == ("Qwen3.6-27B", "Qwen/Qwen3.6-27B-FP8")
    assert told["because"].startswith("it is a name of Qwen/Qwen3.6-27B")


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
    raw = settings_of(model.name, {}, "H200", {})
    del raw["access"]["agents"]
    with pytest.raises(InvalidInput) as caught:
        plan_stack(raw, stack="test")
    (problem,) = [one for one in caught.value.problems if "tool-call parser" in one.why]
    instead = load_catalog().model(problem.fix.removeprefix("set platform.models[0].model to "))
    assert instead.tool_call_parser is not None
    assert planned(instead.name).model.name == instead.name


def test_a_parser_of_the_stacks_own_lets_such_a_model_through() -> None:
    assert planned("Phi-4", toolCallParser="hermes").flags.tool_call_parser == "hermes"
