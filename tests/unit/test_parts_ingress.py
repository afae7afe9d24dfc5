"""An ingress, a key check and a proxy that stand alone: shut by default, each server with its own key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import Bundle, Manifest, auth_bundles, ingress_bundles, proxy_bundles
from onprem_agents.plan import IngressPart, ProxyPart
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.part_samples import ANY_SERVICE, auth, ingress, proxy, proxy_told, reference

FAST = {"name": "fast", "role": "fast", "service": "fast-predictor", "keySecret": "fast-server-key"}


def declared(*found: Bundle) -> list[Manifest]:
    return [each.shown() for bundle in found for each in bundle.objects]


def rules(part: IngressPart) -> list[Manifest]:
    routes = of_kind(declared(*ingress_bundles(part)), "HTTPRoute")
    found: list[Manifest] = routes["coding-agents-agents"]["spec"]["rules"]
    return found


def filters(rule: Manifest) -> list[str]:
    return [each["extensionRef"]["name"] for each in rule["filters"] if each["type"] == "ExtensionRef"]


def problems_of(make: Any, **changes: Any) -> dict[str, Problem]:
    with pytest.raises(InvalidInput) as caught:
        make(**changes)
    return {problem.where: problem for problem in caught.value.problems}


def test_an_ingress_alone_denies_everything_but_the_connection_contract() -> None:
    policies = of_kind(declared(*ingress_bundles(ingress())), "SecurityPolicy")
    told = {
        (target["kind"], target["name"]): policy["spec"]["authorization"]["defaultAction"]
        for policy in policies.values()
        for target in policy["spec"]["targetRefs"]
    }

    assert told == {("Gateway", "coding-agents"): "Deny", ("HTTPRoute", "coding-agents-connection"): "Allow"}


def test_the_guard_stands_before_gateway_and_routes() -> None:
    after = {bundle.group: bundle.after for bundle in ingress_bundles(ingress())}

    assert "guard" in after["gateway"]
    assert "guard" in after["routes"]


def test_a_platform_needs_no_guard_for_its_key_check_comes_first() -> None:
    assert "guard" not in {bundle.group for bundle in ingress_bundles(planned().ingress_part)}


def test_the_key_check_takes_the_place_of_the_guard_on_every_route_to_a_server() -> None:
    (policy,) = of_kind(declared(*auth_bundles(auth("bob", "alice"))), "SecurityPolicy").values()
    guarded = {
        name
        for name in of_kind(declared(*ingress_bundles(ingress())), "HTTPRoute")
        if name != "coding-agents-connection"
    }

    assert {target["name"] for target in policy["spec"]["targetRefs"]} == guarded
    assert "mergeType" not in policy["spec"], "a merged policy would keep the denial"
    assert [each["name"] for each in policy["spec"]["apiKeyAuth"]["credentialRefs"]] == [
        "key-alice",
        "key-bob",
    ]


def test_each_server_gets_its_own_key_and_one_without_gets_none() -> None:
    part = ingress(servers=[reference(), FAST, ANY_SERVICE])
    injected = {
        name: found["spec"]["credentialInjection"]["credential"]["valueRef"]["name"]
        for name, found in of_kind(declared(*ingress_bundles(part)), "HTTPRouteFilter").items()
        if "credentialInjection" in found["spec"]
    }
    fast, mistral, main = rules(part)

    assert [injected[name] for name in filters(main)] == ["coder-server-key"]
    assert [injected[name] for name in filters(fast)] == ["fast-server-key"]
    assert filters(mistral) == []
    assert set(injected.values()) == {"coder-server-key", "fast-server-key"}


def test_any_service_is_reached_by_its_name_and_port_and_the_model_that_it_serves() -> None:
    rule, _ = rules(ingress(servers=[reference(), ANY_SERVICE]))

    assert rule["backendRefs"] == [
        {"group": "", "kind": "Service", "name": "mistral-vllm", "port": 8000, "weight": 1}
    ]
    assert {each["headers"][0]["value"] for each in rule["matches"]} == {"mistral"}


def test_servers_of_knative_are_reached_by_their_host_name() -> None:
    part = ingress(servers=[reference(mode="Knative")])
    (rule,) = rules(part)
    (backend,) = of_kind(declared(*ingress_bundles(part)), "Backend").values()

    assert backend["spec"]["endpoints"][0]["fqdn"]["hostname"] == "coder-predictor.team-a.svc.cluster.local"
    assert rule["backendRefs"][0]["kind"] == "Backend"
    assert any(each["type"] == "URLRewrite" for each in rule["filters"])


def test_the_contract_tells_what_a_platform_would_tell_of_the_same_server() -> None:
    alone, platform = ingress().connection, planned(model={"context": 98_304}).connection
    assert alone is not None

    assert alone.roles == platform.roles
    assert alone.timeouts == platform.timeouts


def test_the_contract_is_published_only_if_every_server_tells_its_context() -> None:
    part = ingress(servers=[reference(), ANY_SERVICE])
    names = {each["metadata"]["name"] for each in declared(*ingress_bundles(part))}

    assert part.connection is None
    assert "mistral" in part.notes[0]
    assert not any("connection" in name or name == "coding-agents-open" for name in names)
    assert part.request_body_mib == 64, "the largest, where a context is unknown"


def test_a_context_is_enough_for_the_contract_of_any_service() -> None:
    part = ingress(servers=[ANY_SERVICE | {"contextTokens": 131_072}])
    assert part.connection is not None
    (role,) = part.connection.roles

    assert (role.role, role.model, role.model_id) == ("mistral", "mistral", "mistral")
    assert role.max_output_tokens == 16_384
    assert "claude" in role.supported_agents
    assert part.request_body_mib == 8


def test_agents_that_cannot_use_a_small_window_are_told_why() -> None:
    part = ingress(servers=[ANY_SERVICE | {"contextTokens": 16_384}])
    assert part.connection is not None

    assert part.connection.main.supported_agents == ("opencode", "cline", "kilo", "pi", "aider", "goose")
    assert set(part.connection.main.unsupported_reasons) == {"codex", "claude", "qwen", "copilot", "cn"}


def test_the_longest_turn_is_that_of_the_servers() -> None:
    assert ingress(servers=[ANY_SERVICE]).timeouts.longest_turn_seconds == 600
    assert ingress(servers=[reference(longestTurnSeconds=900)]).timeouts.longest_turn_seconds == 900
    assert ingress(longestTurnSeconds=1200).timeouts.longest_turn_seconds == 1200


def test_a_gateway_that_would_cut_turns_is_refused() -> None:
    (problem,) = problems_of(ingress, longestTurnSeconds=300).values()

    assert problem.where == "longestTurnSeconds"
    assert problem.fix == "set longestTurnSeconds to 600, or leave it out"


def test_what_no_gateway_could_lead_to_is_refused_at_the_server() -> None:
    found = problems_of(
        ingress,
        servers=[
            reference(namespace="team-b"),
            FAST | {"service": "coder-predictor"},
            reference(name="fast"),
        ],
        proxy=proxy_told() | {"namespace": "team-c"},
    )

    assert {where: problem.cause for where, problem in found.items()} == {"servers": "repeated"}, (
        "form comes first"
    )
    found = problems_of(
        ingress,
        servers=[reference(namespace="team-b"), FAST | {"service": "coder-predictor"}],
        proxy=proxy_told() | {"namespace": "team-c"},
    )
    assert set(found) == {"servers[0].namespace", "servers[1].keySecret", "proxy.namespace"}


def test_what_the_contract_would_refuse_is_told_at_the_argument() -> None:
    servers = [ANY_SERVICE | {"name": "Mistral.Large", "contextTokens": 32_768, "maxOutputTokens": 30_000}]

    assert set(problems_of(ingress, servers=servers)) == {"servers[0].role"}


def test_a_proxy_takes_its_paths_and_leaves_the_rest_to_the_servers() -> None:
    part = ingress(proxy=proxy_told(software="claude-code-router"))
    native, translated = rules(part)

    assert [each["path"]["value"] for each in translated["matches"]] == [
        "/v1/messages",
        "/v1/messages/count_tokens",
    ]
    assert filters(translated) == ["coding-agents-proxy-key"]
    assert filters(native) == ["coding-agents-key-coder-predictor"]
    assert part.connection is not None
    assert part.connection.translation == "claude-code-router"


def test_a_proxy_in_front_of_all_needs_no_filter_for_the_servers_keys() -> None:
    (rule,) = rules(ingress(proxy=proxy_told()))

    assert filters(rule) == ["coding-agents-proxy-key"]


def environment(part: ProxyPart) -> dict[str, str]:
    (deployment,) = of_kind(declared(*proxy_bundles(part)), "Deployment").values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {
        each["name"]: each["valueFrom"]["secretKeyRef"]["name"]
        for each in container["env"]
        if "valueFrom" in each
    }


def test_a_proxy_reads_each_servers_key_from_its_own_secret() -> None:
    part = proxy(servers=[reference(), FAST, ANY_SERVICE])
    (files,) = of_kind(declared(*proxy_bundles(part)), "ConfigMap").values()
    models = json.loads(files["data"]["config.yaml"])["model_list"]

    assert environment(part) == {
        "LITELLM_MASTER_KEY": "translation-proxy-key",
        "VLLM_API_KEY": "coder-server-key",
        "VLLM_API_KEY_2": "fast-server-key",
    }
    assert [each["litellm_params"]["api_key"] for each in models] == [
        "os.environ/VLLM_API_KEY",
        "os.environ/VLLM_API_KEY_2",
        "none",
    ]
    assert models[2]["litellm_params"]["api_base"] == "http://mistral-vllm.team-a.svc.cluster.local:8000/v1"
    assert "model_info" in models[0]
    assert "model_info" not in models[2]


def test_a_proxy_alone_makes_the_secret_of_its_own_key() -> None:
    assert list(of_kind(declared(*proxy_bundles(proxy())), "Secret")) == ["translation-proxy-key"]


def test_a_proxy_that_would_call_itself_is_refused() -> None:
    assert set(problems_of(proxy, servers=[ANY_SERVICE | {"service": "translation-proxy"}])) == {
        "servers[0].service"
    }


def test_a_developer_whose_name_no_secret_could_carry_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        auth("Alice Smith", "bob")

    assert [problem.where for problem in caught.value.problems] == ["developerKeys.'Alice Smith'"]
