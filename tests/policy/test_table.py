"""The table as a whole: every policy is in a pack, has its examples, and is fired by some row of the tests."""

from __future__ import annotations

import pytest
import yaml

from policy.checks import check_manifests
from policy.table import POLICIES
from tests.policy import option_changes, test_supply_chain
from tests.policy.programs import Manifest
from tests.policy.rows import rows

pytestmark = pytest.mark.policy

# One says nothing before its configuration lists registries, the others never fire alone: each has a test of its own.
_ELSEWHERE = {test_supply_chain.REGISTRIES, *option_changes.BESIDE_ANOTHER}


def test_every_policy_is_fired_by_some_row() -> None:
    assert {row.policy for row in rows()} | _ELSEWHERE == {policy.name for policy in POLICIES}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_policy_has_examples_that_are_yaml_and_not_the_same(policy: object) -> None:
    bad, good = (yaml.safe_load(getattr(policy, kind)) for kind in ("bad", "good"))
    assert isinstance(bad, dict)
    assert isinstance(good, dict)
    assert getattr(policy, "tags", ())


def test_a_setting_is_an_argument_of_its_rule_with_the_same_default() -> None:
    for policy in POLICIES:
        defaults = {key: schema["default"] for key, schema in policy.settings.items()}
        names = policy.rule.__kwdefaults__ or {}
        assert len(names) == len(defaults), policy.name
        assert [list(value) if isinstance(value, tuple) else value for value in names.values()] == list(
            defaults.values()
        )


def test_the_order_of_objects_changes_no_finding() -> None:
    """An engine registers them in any order."""
    changed = [str(row) for row in rows() if _told(row.manifests) != _told(row.manifests[::-1])]
    assert changed == []


def _told(manifests: list[Manifest]) -> set[tuple[str, str, str]]:
    return {(each.policy, each.resource, each.told) for each in check_manifests(manifests)}
