"""A trial's redirection: the same objects, but for the ways to the models, which lead to loopback."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.gateway.redirect import Redirect, models_at, redirected
from onprem_agents.manifests import render
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import of_kind, planned, proxy_part

SERVER = "http://127.0.0.1:8000"
PROXY = "http://127.0.0.1:8001"
AGENTS = "coding-agents-agents"
STACKS: dict[str, dict[str, Any]] = {
    "native": {},
    "two roles": {"second_role": True},
    "litellm": {"translation": "litellm"},
    "ai gateway": {"access": {"gateway": "envoy-ai-gateway"}, "second_role": True},
    "knative": {"serving": {"mode": "Knative"}, "second_role": True},
}


def on_trial(plan: PlatformPlan, proxy: str | None = None) -> list[Any]:
    return redirected(plan, render(plan), Redirect(server=SERVER, proxy=proxy))


def backends(objects: list[Any]) -> dict[str, Any]:
    return {name: each["spec"]["endpoints"] for name, each in of_kind(objects, "Backend").items()}


def references(objects: list[Any]) -> list[tuple[str, str]]:
    rules = of_kind(objects, "HTTPRoute")[AGENTS]["spec"]["rules"]
    return [(rule["backendRefs"][0]["kind"], rule["backendRefs"][0]["name"]) for rule in rules]


def loopback(port: int) -> list[Any]:
    return [{"ip": {"address": "127.0.0.1", "port": port}}]


def test_without_a_trial_routes_lead_to_the_pods_and_no_backend_is_declared() -> None:
    objects = render(planned())

    assert backends(objects) == {}
    assert references(objects) == [("Service", "coder-predictor")]


def test_every_role_is_reached_at_the_server() -> None:
    objects = on_trial(planned(second_role=True))

    assert backends(objects) == {"coder-predictor": loopback(8000), "fast-predictor": loopback(8000)}
    assert references(objects) == [("Backend", "fast-predictor"), ("Backend", "coder-predictor")]


@pytest.mark.parametrize("changes", STACKS.values(), ids=STACKS)
def test_nothing_changes_but_routes_and_backends(changes: dict[str, Any]) -> None:
    plan = planned(**changes)

    def others(objects: list[Any]) -> list[Any]:
        return [each for each in objects if each["kind"] not in {"Backend", "HTTPRoute"}]

    assert others(on_trial(plan, PROXY)) == others(render(plan))
    assert list(of_kind(on_trial(plan, PROXY), "HTTPRoute")) == list(of_kind(render(plan), "HTTPRoute"))


def test_of_a_route_only_the_target_changes() -> None:
    def rest(objects: list[Any]) -> list[Any]:
        rules = of_kind(objects, "HTTPRoute")[AGENTS]["spec"]["rules"]
        return [{name: part for name, part in rule.items() if name != "backendRefs"} for rule in rules]

    plan = planned(second_role=True)

    assert rest(on_trial(plan)) == rest(render(plan))


@pytest.mark.parametrize("changes", STACKS.values(), ids=STACKS)
def test_no_way_behind_the_gateway_leads_elsewhere(changes: dict[str, Any]) -> None:
    objects = on_trial(planned(**changes), PROXY if changes.get("translation") else None)
    targets = [
        reference
        for route in of_kind(objects, "HTTPRoute").values()
        for rule in route["spec"]["rules"]
        for reference in rule.get("backendRefs", ())
    ]

    assert {each["kind"] for each in targets} <= {"Backend"}
    assert {each["name"] for each in targets} <= set(backends(objects)), "no route leads nowhere"
    assert backends(objects)
    for endpoints in backends(objects).values():
        assert endpoints in (loopback(8000), loopback(8001))


def test_knatives_host_name_is_left_out_for_a_server_that_is_not_knatives() -> None:
    plan = planned(serving={"mode": "Knative"})

    def rewrites(objects: list[Any]) -> int:
        rules = of_kind(objects, "HTTPRoute")[AGENTS]["spec"]["rules"]
        return sum(each["type"] == "URLRewrite" for rule in rules for each in rule["filters"])

    assert rewrites(render(plan)) == 1
    assert rewrites(on_trial(plan)) == 0


def test_the_translation_proxy_stands_on_loopback_and_finds_the_models_there() -> None:
    plan = planned(translation="litellm", second_role=True)
    (files,) = of_kind(models_at(plan, translation_proxy(proxy_part(plan)), SERVER), "ConfigMap").values()

    assert backends(on_trial(plan, PROXY)) == {"translation-proxy": loopback(8001)}
    assert references(on_trial(plan, PROXY)) == [("Backend", "translation-proxy")]
    assert files["data"]["config.yaml"].count(f'"api_base": "{SERVER}/v1"') == 2
    assert "svc.cluster.local" not in str(files)
