"""A model of the catalogue: a sibling of Seed-OSS-36B, of the same shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.toolchain.recipes.walking import Recipe, Step

_OLD, _NEW = "Seed-OSS-36B", "Seed-OSS-2-36B"
_CATALOGUE = "onprem_agents/catalog/models/seed-oss.yaml"
_PLANNER = "tests/planner/golden.json"


def _add_entry(copy: Path) -> None:
    file = copy / _CATALOGUE
    entries: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    (old,) = (entry for entry in entries if entry["name"] == _OLD)
    new = yaml.safe_load(yaml.safe_dump(old).replace(_OLD, _NEW))
    file.write_text(yaml.safe_dump([*entries, new]), encoding="utf-8")


def _add_figures(copy: Path) -> None:
    # What vLLM's planner says of the sibling; a real model is put to the planner.
    file = copy / _PLANNER
    golden: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    (old,) = (model for model in golden["models"] if model["name"] == _OLD)
    golden["models"].append(old | {"name": _NEW})
    file.write_text(json.dumps(golden), encoding="utf-8")


RECIPE = Recipe(
    heading="A model",
    steps=(
        Step(path="onprem_agents/catalog/models/FAMILY.yaml", take=_add_entry),
        Step(path="tests/planner/golden.json", take=_add_figures),
    ),
    checks=(
        "tests/unit/test_sizing_planner.py",
        "tests/unit/test_catalog_facts.py",
        "tests/unit/test_catalog_completeness.py",
    ),
)
