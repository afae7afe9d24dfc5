"""The bundles of a plan and the components that declare them: neither without the other."""

from __future__ import annotations

import importlib
import re
from typing import get_args

from components.component import Component
from onprem_agents.manifests import Bundle, bundles
from onprem_agents.manifests.bundle import ComponentName, Group
from tests.unit.manifest_samples import planned


def every_bundle() -> list[Bundle]:
    """Return those of a plan in which nothing is left out; two replicas have a budget."""
    plan = planned(
        model={"replicas": 2, "cache": {"pvc": {}}},
        second_role=True,
        queue={},
        translation="litellm",
        hardware={"nodeNames": ["node-a", "node-b"]},
        access={"tls": {"issuer": "internal-ca"}},
        operator={},
        admission={},
    )
    return list(bundles(plan))


def test_every_name_of_a_component_and_of_a_group_is_used_and_no_other() -> None:
    found = every_bundle()

    assert {bundle.component for bundle in found} == set(get_args(ComponentName))
    assert {bundle.group for bundle in found} | {"guard"} == set(get_args(Group)), "a guard stands alone"


def test_every_bundle_has_a_component_in_a_module_of_its_name() -> None:
    for name in get_args(ComponentName):
        module = importlib.import_module("components." + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
        assert issubclass(getattr(module, name), Component)


def test_a_bundle_comes_after_those_that_it_waits_for() -> None:
    declared: set[str] = set()
    for bundle in every_bundle():
        assert set(bundle.after) <= declared, bundle.group
        declared.add(bundle.group)
