"""The KV arithmetic against the committed answers of older planners, which tests/planner makes anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import fit
from tests.planner import releases
from tests.planner.golden import LIMIT, planned_request

pytestmark = pytest.mark.unit

_WHATEVER_THE_MEMORY = {"cannot-be-split", "cache-type-unsupported"}

KNOWN: dict[tuple[str, str], str] = {}
"""Release and model whose figures are off by more than `golden.LIMIT`, each with its reason; none else is.

A difference that is gone fails the test as a new one does: the line goes with it.
"""


def _answers(release: str) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = releases.committed()["releases"][release]
    return answers


def _off(release: str) -> dict[tuple[str, str], float]:
    """Return the largest difference of each model that is too far off."""
    found: dict[tuple[str, str], float] = {}
    for figure in releases.figures(release, _answers(release)):
        if figure.difference > LIMIT:
            key = (release, figure.model)
            found[key] = max(found.get(key, 0.0), round(figure.difference, 4))
    return found


def test_each_release_is_within_one_percent_but_for_what_is_known() -> None:
    off = {key: share for release in releases.RELEASES for key, share in _off(release).items()}
    assert set(off) == set(KNOWN), off


def test_what_a_release_refuses_whatever_the_memory_is_refused_here() -> None:
    unlike = set()
    for release in releases.RELEASES:
        for entry in _answers(release):
            model = load_catalog().model(entry["name"])
            for name, plan in entry["plans"].items():
                request = planned_request(
                    model, name, vllm=release, batched_tokens=entry["batched_tokens"] or 2048
                )
                # The planned model is not quantised, so it has no blocks that a slice could cut.
                request = replace(request, variant=request.variant.model_copy(update={"weight_block": None}))
                causes = {refusal.cause for refusal in fit(request).refusals}
                if bool(causes & _WHATEVER_THE_MEMORY) != ("refused" in plan):
                    unlike.add((release, model.name, name))
    assert unlike == set()


def test_every_kind_of_model_that_a_release_serves_was_put_to_it() -> None:
    for release in releases.RELEASES:
        put = {releases.kind_of(load_catalog().model(entry["name"])) for entry in _answers(release)}
        served = {releases.kind_of(model) for model in releases.models_of(release)}
        assert put == served, release


def test_no_plan_failed_for_what_it_ran_with() -> None:
    failed = [
        (release, entry["name"], name, plan["failed"])
        for release in releases.RELEASES
        for entry in _answers(release)
        for name, plan in entry["plans"].items()
        if "failed" in plan
    ]
    assert failed == []


def test_enough_figures_were_compared_that_a_rule_of_one_release_would_show() -> None:
    counted = {
        release: len(list(releases.figures(release, _answers(release)))) for release in releases.RELEASES
    }
    assert min(counted.values()) >= 400, counted
