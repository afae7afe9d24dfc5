"""The cluster's release of KServe decides words, images and warnings; a release that cannot serve is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from onprem_agents.catalog import KserveRelease, load_catalog
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import bundles, render
from onprem_agents.manifests.inference_service import REPLACED
from onprem_agents.plan import plan_stack
from tests.unit.manifest_samples import STACK, of_kind, planned
from tests.unit.part_samples import server

_MODE = "serving.kserve.io/deploymentMode"
_CLASS = "serving.kserve.io/autoscalerClass"


def service(**serving: Any) -> dict[str, Any]:
    return of_kind(render(planned(serving=serving)), "InferenceService")["coder"]


def refused(value: object) -> Problem:
    with pytest.raises(InvalidInput) as caught:
        plan_stack(STACK | {"serving": {"kserve": value}}, stack="test")
    (problem,) = caught.value.problems
    assert problem.where == "platform.serving.kserve"
    return problem


# The words of pkg/constants/constants.go of each release; those of 0.15 are all that OpenShift AI 3.0 knows.
@pytest.mark.parametrize(
    ("release", "mode", "word"),
    [
        ("0.15", "Standard", "RawDeployment"),
        ("0.15.1", "Standard", "RawDeployment"),
        ("0.15.2", "Knative", "Serverless"),
        ("0.16.0", "Standard", "Standard"),
        ("0.16", "Knative", "Knative"),
        ("0.20.0", "Standard", "Standard"),
        ("0.21.0", "Knative", "Knative"),
        ("1.0", "Standard", "Standard"),
        (None, "Standard", "Standard"),
    ],
)
def test_the_mode_is_written_in_the_words_of_the_release(release: str | None, mode: str, word: str) -> None:
    annotations = service(mode=mode, **({"kserve": release} if release else {}))["metadata"]["annotations"]

    assert annotations[_MODE] == word
    assert (_CLASS in annotations) == (mode == "Standard"), "the words change nothing else"


@pytest.mark.parametrize(
    ("release", "tag"),
    [
        (None, "v0.20.0"),
        ("0.15", "v0.15.2"),
        ("0.15.1", "v0.15.1"),
        ("0.17", "v0.17.1"),
        ("0.21", "v0.21.0"),
        ("0.21.2", "v0.21.2"),
    ],
)
def test_weights_are_downloaded_with_the_image_of_the_release(release: str | None, tag: str) -> None:
    (download,) = service(**({"kserve": release} if release else {}))["spec"]["predictor"]["initContainers"]

    assert download["image"] == f"kserve/storage-initializer:{tag}"


def test_a_server_that_stands_alone_takes_the_release_too() -> None:
    assert server(kserve="0.15").mode_in_its_words == "RawDeployment"
    assert server().mode_in_its_words == "Standard"


@pytest.mark.parametrize("release", ["0.14", "0.14.1", "0.15.0", "0.9"])
def test_a_release_that_refuses_our_objects_is_refused_with_what_to_upgrade_to(release: str) -> None:
    problem = refused(release)

    assert problem.cause == "release-too-old"
    assert "before 0.15.1" in problem.why
    assert "to 0.20.0" in problem.fix


@pytest.mark.parametrize("number", [0.15, 0.2, 1])
def test_a_release_without_quotes_is_refused_because_yaml_cuts_it(number: float) -> None:
    problem = refused(number)

    assert problem.found == repr(number)
    assert "0.20 is the same as 0.2" in problem.why
    assert "in quotes" in problem.fix


@pytest.mark.parametrize("text", ["v0.20.0", "0", "latest", "0.20.0-rc1", "0.20 ", ""])
def test_what_is_no_release_is_refused_with_one_that_is(text: str) -> None:
    assert "0.20.0 or 0.20" in refused(text).fix


def test_a_fault_of_the_release_in_the_mode_is_told_by_the_plan() -> None:
    told = planned(serving={"mode": "Knative", "kserve": "0.19.0"}).notes

    assert any(
        "KServe 0.19.0 in mode Knative" in note and "kserve#5793, read 2026-11-28" in note for note in told
    )
    for fine in ({"mode": "Knative"}, {"kserve": "0.19.0"}, {"mode": "Knative", "kserve": "0.20.0"}):
        assert not any("KServe" in note for note in planned(serving=fine).notes)


def test_the_newest_that_was_tried_is_taken_where_none_is_said() -> None:
    releases = load_catalog().kserve_releases

    assert load_catalog().kserve(None).release == "0.20.0"
    assert [each.release for each in releases] == sorted(
        (each.release for each in releases), key=lambda text: [int(part) for part in text.split(".")]
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"spelling": {"Standard": "Standard"}},
        {"release": "0.20"},
        {"modes": []},
    ],
)
def test_an_entry_that_contradicts_itself_is_no_entry(changes: dict[str, Any]) -> None:
    entry = load_catalog().kserve(None).model_dump() | changes

    with pytest.raises(ValidationError):
        KserveRelease.model_validate(entry)


def changed(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """Return the properties of the annotations in which two servers differ, as the engine names them."""
    left, right = one["metadata"]["annotations"], other["metadata"]["annotations"]
    return {f'metadata.annotations["{key}"]' for key in left | right if left.get(key) != right.get(key)}


def test_a_change_of_the_mode_replaces_the_server_and_another_word_for_it_does_not() -> None:
    (declared,) = (
        each for bundle in bundles(planned()) for each in bundle.objects if bundle.group == "model-server"
    )
    assert declared.replace_on_changes == REPLACED
    own = {name for name in REPLACED if "serving.kserve.io" in name}
    assert own

    for release in ("0.15", "0.20"):
        other_mode = changed(service(kserve=release), service(kserve=release, mode="Knative"))
        assert other_mode >= own
    other_word = changed(service(kserve="0.15"), service(kserve="0.16"))
    assert other_word == {f'metadata.annotations["{_MODE}"]'}
    assert not other_word & set(REPLACED)
