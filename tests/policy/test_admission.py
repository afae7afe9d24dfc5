"""The twins without an API server: whose they are, what they are told, and which pods they look at."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest

from onprem_agents.manifests.admission import Admission, admission_policies, policies_with_twin, told_by
from onprem_agents.stack.admission import AskedPolicy
from policy.checks import graph_of
from policy.pods import pods
from policy.table import POLICIES
from policy.twins import SETTINGS, TWINS
from policy.twins.scope import KINDS
from tests.policy.rendered import objects_of

pytestmark = pytest.mark.policy

TODAY = dt.date(2026, 11, 29)
TOLD = {
    "servers": ["coder"],
    "guarded": ["HTTPRoute/agents"],
    "keySecrets": ["key-alice"],
    "longestTurnSeconds": 600,
}


def _made(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return the specs of what is made of an admission, by kind and name."""
    admission = Admission(
        **{"prefix": "a", "namespaces": ("agents",), "mode": "enforce", "told": TOLD, **changes}
    )
    made = admission_policies(admission, today=TODAY)
    return {f"{each['kind']}/{each['metadata']['name']}": each["spec"] for each in made}


def _policy(made: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return made[f"ValidatingAdmissionPolicy/a-{name}"]


def _actions(made: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {
        spec["policyName"].removeprefix("a-"): spec["validationActions"]
        for key, spec in made.items()
        if key.startswith("ValidatingAdmissionPolicyBinding/")
    }


def test_each_twin_is_that_of_one_policy_of_the_table() -> None:
    names = [twin.policy for twin in TWINS]

    assert len(names) == len(set(names)) == 25
    assert set(names) <= {policy.name for policy in POLICIES}
    assert policies_with_twin() == tuple(names)


def test_a_twin_is_told_the_settings_of_its_policy_and_what_a_stack_tells() -> None:
    settings = {policy.name: set(policy.settings) for policy in POLICIES}
    by_a_stack = set(told_by(list(objects_of("local").values()), longest_turn_seconds=600))

    assert all(set(twin.settings) <= settings[twin.policy] | by_a_stack for twin in TWINS)
    assert {setting for twin in TWINS for setting in twin.settings} == set(SETTINGS)


def test_what_is_mandatory_is_denied_and_what_is_advisory_is_told() -> None:
    levels = {policy.name: policy.level for policy in POLICIES}
    wanted = {"mandatory": ["Deny"], "advisory": ["Warn", "Audit"]}
    made = _made(configured={"registries-are-allowed": {"allowedRegistries": ["registry.internal"]}})

    assert _actions(made) == {twin.policy: wanted[levels[twin.policy]] for twin in TWINS}


def test_a_mode_that_only_warns_denies_nothing() -> None:
    made = _made(mode="warn")

    assert set(map(tuple, _actions(made).values())) == {("Warn", "Audit")}
    assert {
        spec["failurePolicy"] for key, spec in made.items() if key.startswith("ValidatingAdmissionPolicy/")
    } == {"Ignore"}


def test_a_configuration_changes_levels_and_settings() -> None:
    made = _made(
        levels={"images-are-pinned": "mandatory", "tool-calling-is-on": "disabled"},
        configured={
            "images-are-pinned": {"requireDigest": True},
            "registries-are-allowed": {"allowedRegistries": ["registry.internal/mirror/"]},
        },
    )

    assert _actions(made)["images-are-pinned"] == ["Deny"]
    assert "tool-calling-is-on" not in _actions(made)
    assert {"name": "requireDigest", "expression": "true"} in _policy(made, "images-are-pinned")["variables"]
    allowed = {"name": "allowedRegistries", "expression": '["registry.internal/mirror"]'}
    assert allowed in _policy(made, "registries-are-allowed")["variables"]


def test_what_could_find_nothing_is_left_out() -> None:
    about_stacks = {twin.policy for twin in TWINS if {*twin.settings} - {"requireDigest"}}

    assert set(_actions(_made(told={}))) == {twin.policy for twin in TWINS} - about_stacks
    assert len(about_stacks) == 8


def test_the_namespaces_that_are_named_are_the_only_ones() -> None:
    made = _made(namespaces=("agents", "ml"))
    selectors = [
        spec["matchConstraints"]["namespaceSelector"]
        for key, spec in made.items()
        if key.startswith("ValidatingAdmissionPolicy/")
    ]

    expression = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["agents", "ml"]}
    assert selectors == [{"matchExpressions": [expression]}] * 24


def test_an_exemption_counts_through_its_last_day() -> None:
    exemptions = [
        {"resource": "Deployment agents/router", "reason": "NET-1234", "until": "2026-11-29"},
        {"resource": "old", "reason": "NET-1", "until": "2026-11-28"},
    ]
    made = _made(configured={"pods-leave-their-node-alone": {"exemptions": exemptions}})

    conditions = {
        each["name"]: each["expression"]
        for each in _policy(made, "pods-leave-their-node-alone")["matchConditions"]
    }
    assert conditions["not-exempted"].count('["Deployment agents/router"]') == 2
    assert "old" not in conditions["not-exempted"]
    assert not any(
        each["name"] == "not-exempted" for each in _policy(made, "images-are-pinned")["matchConditions"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_pods_of_a_kind_are_where_the_rules_find_them(kind: str) -> None:
    group, _, paths = KINDS[kind]
    for path in paths:
        spec: dict[str, Any] = {"containers": [{"image": f"litellm:{kind}"}]}
        for key in reversed(path):
            spec = {key: spec}
        metadata = {"name": "a", "namespace": "ns", "labels": {"onprem-coding-agents/stack": "a"}}
        manifest = {"apiVersion": f"{group}/v1".lstrip("/"), "kind": kind, "metadata": metadata, **spec}

        (found,) = (pod for pod in pods(graph_of([manifest])) if pod.containers)
        assert found.field == ".".join(path)


def test_a_stack_can_name_the_policies_that_have_a_twin_and_no_other() -> None:
    assert set(get_args(AskedPolicy)) == set(policies_with_twin())
