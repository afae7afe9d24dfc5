"""The page on troubleshooting has a row for each cause that the doctor can tell, and for no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import onprem_agents
from onprem_agents.agents import AGENTS

pytestmark = pytest.mark.unit

PACKAGE = Path(onprem_agents.__file__).parent
PAGE = Path(__file__).parents[2] / "docs/troubleshooting.md"
# Calls whose `cause` is one of a diagnosis; that of a `Problem` or `Finding` is another list, in errors.py.
TELLING = {"Diagnosis", "Question", "fine", "replace", "Verdict"}
# Told as a pair or triple with the cause first, by modules that look it up (smoke_causes, agent_run).
WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def told() -> set[str]:
    files = [*(PACKAGE / "probes").glob("*.py"), *(PACKAGE / "agents").glob("*.py")]
    found = {cause for file in files for cause in _of(ast.parse(file.read_text(encoding="utf-8")), file.stem)}
    found |= {cause for agent in AGENTS for _, cause, _ in agent.says}
    return found - {"ok"}


def _of(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TELLING:
            for keyword in node.keywords:
                if keyword.arg == "cause":
                    yield from _words(keyword.value)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"cause", "name"}:
            yield from _words(node.value)
        elif name == "smoke_causes" and isinstance(node, (ast.Return, ast.Assign)):
            if isinstance(node.value, ast.Tuple):
                yield from _words(node.value.elts[0])
        elif name == "agent_run" and isinstance(node, ast.Assign) and _is_words(node.targets[0]):
            for row in getattr(node.value, "elts", ()):
                yield from _words(row.elts[1])


def _is_words(target: ast.expr) -> bool:
    return getattr(target, "id", "") == "_WORDS"


def _words(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from (*_words(value.body), *_words(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and WORD.fullmatch(value.value):
        yield value.value


def test_every_cause_has_its_row_and_each_row_its_cause() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE)
    assert len(rows) == len(set(rows)), "a cause has one row"
    assert set(rows) == told()


def test_the_causes_of_every_kind_of_module_are_found() -> None:
    assert {
        "busy",
        "dns",
        "buffered",
        "old-shell",
        "own-choice",
        "drift",
        "sandbox",
        "wire-api-chat",
    } <= told()
