"""Names of hosted models: which lead to the main role, and everything that says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onprem_agents.agents import causes
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import Manifest, ingress_bundles, render
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.plan_ingress import plan_ingress
from tests.unit.contract_samples import contract
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.part_samples import ANY_SERVICE, ingress_arguments

OFF = {"modelAliases": False}
POLICY = "coding-agents-model-routing"


def script(plan: PlatformPlan) -> str:
    policies = of_kind(render(plan), "EnvoyExtensionPolicy")
    return str(policies[POLICY]["spec"]["lua"][0]["inline"]) if policies else ""


def listed(documents: list[Manifest]) -> list[dict[str, Any]]:
    body = of_kind(documents, "HTTPRouteFilter")["coding-agents-models"]["spec"]["directResponse"]["body"]
    models: list[dict[str, Any]] = json.loads(body["inline"])["data"]
    return models


def test_by_default_both_makers_names_lead_to_the_main_role_and_the_contract_says_so() -> None:
    plan = planned(second_role=True)

    assert plan.connection.model_aliases == ("claude-*", "gpt-*")
    assert 'local ALIASES = { "claude-", "gpt-" }\nlocal MAIN = "coder"' in script(plan)


def test_they_stand_in_the_list_of_models_at_the_role_that_answers_and_are_no_models_of_their_own() -> None:
    coder, fast = listed(render(planned(second_role=True)))

    assert (coder["id"], coder["aliases"]) == ("coder", ["claude-*", "gpt-*"])
    assert fast["id"] == "fast"
    assert "aliases" not in fast


def test_one_role_behind_a_proxy_has_them_too_and_needs_no_header() -> None:
    for translation in ("native", "litellm", "claude-code-router"):
        told = script(planned(translation=translation))
        assert 'local MAIN = "coder"' in told, translation
        assert "local SERVED = {  }" in told, "nothing is routed by the name of a model"


def test_a_stack_switches_them_off_and_one_role_needs_no_script_then() -> None:
    plan = planned(access=OFF)

    assert plan.connection.model_aliases == ()
    assert script(plan) == ""
    assert "aliases" not in listed(render(plan))[0]
    assert "local ALIASES = {  }" in script(planned(access=OFF, second_role=True)), (
        "roles are told apart still"
    )


def test_a_served_model_keeps_its_name_to_itself() -> None:
    servers = [ANY_SERVICE | {"name": "gpt-oss-120b", "contextTokens": 65536}]

    part = plan_ingress(ingress_arguments() | {"servers": servers}, stack="test", source="test")

    assert part.model_aliases == ("claude-*",), "a misspelled gpt-oss-12b must not be answered in silence"
    assert part.connection is not None
    assert part.connection.model_aliases == ("claude-*",)


def test_an_ingress_without_a_contract_has_them_as_well() -> None:
    part = plan_ingress(ingress_arguments() | {"servers": [ANY_SERVICE]}, stack="test", source="test")

    assert part.connection is None
    documents = [each.manifest for bundle in ingress_bundles(part) for each in bundle.objects]
    assert listed(documents)[0]["aliases"] == ["claude-*", "gpt-*"]


def test_envoy_ai_gateway_matches_them_in_the_main_roles_rules_and_sends_on_its_own_name() -> None:
    plan = planned(second_role=True, access={"gateway": "envoy-ai-gateway"})
    documents = render(plan)

    (route,) = of_kind(documents, "AIGatewayRoute").values()
    rules = route["spec"]["rules"]
    assert not of_kind(documents, "EnvoyExtensionPolicy"), "it reads bodies itself"
    overrides = [rule["backendRefs"][0].get("modelNameOverride") for rule in rules]
    assert overrides == ["coder", "coder", None, None]
    names = [match["headers"][0] for match in rules[0]["matches"]]
    assert [(name["type"], name["value"]) for name in names] == [
        ("Exact", "coder"),
        ("RegularExpression", "(claude-|gpt-).*"),
    ]
    anthropic, openai = ([len(match["headers"]) for match in rule["matches"]] for rule in rules[:2])
    assert (anthropic, openai) == ([2, 2], [1, 1]), "each match of Anthropic's API asks for its header"


@pytest.mark.parametrize("value", ["sometimes", 3, ["claude-*"], None])
def test_what_is_neither_true_nor_false_is_refused_at_its_key(value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(access={"modelAliases": value})

    assert [problem.where for problem in caught.value.problems] == ["platform.access.modelAliases"]


def test_an_agents_own_settings_still_name_the_role_for_its_window_is_known_by_that_name() -> None:
    (found,) = causes.model("ANTHROPIC_MODEL", "claude-opus-5-5", contract())

    assert (found.cause, found.fix) == ("model", "set ANTHROPIC_MODEL to coder: the served name")
