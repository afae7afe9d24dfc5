"""The words by which scripts tell problems apart: each is used, and each that is used is in the list."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

from onprem_agents.errors import Cause, Finding

ROOT = Path(__file__).parents[2]
FOLDERS = ("onprem_agents", "components", "embedded")


def test_every_cause_is_told_somewhere() -> None:
    words = {
        node.value
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert [cause for cause in get_args(Cause) if cause not in words] == []


def test_a_finding_gets_its_place_and_shows_the_value_where_nothing_else_was_found() -> None:
    finding = Finding(cause="bad-value", found="", why="too long", fix="shorten it")

    problem = finding.at("platform.namespace", "'nnn'")

    assert (problem.where, problem.found, problem.cause) == ("platform.namespace", "'nnn'", "bad-value")
    assert str(problem) == "platform.namespace\n  found: 'nnn'\n  why:   too long\n  fix:   shorten it"
