"""Options that do harm together: the data, what the plan makes of a role that meets them, and what it tells."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput
from onprem_agents.plan import ServingPlan
from onprem_agents.vllm import field_of, known_releases, load_release, parse_argv
from tests.unit.manifest_samples import planned
from tests.unit.part_samples import server

pytestmark = pytest.mark.unit

CONFLICTS = {conflict.name: conflict for conflict in load_catalog().conflicts}
QWEN, GEMMA = "Qwen/Qwen3.6-27B-FP8", "google/gemma-4-12B-it-qat-w4a16-ct"


def coder(model: str = QWEN, *, release: str | None = None, **role: Any) -> ServingPlan:
    serving = {} if release is None else {"vllm": release}
    return planned(model={"model": model, **role}, serving=serving).main


def conflicts_told(serving: ServingPlan) -> list[str]:
    return [note for note in serving.notes if "vllm-project/vllm#" in note]


@pytest.mark.parametrize("conflict", CONFLICTS.values(), ids=CONFLICTS.keys())
def test_a_conflict_names_options_and_families_that_exist(conflict: Any) -> None:
    families = {model.family for model in load_catalog().models}

    assert set(conflict.families) <= families
    assert all(field_of(side.option) for side in conflict.sides)
    # An option of a time when no release has it could never be met.
    known = [set(load_release(release).options()) for release in known_releases()]
    assert all(any(side.option in options for options in known) for side in conflict.sides)


def test_where_the_stack_leaves_the_cache_open_guessing_ahead_gives_way_and_the_plan_says_so() -> None:
    serving = coder(speculativeTokens=3)

    assert serving.flags.enable_prefix_caching is True
    assert serving.flags.speculative_config is None
    assert "--speculative-config" not in serving.argv
    (note,) = conflicts_told(serving)
    assert note.startswith("platform.models[0].speculativeTokens 3 is left out: beside")
    assert "vllm-project/vllm#53912" in note
    assert "read 2026-11-29" in note
    assert "set platform.models[0].prefixCaching to false" in note


def test_what_gave_way_takes_no_memory() -> None:
    assert coder(speculativeTokens=3).fit == coder().fit


def test_without_the_cache_of_prompts_the_model_guesses_ahead() -> None:
    serving = coder(speculativeTokens=3, prefixCaching=False)

    assert serving.flags.speculative_config == {"method": "mtp", "num_speculative_tokens": 3}
    assert "--no-enable-prefix-caching" in serving.argv
    assert not conflicts_told(serving)


def test_where_the_stack_says_both_both_are_kept_with_a_warning() -> None:
    serving = coder(speculativeTokens=3, prefixCaching=True)

    assert serving.flags.speculative_config is not None
    assert serving.flags.enable_prefix_caching is True
    (note,) = conflicts_told(serving)
    assert note.startswith(
        "platform.models[0].prefixCaching true and platform.models[0].speculativeTokens 3 are both kept"
    )


def test_a_component_is_told_of_its_own_arguments() -> None:
    (note,) = [note for note in server(speculativeTokens=3).notes if "left out" in note]

    assert note.startswith("speculativeTokens 3 is left out: beside prefixCaching,")
    assert "set prefixCaching to false" in note
    assert "platform." not in note


def test_a_model_of_another_family_meets_nothing() -> None:
    serving = coder("Qwen/Qwen3-Coder-Next", precision="int4", speculativeTokens=2)

    assert serving.flags.speculative_config is not None
    assert not conflicts_told(serving)


def test_the_states_of_a_hybrid_that_keeps_no_prompts_take_less_memory() -> None:
    assert coder(prefixCaching=False).fit.kv_per_session_gib < coder().fit.kv_per_session_gib


def test_a_model_that_sees_loads_its_encoder_and_the_contract_tells_so() -> None:
    plan = planned(model={"vision": True})
    argv = plan.main.argv

    assert "--language-model-only" not in argv
    assert argv[argv.index("--allowed-media-domains") + 1] == "no-download.invalid"
    assert [term.name for term in plan.main.fit.terms if "encoder" in term.name]
    assert plan.connection.roles[0].vision is True


@pytest.mark.parametrize("release", ["0.12.0", "0.17.1", "0.33.0"])
def test_every_release_takes_the_options_of_a_model_that_sees(release: str) -> None:
    serving = coder("Qwen/Qwen3-VL-8B-Instruct-FP8", release=release, vision=True)
    parsed = parse_argv(serving.argv, release=release)

    assert not parsed.unknown
    assert not parsed.problems
    assert parsed.flags.allowed_media_domains == ("no-download.invalid",)


def test_a_batch_with_images_holds_a_whole_one_where_the_model_needs_that() -> None:
    # vLLM 0.33.0 refuses an explicit batch below it (encoder_cache_manager.py).
    assert coder(GEMMA, vision=True).flags.max_num_batched_tokens == 2496
    assert coder(GEMMA).flags.max_num_batched_tokens == 2048
    assert coder("google/gemma-4-E4B-it", vision=True).flags.max_num_batched_tokens == 2048


def test_a_batch_too_small_for_an_image_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        coder(GEMMA, vision=True, maxNumBatchedTokens=2048)

    (problem,) = caught.value.problems
    assert problem.where == "platform.models[0].maxNumBatchedTokens"
    assert problem.cause == "contradiction"
    assert problem.found.endswith("vision true and platform.models[0].maxNumBatchedTokens 2048")
    assert "one whole image" in problem.why
    assert problem.fix.startswith("leave out platform.models[0].maxNumBatchedTokens")


def test_images_are_refused_of_a_model_that_has_no_encoder() -> None:
    with pytest.raises(InvalidInput) as caught:
        coder("Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", vision=True)

    (problem,) = caught.value.problems
    assert problem.where == "platform.models[0].vision"
    assert "no encoder of images" in problem.why
