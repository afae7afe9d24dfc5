"""Everything generated is what its generator makes now: manifests, JSON Schema, pages, arguments.

`ONPREM_WRITE_GOLDEN=1 ./dev test golden` writes them anew; the diff is what users will get.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from onprem_agents.cli.render import yaml_of
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.schema import stack_file_schema
from onprem_agents.stack.settings_page import settings_page
from onprem_agents.stack.stack_file import stack_names
from policy.admission import templates
from tools.argument_types import argument_types
from tools.component_page import component_page

ROOT = Path(__file__).parents[2]
STACKS = ROOT / "stacks"
MANIFESTS = Path(__file__).with_name("manifests")
FEATURES = Path(__file__).with_name("features")


def _rendered(folder: Path, stack: str) -> str:
    return yaml_of(render(plan_stack_file(folder, stack)))


def _compare(path: Path, text: str) -> None:
    if os.environ.get("ONPREM_WRITE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == kept, (
        f"{path.relative_to(ROOT)} is not what is generated now; ONPREM_WRITE_GOLDEN=1 ./dev test golden"
    )


def test_the_policies_that_the_api_server_asks_are_those_of_the_pack() -> None:
    _compare(
        ROOT / "onprem_agents" / "manifests" / "admission.json",
        json.dumps(templates(), indent=1, ensure_ascii=False) + "\n",
    )


@pytest.mark.parametrize("stack", stack_names(STACKS))
def test_the_rendered_manifests_of_each_stack_are_the_committed_ones(stack: str) -> None:
    _compare(MANIFESTS / f"{stack}.yaml", _rendered(STACKS, stack))


@pytest.mark.parametrize("stack", stack_names(FEATURES))
def test_the_rendered_manifests_of_each_feature_are_the_committed_ones(stack: str) -> None:
    _compare(MANIFESTS / f"feature-{stack}.yaml", _rendered(FEATURES, stack))


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert _rendered(STACKS, "team") == _rendered(STACKS, "team")


def test_no_golden_file_is_left_of_a_stack_that_is_gone() -> None:
    wanted = {f"{stack}.yaml" for stack in stack_names(STACKS)}
    wanted |= {f"feature-{stack}.yaml" for stack in stack_names(FEATURES)}

    assert {path.name for path in MANIFESTS.iterdir()} == wanted


def test_the_schema_for_editors_is_that_of_the_settings() -> None:
    _compare(STACKS / "stack.schema.json", json.dumps(stack_file_schema(), indent=2) + "\n")


def test_the_page_of_settings_is_that_of_the_schema() -> None:
    _compare(ROOT / "docs" / "settings.md", settings_page())


def test_the_arguments_of_the_components_are_the_settings() -> None:
    _compare(ROOT / "components" / "arguments.py", argument_types())


def test_the_page_of_components_is_that_of_their_code() -> None:
    _compare(ROOT / "docs" / "components.md", component_page())
