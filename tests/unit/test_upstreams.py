"""`platform.upstreams`: servers on the gateway's own loopback that answer instead of the stack's pods."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests.litellm import litellm_config
from tests.unit.manifest_samples import of_kind, planned, rendered

CODER = "http://127.0.0.1:8000"
FAST = "http://127.0.0.1:8001"
AGENTS = "coding-agents-agents"


def backends(plan: Any) -> dict[str, Any]:
    found = of_kind(rendered(plan), "Backend")
    return {name: backend["spec"]["endpoints"] for name, backend in found.items()}


def references(plan: Any) -> list[tuple[str, str]]:
    rules = of_kind(rendered(plan), "HTTPRoute")[AGENTS]["spec"]["rules"]
    return [(rule["backendRefs"][0]["kind"], rule["backendRefs"][0]["name"]) for rule in rules]


def test_without_upstreams_routes_lead_to_the_pods_and_nothing_else_is_declared() -> None:
    plan = planned()

    assert backends(plan) == {}
    assert references(plan) == [("Service", "coder-predictor")]


def test_a_role_with_an_upstream_is_reached_at_its_address_and_the_others_as_ever() -> None:
    plan = planned(second_role=True, upstreams={"models": {"coder": CODER}})

    assert backends(plan) == {"coder-predictor": [{"ip": {"address": "127.0.0.1", "port": 8000}}]}
    assert references(plan) == [("Service", "fast-predictor"), ("Backend", "coder-predictor")]


def test_only_the_backends_change() -> None:
    def others(plan: Any) -> list[Any]:
        return [each for each in rendered(plan) if each["kind"] not in {"Backend", "HTTPRoute"}]

    assert others(planned(upstreams={"models": {"coder": CODER}})) == others(planned())


def test_in_knative_mode_an_upstream_keeps_the_host_name_of_the_request() -> None:
    plan = planned(serving={"mode": "Knative"}, second_role=True, upstreams={"models": {"coder": CODER}})
    rules = of_kind(rendered(plan), "HTTPRoute")[AGENTS]["spec"]["rules"]
    rewritten = [any(each["type"] == "URLRewrite" for each in rule["filters"]) for rule in rules]

    assert rewritten == [True, False], "fast goes through Knative, coder does not"


def test_a_translation_proxy_may_stand_on_loopback_and_finds_the_models_there() -> None:
    plan = planned(translation="litellm", upstreams={"models": {"coder": CODER}, "proxy": FAST})

    assert backends(plan)["translation-proxy"] == [{"ip": {"address": "127.0.0.1", "port": 8001}}]
    assert ("Backend", "translation-proxy") in references(plan)
    assert litellm_config(plan)["model_list"][0]["litellm_params"]["api_base"] == f"{CODER}/v1"


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1:8000",
        "http://localhost:8000",
        "https://127.0.0.1:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:8000/v1",
        "http://127.0.0.1:8000@example.com",
        "http://127.0.0.1:8000\n",
        "http://127.0.0.1.example.com:8000",
    ],
)
def test_an_address_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="loopback address"):
        planned(upstreams={"models": {"coder": address}})


@pytest.mark.parametrize(
    ("upstreams", "told"),
    [
        ({"models": {"codr": CODER}}, "the roles are coder"),
        ({"proxy": CODER}, "'upstreams.proxy' only goes with a 'translation'"),
    ],
)
def test_an_upstream_of_what_the_stack_does_not_have_is_refused(upstreams: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        planned(upstreams=upstreams)
