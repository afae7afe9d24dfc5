"""The ranking of `advise` by quality: told by one benchmark, and by figures that the output shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.advice.quality import RANKING, quality_of, standings
from onprem_agents.catalog import Model, load_catalog
from onprem_agents.cli import main

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
SOURCE = {"where": "a model card", "read": "2026-11-29"}


def rated(name: str, *figures: tuple[str, float, str]) -> Model:
    """Return a model with that name and those figures: benchmark, score, who measured."""
    quality = [
        {"benchmark": benchmark, "score": score, "by": by, "source": SOURCE}
        for benchmark, score, by in figures
    ]
    values = {**CATALOG.models[0].model_dump(mode="json"), "name": name, "quality": quality}
    return Model.model_validate({**values, "unrated": None if figures else "none-found"})


def placed(*models: Model) -> dict[str, str]:
    """Return where each of these models stands, as a table shows it, the best first."""
    found = standings(models)
    return {
        name: str(found[name]) for name in sorted(found, key=lambda name: found[name].order, reverse=True)
    }


def test_the_makers_figure_comes_before_higher_ones_of_others() -> None:
    model = rated("one", (RANKING, 60.0, "OpenHands Index"), (RANKING, 58.0, "maker"))
    assert placed(model) == {"one": "58.0"}


def test_without_the_makers_figure_someone_elses_counts() -> None:
    assert placed(rated("one", (RANKING, 40.0, "Uni-Agent"), (RANKING, 42.0, "rival"))) == {"one": "42.0"}


def test_what_is_inferred_comes_after_all_that_was_measured_by_the_best_that_it_is_not_behind() -> None:
    high = rated("high", (RANKING, 80.0, "maker"), ("Terminal-Bench 2.1", 70.0, "maker"))
    low = rated("low", (RANKING, 70.0, "maker"), ("Terminal-Bench 2.1", 60.0, "maker"))
    new = rated("new", ("Terminal-Bench 2.1", 65.0, "maker"))
    newer = rated("newer", ("Terminal-Bench 2.1", 66.0, "maker"))
    assert list(placed(new, low, newer, high).items()) == [
        ("high", "80.0"),
        ("low", "70.0"),
        ("newer", "TB 66.0"),
        ("new", "TB 65.0"),
    ]
    assert standings([new, low, high])["new"].over == "low"


def test_a_figure_of_another_hand_is_not_raised_by_a_shared_benchmark() -> None:
    high = rated("high", (RANKING, 80.0, "maker"), ("SWE-bench Pro", 50.0, "maker"))
    other = rated("other", (RANKING, 60.0, "OpenHands Index"), ("SWE-bench Pro", 90.0, "maker"))
    assert placed(other, high) == {"high": "80.0", "other": "60.0"}


def test_figures_of_different_benchmarks_or_hands_place_nothing() -> None:
    known = rated("known", (RANKING, 70.0, "maker"), ("Terminal-Bench 2.1", 60.0, "maker"))
    for figure in (
        ("Terminal-Bench 2.1", 99.0, "another"),
        ("SWE-bench Pro", 99.0, "maker"),
        ("Terminal-Bench Hard", 99.0, "Artificial Analysis"),
        ("LiveCodeBench", 99.0, "maker"),
    ):
        assert placed(known, rated("new", figure)) == {"known": "70.0"}
    assert placed(known, rated("behind", ("Terminal-Bench 2.1", 59.9, "maker"))) == {"known": "70.0"}


def test_a_makers_figure_is_not_raised_by_a_shared_benchmark() -> None:
    high = rated("high", (RANKING, 80.0, "maker"), ("Terminal-Bench 2.1", 50.0, "maker"))
    other = rated("other", (RANKING, 60.0, "maker"), ("Terminal-Bench 2.1", 90.0, "maker"))
    assert placed(other, high) == {"high": "80.0", "other": "60.0"}


def test_the_figure_that_says_most_is_the_first_of_a_model() -> None:
    figure = quality_of(CATALOG.model("Qwen3.6-27B"))
    assert figure is not None
    assert (figure.benchmark, figure.by) == (RANKING, "maker")
    assert quality_of(rated("none")) is None


def ranked(gpu: str, count: int) -> list[dict[str, Any]]:
    """Return what `advise --json` lists for twenty developers."""
    words = ["advise", "--gpu", gpu, "--count", str(count), "--developers", "20", "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout))


@pytest.mark.parametrize(("gpu", "count"), [("L40S", 4), ("H200", 8), ("RTX-5090", 2)])
def test_the_order_is_explained_by_the_figures_that_are_shown(gpu: str, count: int) -> None:
    listed = ranked(gpu, count)
    held = [one for one in listed if one["sessions"] >= 20]
    assert held == listed[: len(held)]
    broken = [sum(said == "no" for said in one["agents"].values()) for one in held]
    marks = [
        (one["quality"].get("rankedAt") or -1.0, (one["quality"].get("notBehind") or {}).get("score", -1.0))
        for one, failing in zip(held, broken, strict=True)
        if failing <= sum(said == "yes" for said in one["agents"].values())
    ]
    assert marks == sorted(marks, reverse=True)
    assert marks[0][0] > 0
    for one in held:
        figure = one["quality"]
        if "rankedAt" not in figure:
            assert figure.get("unrated") or figure["benchmark"] != RANKING
        elif figure["rankedAt"] is None:
            assert figure["benchmark"] != RANKING
            assert figure["notBehind"]["model"]
        else:
            assert (figure["benchmark"], figure["score"]) == (RANKING, figure["rankedAt"])
        assert "unrated" in figure or figure["source"]["where"]


def test_the_table_shows_the_figure_and_the_reasons_whose_it_is() -> None:
    told = CliRunner().invoke(main, ["advise", "--gpu", "L40S", "--count", "4", "--developers", "20"]).output
    first = ranked("L40S", 4)[0]
    assert f"{first['quality']['rankedAt']:.1f}" in told
    assert "≥" not in told
    assert f"quality: % of {RANKING}" in told
    assert any(first["quality"]["source"]["where"] in reason for reason in first["reasons"])


def test_the_best_inferred_model_is_named_with_its_source_where_the_table_ends_before_it() -> None:
    told = CliRunner().invoke(main, ["advise", "--gpu", "H100", "--count", "2", "--developers", "20"]).output
    inferred = next(one for one in ranked("H100", 2) if one["quality"].get("notBehind"))

    (line,) = [line for line in told.splitlines() if inferred["model"] in line]
    assert inferred["quality"]["source"]["where"] in line
    assert f"read {inferred['quality']['source']['read']}" in line
    assert f"not measured on {RANKING}, so after all that were" in line
