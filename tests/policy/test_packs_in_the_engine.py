"""Every row through the SDK's own analyzer: the engine's numbers and unknowns change no verdict."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from tests.policy.in_the_engine import LEVELS, diagnostics
from tests.policy.programs import compliant
from tests.policy.rendered import objects_of
from tests.policy.rows import Row, rows

pytestmark = pytest.mark.policy

ROWS = list(rows())


def _told(found: list[Any]) -> set[tuple[str, int, str]]:
    return {(one.policyName, one.enforcementLevel, one.message.split("\n", 1)[-1]) for one in found}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_engine_is_told_what_the_check_tells(row: Row) -> None:
    manifests = row.manifests

    expected = {(f.policy, LEVELS[f.level], f.told) for f in check_manifests(manifests)}
    assert _told(diagnostics(manifests)) == expected
    assert {policy for policy, *_ in expected} == {row.policy}


@pytest.mark.parametrize("stack", sorted({row.stack for row in ROWS}, key=str))
def test_what_every_change_starts_from_gets_no_word(stack: str | None) -> None:
    program = compliant() if stack is None else objects_of(stack)
    assert diagnostics(program.values()) == []


def test_resources_that_are_made_once_get_the_words_of_those_made_for_each_policy() -> None:
    for row in ROWS[::40]:
        manifests = row.manifests
        assert _told(diagnostics(manifests)) == _told(diagnostics(manifests, by_the_sdk_alone=True)), str(row)
