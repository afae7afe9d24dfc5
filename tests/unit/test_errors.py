"""The words by which scripts tell problems apart: each is used, and each that is used is in the list."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from onprem_agents.errors import Cause, Finding, cleaned

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


def test_evidence_is_one_short_line_that_cannot_act_on_a_terminal() -> None:
    assert cleaned("a\x1b[2J\n\tb\u202ec", secret=None) == "a [2J b c"
    assert cleaned("x" * 1000, secret=None) == "x" * 300 + "…"


@pytest.mark.parametrize("key", ["e", "no", "none", "EMPTY"])
def test_a_key_too_short_to_be_one_is_masked_alone_and_not_within_words(key: str) -> None:
    text = f"see {key}, Bearer {key} and another{key}one: {key}"
    assert cleaned(text, secret=key) == f"see ***, Bearer *** and another{key}one: ***"


def test_a_long_key_is_masked_wherever_it_stands() -> None:
    assert cleaned("nabcd-1234x \\nabcd-1234", secret="abcd-1234") == "n***x \\n***"
    assert cleaned('{"got": "a\\"b"}', secret='a"b') == '{"got": "***"}'
