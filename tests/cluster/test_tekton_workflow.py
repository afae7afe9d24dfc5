"""The Tekton workflow of `onprem-agents ci init` is valid by Tekton's own definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from embedded.layout import Layout
from embedded.toolchain import module_dir
from onprem_agents.advice.workflows import workflow
from onprem_agents.errors import EnvironmentProblem

pytestmark = pytest.mark.cluster

_VERSION = "v1"
_KEEPS_UNKNOWN = "x-kubernetes-preserve-unknown-fields"


@pytest.fixture(scope="module")
def schemas() -> Mapping[str, Any]:
    """The schemas of Pipeline, PipelineRun and Task, in which a field that Tekton would drop is a mistake."""
    try:
        folder = module_dir(Layout.default(), "github.com/tektoncd/pipeline") / "config" / "300-crds"
    except EnvironmentProblem as error:
        pytest.skip(str(error))
    found = {}
    for kind in ("pipeline", "pipelinerun", "task"):
        text = (folder / f"300-{kind}.yaml").read_text(encoding="utf-8")
        definition = yaml.load(text, Loader=yaml.CSafeLoader)
        (version,) = (each for each in definition["spec"]["versions"] if each["name"] == _VERSION)
        found[kind] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def _strict(schema: Any) -> Any:
    """Return a schema that refuses the fields which the API server drops."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _strict(each) for key, each in schema.items()}
    if told.get("type") == "object" and "properties" in told and not told.get(_KEEPS_UNKNOWN):
        told.setdefault("additionalProperties", False)
    return told


def problems(schemas: Mapping[str, Any], run: dict[str, Any]) -> list[str]:
    """Return what is wrong with a run: in itself, in its pipeline, and in the task that stands in that."""
    spec = schemas["pipeline"]["properties"]["spec"]
    pipeline = run["spec"]["pipelineSpec"]
    parts = [(schemas["pipelinerun"], run), (spec, pipeline)]
    parts += [(schemas["task"]["properties"]["spec"], task["taskSpec"]) for task in pipeline.get("tasks", ())]
    # metadata is typed by the API server itself
    return [
        error.message
        for schema, part in parts
        for error in Draft202012Validator(schema).iter_errors(
            {**part, "metadata": {}} if part is run else part
        )
    ]


def _run() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(workflow("tekton", "stacks").text)
    return document


def test_the_workflow_is_valid(schemas: Mapping[str, Any]) -> None:
    run = _run()

    assert run["apiVersion"] == f"tekton.dev/{_VERSION}"
    assert problems(schemas, run) == []


@pytest.mark.parametrize("key", ["timeouts", "workspaces", "tasks", "steps", "stepTemplate"])
def test_the_schema_would_see_a_mistake(schemas: Mapping[str, Any], key: str) -> None:
    text = workflow("tekton", "stacks").text
    assert f"{key}:" in text

    assert problems(schemas, yaml.safe_load(text.replace(f"{key}:", f"{key}s:", 1))) != []
