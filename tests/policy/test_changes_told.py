"""Each finding tells what to change apart from what is there, and both read as one text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.checks import check_manifests
from tests.policy.rows import Row, rows

pytestmark = pytest.mark.policy

PACK = Path(__file__).parents[2] / "policy"
ROWS = list(rows())
# Sentences end so; what is there may end with a remark in brackets, and what to change with an offer of names.
END = re.compile(r"[.?)]$")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_to_change_is_a_sentence_of_its_own(row: Row) -> None:
    for finding in check_manifests(row.manifests):
        assert finding.message.startswith(finding.resource)
        assert END.search(finding.message), finding.message
        assert re.match(r"[A-Z]", finding.change), finding
        assert END.search(finding.change), finding.change
        assert finding.change not in finding.message
        assert finding.told == f"{finding.message} {finding.change}"
        assert "  " not in finding.told


def _violations() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACK.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation":
                yield f"{path.relative_to(PACK)}:{node.lineno}", node


def test_nothing_is_found_without_saying_what_to_change() -> None:
    found = list(_violations())

    assert len(found) > 30, "the rules are read"
    assert [
        place for place, call in found if "change" not in {keyword.arg for keyword in call.keywords}
    ] == []
