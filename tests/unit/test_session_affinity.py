"""Whether a session keeps to one replica: what is declared for it, and what the plan says where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import Manifest, ingress_bundles, render
from onprem_agents.manifests.session_affinity import AFFINITY_HEADER
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.plan_ingress import plan_ingress
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.part_samples import ANY_SERVICE, ingress_arguments

TWO: dict[str, Any] = {"replicas": 2}
BY_SESSION = {
    "type": "ConsistentHash",
    "consistentHash": {"type": "Headers", "headers": [{"name": "x-onprem-affinity"}]},
}


def policy(documents: list[Manifest]) -> Manifest:
    spec: Manifest = of_kind(documents, "BackendTrafficPolicy")["coding-agents-agents"]["spec"]
    return spec


def script(documents: list[Manifest]) -> str:
    found = of_kind(documents, "EnvoyExtensionPolicy").values()
    return "".join(str(each["spec"]["lua"][0]["inline"]) for each in found)


def routing(documents: list[Manifest]) -> object:
    return of_kind(documents, "EnvoyProxy")["coding-agents"]["spec"].get("routingType")


def notes(plan: PlatformPlan) -> list[str]:
    return [note for note in plan.notes if "whole sessions" in note]


def test_two_replicas_keep_sessions_by_default() -> None:
    documents = render(planned(model=TWO))

    assert policy(documents)["loadBalancer"] == BY_SESSION
    assert "stick(handle" in script(documents)
    assert routing(documents) == "Endpoint", "the class may say Service, behind which all replicas are one"


def test_one_replica_needs_none_of_it() -> None:
    documents = render(planned(model={"replicas": 1}))

    assert "loadBalancer" not in policy(documents)
    assert "stick(handle" not in script(documents)
    assert routing(documents) is None


def test_one_role_of_several_with_two_replicas_is_enough() -> None:
    plan = planned(hardware={"nodes": 3}, model=TWO | {"tensorParallel": 1}, second_role=True)

    assert policy(render(plan))["loadBalancer"] == BY_SESSION


def test_without_aliases_the_script_is_there_for_sessions_alone() -> None:
    documents = render(planned(model=TWO, access={"modelAliases": False}))

    assert "if session then return end" in script(documents), "a named session needs no look at the body"
    assert "if session then return end" not in script(render(planned(model=TWO)))


def test_what_a_client_sends_as_the_gateways_own_header_is_removed_first() -> None:
    for replicas in (1, 2):
        documents = render(planned(model={"replicas": replicas}))
        client = of_kind(documents, "ClientTrafficPolicy")["coding-agents"]["spec"]
        assert AFFINITY_HEADER in client["headers"]["earlyRequestHeaders"]["remove"]


SCATTERED: dict[str, tuple[dict[str, Any], str]] = {
    "switched off": ({"access": {"sessionAffinity": False}}, "access.sessionAffinity is false"),
    "LiteLLM": ({"translation": "litellm"}, "LiteLLM calls the server's Service"),
    "Knative": ({"serving": {"mode": "Knative"}}, "Knative's own ingress picks the pod"),
    "AI gateway": (
        {"access": {"gateway": "envoy-ai-gateway"}},
        "Envoy AI Gateway leads to the server's Service",
    ),
}


@pytest.mark.parametrize(("sections", "why"), SCATTERED.values(), ids=SCATTERED)
def test_where_nothing_keeps_sessions_replicas_do_not_add_up_and_the_plan_says_why(
    sections: dict[str, Any], why: str
) -> None:
    plan = planned(model=TWO, **sections)

    assert "loadBalancer" not in policy(render(plan))
    assert plan.main.sessions == plan.main.fit.sessions
    assert [why in note for note in notes(plan)] == [True]
    assert notes(plan)[0].startswith(f"coder: 2 replicas hold {plan.main.fit.sessions} whole sessions")


@pytest.mark.parametrize("sections", [sections for sections, _ in SCATTERED.values()], ids=SCATTERED)
def test_one_replica_gets_no_word(sections: dict[str, Any]) -> None:
    plan = planned(model={"replicas": 1}, **sections)

    assert notes(plan) == []


def test_where_sessions_keep_to_a_replica_the_replicas_add_up() -> None:
    plan = planned(model=TWO)

    assert plan.main.sessions == 2 * plan.main.fit.sessions
    assert notes(plan) == []


def test_beside_claude_code_router_the_other_agents_sessions_are_kept_and_claude_codes_are_not() -> None:
    plan = planned(model=TWO, translation="claude-code-router")

    assert policy(render(plan))["loadBalancer"] == BY_SESSION
    assert "for Claude Code" in notes(plan)[0]


def test_an_ingress_alone_keeps_sessions_where_a_reference_tells_of_replicas() -> None:
    def of(**more: Any) -> list[Manifest]:
        servers = [ANY_SERVICE | more]
        part = plan_ingress(ingress_arguments() | {"servers": servers}, stack="test", source="test")
        return [each.manifest for bundle in ingress_bundles(part) for each in bundle.objects]

    assert policy(of(replicas=2))["loadBalancer"] == BY_SESSION
    assert "loadBalancer" not in policy(of())


def test_a_stack_asks_for_a_bound_on_each_replicas_part_and_gets_it_for_the_rules_with_replicas() -> None:
    two_roles: dict[str, Any] = {"hardware": {"nodes": 3}, "second_role": True}
    asked: dict[str, Any] = {"access": {"balancedSessions": True}}
    (found,) = of_kind(
        render(planned(model=TWO | {"tensorParallel": 1}, **two_roles, **asked)), "EnvoyPatchPolicy"
    ).values()

    patches = found["spec"]["jsonPatches"]
    assert [patch["name"] for patch in patches] == ["httproute/coding-agents/coding-agents-agents/rule/1"], (
        "rule 0 leads to the second role, which has one replica"
    )
    assert patches[0]["operation"]["value"] == {"hash_balance_factor": 125}
    assert not of_kind(render(planned(model=TWO)), "EnvoyPatchPolicy"), "only where it is asked for"
    assert not of_kind(render(planned(model={"replicas": 1}, **asked)), "EnvoyPatchPolicy")
    assert not of_kind(render(planned(model=TWO, translation="litellm", **asked)), "EnvoyPatchPolicy")


def test_a_bound_without_affinity_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(model=TWO, access={"balancedSessions": True, "sessionAffinity": False})

    (problem,) = caught.value.problems
    assert problem.where == "platform.access"
    assert problem.fix == "remove one of the two"


@pytest.mark.parametrize("value", ["sometimes", "auto", 3, None, []])
def test_what_is_no_choice_is_refused_at_its_key(value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(access={"sessionAffinity": value})

    assert [problem.where for problem in caught.value.problems] == ["platform.access.sessionAffinity"]
