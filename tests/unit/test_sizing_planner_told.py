"""Batches, blocks and prefix caching that are told, and towers, against vLLM's committed answers (tests/planner)."""

from __future__ import annotations

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import fit
from tests.planner import golden, told
from tests.planner.golden import LIMIT
from tests.unit.fit_words import request_of

pytestmark = pytest.mark.unit

_TOWER_LIMIT = 0.01


def test_what_is_told_changes_the_cache_as_in_vllm() -> None:
    compared = list(told.figures(told.committed()))
    off = [(name, figure) for name, figure in compared if figure.difference > LIMIT]
    assert off == [], f"{len(off)} figures are off, the first is {off[0]}"
    # Each of five settings, seven models, TP 1 and 2, both dtypes, three lengths.
    assert len(compared) == 5 * 7 * 2 * 2 * 3


def test_what_is_told_matters_to_some_model() -> None:
    """A setting that changes no figure would be compared in vain."""
    plain = {
        (model, figure.plan, figure.context_tokens): figure.vllm
        for model in told.MODELS
        for figure in golden.figures(golden.committed())
        if figure.model == model and figure.what == "bytes"
    }
    changed = {
        name
        for name, figure in told.figures(told.committed())
        if figure.vllm != plain[figure.model, figure.plan, figure.context_tokens]
    }
    assert changed == set(told.SETTINGS)


def test_each_kind_of_model_was_planned_with_each_setting() -> None:
    asked = told.committed()["told"]
    assert set(asked) == set(told.SETTINGS)
    for name, entries in asked.items():
        assert [entry["name"] for entry in entries] == list(told.MODELS), name
        assert all("bytes" in plan for entry in entries for plan in entry["plans"].values()), name


@pytest.mark.parametrize("entry", told.committed()["seeing"], ids=lambda entry: entry["name"])
def test_a_tower_weighs_what_vllms_class_of_it_does(entry: dict[str, dict[str, int]]) -> None:
    architecture = load_catalog().model(str(entry["name"])).architecture
    assert architecture.vision_params * 2 == pytest.approx(entry["tower_bytes"]["1"], rel=_TOWER_LIMIT)


def test_a_tower_keeps_no_cache() -> None:
    for entry in told.committed()["seeing"]:
        for size in (1, 2):
            assert entry["request_bytes"][f"{size} eyes"] == entry["request_bytes"][f"{size} text"], entry[
                "name"
            ]


def test_the_catalogue_knows_the_batch_that_holds_one_item_and_vllm_refuses_a_smaller_one() -> None:
    for entry in told.committed()["seeing"]:
        model = load_catalog().model(entry["name"])
        least = model.image_batch_tokens
        # vLLM's default on a GPU of 48 GB is 2048; with the text part alone nothing is raised.
        assert entry["batch"] == max(2048, least or 0), entry["name"]
        assert entry["batch_text_only"] == 2048
        assert isinstance(entry["explicit"]["2048"], str) == (least is not None), entry["name"]
        assert entry["explicit"]["8192"] == 8192


def test_fit_raises_the_batch_with_images_and_refuses_a_smaller_one_as_vllm_does() -> None:
    for entry in told.committed()["seeing"]:
        words = (entry["name"], "--gpu", "L40S", "--images", "--vllm", "0.32.0")
        assert request_of(*words).batch_tokens == entry["batch"], entry["name"]
        for batch, answer in entry["explicit"].items():
            result = fit(request_of(*words, "--max-num-batched-tokens", batch))
            causes = {refusal.cause for refusal in result.refusals}
            assert ("batch-below-item" in causes) == isinstance(answer, str), (entry["name"], batch, causes)


TAKEN: dict[tuple[str, str, str], str] = {}
"""Release, model and told batch that vLLM refuses and we take, each with its reason; none else differs."""


def test_other_releases_raise_and_refuse_batches_as_said_but_for_what_is_known() -> None:
    unlike = set()
    for release, entries in told.committed()["seeing_elsewhere"].items():
        for entry in entries:
            words = (entry["name"], "--gpu", "L40S", "--images", "--vllm", release)
            for batch, answer in ({"none": entry["batch"]} | entry["explicit"]).items():
                request = request_of(
                    *words, *(() if batch == "none" else ("--max-num-batched-tokens", batch))
                )
                refused = "batch-below-item" in {refusal.cause for refusal in fit(request).refusals}
                if answer != request.batch_tokens and not (refused and isinstance(answer, str)):
                    unlike.add((release, entry["name"], batch))
    assert unlike == set(TAKEN)


def test_text_alone_raises_the_batch_where_a_release_does_not_notice_it() -> None:
    raised = {}
    for release, entries in told.committed()["seeing_elsewhere"].items():
        for entry in entries:
            request = request_of(entry["name"], "--gpu", "L40S", "--vllm", release)
            assert request.batch_tokens == entry["batch_text_only"], (release, entry["name"])
            raised[release, entry["name"]] = request.batch_tokens > 2048
    assert [key for key, is_raised in raised.items() if is_raised] == [("0.22.1", "gemma-4-31B")]


def test_fit_without_images_asks_for_the_plain_batch() -> None:
    for entry in told.committed()["seeing"]:
        assert request_of(entry["name"], "--gpu", "L40S", "--vllm", "0.32.0").batch_tokens == 2048
