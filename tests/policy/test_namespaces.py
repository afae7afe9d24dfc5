"""Two teams with the same names in one program: what one does counts against the other's servers in nothing."""

from __future__ import annotations

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from tests.policy.programs import Manifest, bent, both, compliant, drop, put

pytestmark = pytest.mark.policy

TIMEOUTS = "timeouts-are-monotonic"
OF_LISTENER = put("client", "spec", "connection", "connectionLimit", "maxStreamDuration", value="60s")
OTHER_PATH = put("route", "spec", "rules", 0, "matches", value=[{"path": {"type": "Exact", "value": "/v2"}}])
"""Not a model's: what carries those to a Service nobody knows may lead to every server, by way of a proxy."""


def _in(namespace: object, manifests: list[Manifest]) -> list[Manifest]:
    return [{**each, "metadata": {**each["metadata"], "namespace": namespace}} for each in manifests]


def test_the_policy_of_one_teams_gateway_cuts_the_other_teams_turns_in_nothing() -> None:
    both_teams = [*bent(), *_in("others", bent(OF_LISTENER))]
    assert [(f.policy, f.resource) for f in check_manifests(both_teams)] == [
        (TIMEOUTS, "ClientTrafficPolicy others/gateway")
    ]


def test_a_route_to_a_service_of_the_same_name_elsewhere_leads_to_no_model_server() -> None:
    program = compliant()
    both(drop("route", "spec", "rules", 0, "timeouts"), OTHER_PATH)(program)
    route = program["route"]
    assert check_manifests([*bent(), *_in("others", [route])]) == []


@pytest.mark.parametrize("namespace", ["agents", "", UNKNOWN])
def test_a_policy_whose_namespace_may_be_the_servers_counts(namespace: object) -> None:
    program = bent(OF_LISTENER)
    (policy,) = (each for each in program if each["kind"] == "ClientTrafficPolicy")
    rest = [each for each in program if each is not policy]
    assert [f.policy for f in check_manifests([*rest, *_in(namespace, [policy])])] == [TIMEOUTS]


@pytest.mark.parametrize(
    ("reference", "reached"),
    [
        ({"namespace": "agents"}, True),
        ({"namespace": UNKNOWN}, True),
        ({}, False),
    ],
)
def test_a_reference_into_another_namespace_is_followed(reference: Manifest, reached: bool) -> None:
    program = compliant()
    OTHER_PATH(program)
    route = program["route"]
    rule = route["spec"]["rules"][0]
    rule["backendRefs"][0].update(reference)
    rule["timeouts"] = {"request": "60s"}
    policies = {f.policy for f in check_manifests([*bent(), *_in("front", [route])])}
    assert (TIMEOUTS in policies) is reached
