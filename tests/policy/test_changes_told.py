"""Each finding tells what to change apart from what is there, and both read as one text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from policy.checks import Finding, check_manifests
from policy.table import POLICIES
from tests.policy import test_exposure, test_mutations, test_supply_chain
from tests.policy.programs import bent
from tests.policy.rendered import found_in

pytestmark = pytest.mark.policy

RULES = sorted((Path(__file__).parents[2] / "policy" / "rules").glob("[!_]*.py"))
ROWS: dict[str, Callable[[], Sequence[Finding]]] = {
    **{
        name: partial(lambda change: check_manifests(bent(change)), change)
        for name, (change, *_) in test_mutations.MUTATIONS.items()
    },
    **{
        name: partial(found_in, stack, change)
        for name, (stack, change, *_) in test_exposure.MUTATIONS.items()
    },
    **{
        name: partial(found_in, "feature-litellm-oci", change)
        for name, (change, *_) in test_supply_chain.MUTATIONS.items()
    },
}
# A sentence ends so, the one before a change too; what is there may end with an exemption that is over.
END = re.compile(r"[.?)]$")


@pytest.mark.parametrize("name", ROWS)
def test_what_to_change_is_a_sentence_of_its_own(name: str) -> None:
    for finding in ROWS[name]():
        assert finding.message.startswith(finding.resource)
        assert END.search(finding.message), finding.message
        assert re.match(r"[A-Z]", finding.change), finding
        assert END.search(finding.change), finding.change
        assert finding.change not in finding.message
        assert finding.told == f"{finding.message} {finding.change}"
        assert "  " not in finding.told


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_no_rule_finds_anything_without_saying_what_to_change(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation"
    ]

    assert all("change" in {keyword.arg for keyword in call.keywords} for call in calls)
    modules = {policy.module for policy in POLICIES}
    assert calls or path.stem not in modules
