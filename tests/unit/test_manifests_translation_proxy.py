"""LiteLLM and claude-code-router: off by default, hardened, and told everything by the plan."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onprem_agents.manifests import Manifest, render
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import of_kind, planned

PROXIES = ("litellm", "claude-code-router")


def files(plan: PlatformPlan) -> dict[str, str]:
    data: dict[str, str] = of_kind(render(plan), "ConfigMap")["translation-proxy"]["data"]
    return data


def container(plan: PlatformPlan) -> Any:
    deployment = of_kind(render(plan), "Deployment")["translation-proxy"]
    return deployment["spec"]["template"]["spec"]["containers"][0]


def backends(plan: PlatformPlan) -> dict[str, str]:
    rules = of_kind(render(plan), "HTTPRoute")["coding-agents-agents"]["spec"]["rules"]
    return {
        match["path"]["value"]: rule["backendRefs"][0]["name"]
        for rule in rules
        for match in rule["matches"]
        if "headers" not in match
    }


def test_native_serving_has_no_proxy_at_all() -> None:
    documents = render(planned())

    assert of_kind(documents, "Deployment") == {}
    assert "translation-proxy-key" not in of_kind(documents, "Secret")


def test_litellm_serves_every_api_and_tells_the_roles_apart_itself() -> None:
    plan = planned(translation="litellm", second_role=True, access={"modelAliases": False})

    assert set(backends(plan).values()) == {"translation-proxy"}
    assert of_kind(render(plan), "EnvoyExtensionPolicy") == {}, (
        "which names of hosted models alone need there"
    )


def test_claude_code_router_serves_anthropics_api_alone() -> None:
    assert backends(planned(translation="claude-code-router")) == {
        "/v1/chat/completions": "coder-predictor",
        "/v1/responses": "coder-predictor",
        "/v1/messages": "translation-proxy",
        "/v1/messages/count_tokens": "translation-proxy",
    }


def test_litellm_reaches_every_role_under_its_own_name() -> None:
    config = json.loads(files(planned(translation="litellm", second_role=True))["config.yaml"])
    models = {model["model_name"]: model["litellm_params"] for model in config["model_list"]}

    assert list(models) == ["coder", "fast"]
    assert models["coder"]["model"] == "hosted_vllm/coder"
    assert models["coder"]["api_base"] == "http://coder-predictor.coding-agents.svc.cluster.local:80/v1"
    assert models["coder"]["timeout"] == 660


def test_litellm_neither_hides_a_failure_nor_asks_the_internet_for_prices() -> None:
    plan = planned(translation="litellm")
    config = json.loads(files(plan)["config.yaml"])
    variables = {entry["name"]: entry.get("value") for entry in container(plan)["env"]}

    assert config["router_settings"] == {"disable_cooldowns": True, "num_retries": 0}
    assert variables["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert int(str(variables["REPEATED_STREAMING_CHUNK_LIMIT"])) > 100, "its default cuts legal streams"


def header_rules(plan: PlatformPlan) -> Any:
    return of_kind(render(plan), "ClientTrafficPolicy")["coding-agents"]["spec"]["headers"]


def test_headers_of_litellms_own_neither_come_in_nor_go_out() -> None:
    own = [{"type": "Prefix", "value": "x-litellm-"}, {"type": "Prefix", "value": "llm_provider-"}]
    rules = header_rules(planned(translation="litellm"))

    assert rules["earlyRequestHeaders"]["removeOnMatch"] == own
    assert rules["lateResponseHeaders"] == {"removeOnMatch": own}
    assert "x-client-id" in rules["earlyRequestHeaders"]["remove"], "as without a proxy"


@pytest.mark.parametrize("translation", ["native", "claude-code-router"])
def test_where_litellm_is_not_no_header_is_taken_for_its(translation: str) -> None:
    rules = header_rules(planned(translation=translation))

    assert "removeOnMatch" not in rules["earlyRequestHeaders"]
    assert "lateResponseHeaders" not in rules


def test_claude_code_router_routes_by_role_and_caps_the_output() -> None:
    plan = planned(translation="claude-code-router", second_role=True)
    config = json.loads(files(plan)["config.json"])

    assert config["Router"] == {"default": "coder,coder", "background": "fast,fast"}
    assert config["Providers"][0]["transformer"] == {
        "use": [
            ["maxtoken", {"max_tokens": plan.main.max_output_tokens}],
            ["customparams", {"thinking_token_budget": 2048}],
        ]
    }
    assert '{"coder": "coder", "fast": "fast"}' in files(plan)["router.js"]


@pytest.mark.parametrize("proxy", PROXIES)
def test_keys_come_from_secrets_and_stand_in_no_file(proxy: str) -> None:
    plan = planned(translation=proxy)
    references = {
        entry["name"]: entry["valueFrom"]["secretKeyRef"]["name"]
        for entry in container(plan)["env"]
        if "valueFrom" in entry
    }

    assert references["VLLM_API_KEY"] == "vllm-server-key"
    assert "translation-proxy-key" in references.values()
    for text in files(plan).values():
        assert "stack's secret" not in text


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_gateway_shows_the_proxy_the_proxys_own_key(proxy: str) -> None:
    documents = render(planned(translation=proxy))
    rules = of_kind(documents, "HTTPRoute")["coding-agents-agents"]["spec"]["rules"]
    rule = next(rule for rule in rules if rule["backendRefs"][0]["name"] == "translation-proxy")
    names = [entry["extensionRef"]["name"] for entry in rule["filters"] if entry["type"] == "ExtensionRef"]
    injection = of_kind(documents, "HTTPRouteFilter")["coding-agents-proxy-key"]["spec"][
        "credentialInjection"
    ]

    assert names == ["coding-agents-proxy-key"]
    assert injection["credential"]["valueRef"]["name"] == "translation-proxy-key"
    assert injection["overwrite"] is True


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_proxys_files_are_read_only_and_its_root_as_well(proxy: str) -> None:
    plan = planned(translation=proxy)
    mounts = [mount for mount in container(plan)["volumeMounts"] if mount["name"] == "config"]

    assert {mount["subPath"] for mount in mounts} == set(files(plan))
    assert all(mount["readOnly"] for mount in mounts)
    assert container(plan)["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_changed_configuration_restarts_the_proxy(proxy: str) -> None:
    def digest(plan: PlatformPlan) -> Manifest:
        deployment = of_kind(render(plan), "Deployment")["translation-proxy"]
        annotations: Manifest = deployment["spec"]["template"]["metadata"]["annotations"]
        return annotations

    one, other = planned(translation=proxy), planned(translation=proxy, timeouts={"longestTurnSeconds": 900})

    assert digest(one) == digest(planned(translation=proxy))
    assert digest(one) != digest(other)
