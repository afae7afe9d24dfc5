"""What public benchmarks say of each model: whose figure, from where and when, or why there is none."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.cli import main

pytestmark = pytest.mark.unit

MODELS = load_catalog().models
FIGURE = {
    "benchmark": "SWE-bench Verified",
    "score": 50.0,
    "by": "maker",
    "source": {"where": "a model card", "read": "2026-11-29"},
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_model_has_a_figure_with_source_and_date_or_a_reason_for_none(model: Model) -> None:
    assert bool(model.quality) != (model.unrated is not None)
    for figure in model.quality:
        assert 0 <= figure.score <= 100
        assert date(2026, 1, 1) <= figure.source.read <= date(2026, 12, 31)
        assert figure.source.where.strip()


def test_half_of_the_models_have_a_figure_and_45_that_of_the_ranking() -> None:
    assert sum(bool(model.quality) for model in MODELS) >= len(MODELS) / 2
    ranked = [model for model in MODELS if any(f.benchmark == "SWE-bench Verified" for f in model.quality)]
    assert len(ranked) >= 45


@pytest.mark.parametrize(
    "changed",
    [
        {"quality": [], "unrated": None},
        {"quality": [FIGURE], "unrated": "none-found"},
        {"quality": [FIGURE, FIGURE], "unrated": None},
        {"quality": [{**FIGURE, "score": 100.1}], "unrated": None},
        {"quality": [{**FIGURE, "benchmark": "an unknown one"}], "unrated": None},
    ],
    ids=["nothing", "both", "twice", "over-100", "unknown"],
)
def test_a_figure_that_says_nothing_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate({**MODELS[0].model_dump(mode="json"), **changed})


def test_the_entry_of_a_model_tells_the_figure_its_hand_and_its_source() -> None:
    told = CliRunner().invoke(main, ["catalog", "Qwen3.6-27B"]).output
    assert "SWE-bench Verified 77.2 %, measured by its maker" in told
    assert "(Qwen3.6-27B model card, read 2026-11-29)" in told
    assert "OpenHands Index (OpenHands v1.17.0" in CliRunner().invoke(main, ["catalog", "GLM-5.1"]).output
    assert "no public figure" in CliRunner().invoke(main, ["catalog", "Phi-4"]).output


def test_the_list_of_models_tells_the_figure_of_each() -> None:
    listed = CliRunner().invoke(main, ["catalog"]).output
    assert "quality: SWE-bench Verified" in listed
    assert "77.2" in listed
    assert "TB 73.0" in listed  # Qwen3.8-27B, which nobody measured on SWE-bench Verified
    assert "≥" not in listed
    (model,) = (
        one
        for one in json.loads(CliRunner().invoke(main, ["catalog", "--json"]).output)["models"]
        if one["name"] == "Qwen3.6-27B"
    )
    assert model["quality"][0]["score"] == 77.2
