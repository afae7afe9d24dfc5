"""The program of a trial: the stack's own, with what leads to the models redirected and nothing else."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

from embedded.gateway import redirect
from embedded.gateway.redirect import Redirect
from embedded.gateway.trial import remove_project, write_project
from onprem_agents.manifests import Manifest
from tests.components.recording import ALICE, BOB, SERVER, Recorder, exports, recorded
from tests.unit.manifest_samples import STACK

ROOT = Path(__file__).parents[2]
PREFIX = "onprem-coding-agents:"
BACKEND = "kubernetes:gateway.envoyproxy.io/v1alpha1:Backend"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return exports(monkeypatch)


def run(folder: Path, platform: object = STACK) -> Recorder:
    values = {
        f"{PREFIX}platform": json.dumps(platform),
        f"{PREFIX}developerKeys": json.dumps({"alice": ALICE, "bob": BOB}),
        f"{PREFIX}serverKey": SERVER,
    }
    set_all_config(values, [f"{PREFIX}developerKeys", f"{PREFIX}serverKey"])
    return recorded(lambda: runpy.run_path(str(folder / "__main__.py"), run_name="__main__"))


def declared(recorder: Recorder) -> dict[tuple[str, str], Any]:
    return {(item.typ, item.name): item.inputs for item in recorder.resources}


def test_only_routes_to_models_change_and_only_backends_are_added(
    exported: dict[str, Any], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    write_project(project, ROOT, Redirect(server="http://127.0.0.1:8000"))
    plain, outputs = declared(run(ROOT)), dict(exported)
    trial = declared(run(project))

    added = {(BACKEND, "trial-coder-predictor")}
    assert set(trial) - set(plain) == added
    assert set(plain) <= set(trial), "every resource keeps its name, so a state keeps every object"
    changed = {each for each in plain if json.dumps(trial[each]) != json.dumps(plain[each])}
    assert changed == {(ROUTE, "platform-ingress-coding-agents-agents")}
    assert exported == outputs, "developers are told the same"


def test_a_backend_comes_after_the_namespace(exported: dict[str, Any], tmp_path: Path) -> None:
    write_project(tmp_path / "project", ROOT, Redirect(server="http://127.0.0.1:8000"))
    recorder = run(tmp_path / "project")

    assert exported
    assert recorder.before("trial-coder-predictor") == {"platform-namespace"}


@pytest.mark.parametrize("place", [{"namespace": "elsewhere"}, {"name": "other"}])
def test_a_changed_object_that_the_program_does_not_declare_is_no_new_one(
    exported: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: dict[str, str]
) -> None:
    """Created anew it would stand beside the object that it was to change."""
    real = redirect.redirected

    def moved(*arguments: Any) -> list[Manifest]:
        return [
            each | {"metadata": each["metadata"] | place} if each["kind"] == "HTTPRoute" else each
            for each in real(*arguments)
        ]

    monkeypatch.setattr(redirect, "redirected", moved)
    write_project(tmp_path / "project", ROOT, Redirect(server="http://127.0.0.1:8000"))

    with pytest.raises(pulumi.RunError, match="the stack's program has no HTTPRoute"):
        run(tmp_path / "project")

    assert exported, "the stack's own program ran"


def test_bad_settings_end_in_one_text_here_too(exported: dict[str, Any], tmp_path: Path) -> None:
    write_project(tmp_path / "project", ROOT, Redirect(server="http://127.0.0.1:8000"))

    with pytest.raises(pulumi.RunError, match=r"Pulumi\.test\.yaml"):
        run(tmp_path / "project", STACK | {"models": []})

    assert exported == {}


def test_a_project_takes_the_place_of_an_earlier_one_and_leaves_nothing(tmp_path: Path) -> None:
    for port in (8000, 8001):
        write_project(tmp_path / "project", ROOT, Redirect(server=f"http://127.0.0.1:{port}"))
    assert Redirect.read(tmp_path / "project" / "redirect.json").server == "http://127.0.0.1:8001"

    remove_project(tmp_path / "project")

    assert list(tmp_path.iterdir()) == []
    assert (ROOT / "stacks").is_dir(), "what it linked to stays"
