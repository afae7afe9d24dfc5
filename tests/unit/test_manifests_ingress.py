"""The way in: TLS only, exact paths, limits along one chain, answers that the gateway gives itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import Manifest, render
from onprem_agents.manifests.envoy_provider import proxy_labels
from onprem_agents.manifests.external_ingress import certificates, envoy_proxy, gateway
from onprem_agents.plan import PlatformPlan
from onprem_agents.units import parse_duration
from tests.unit.manifest_samples import of_kind, planned

AGENTS = "coding-agents-agents"
PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens"]


def kind(plan: PlatformPlan, name: str) -> dict[str, Manifest]:
    return of_kind(render(plan), name)


def agent_rules(plan: PlatformPlan) -> Any:
    return kind(plan, "HTTPRoute")[AGENTS]["spec"]["rules"]


def all_matches(plan: PlatformPlan) -> list[Any]:
    routes = kind(plan, "HTTPRoute").values()
    return [match for route in routes for rule in route["spec"]["rules"] for match in rule["matches"]]


def filters(rule: Manifest) -> dict[str, Any]:
    return {entry["type"]: entry for entry in rule["filters"]}


def test_there_is_one_listener_and_it_speaks_https_for_one_host() -> None:
    plan = planned(access={"port": 8443})
    (listener,) = gateway(plan.ingress_part)["spec"]["listeners"]

    assert (listener["protocol"], listener["port"]) == ("HTTPS", 8443)
    assert listener["hostname"] == "agents.example.internal"
    assert listener["tls"]["certificateRefs"] == [{"group": "", "kind": "Secret", "name": "agents-tls"}]


def test_the_gateway_never_stands_in_envoy_gateways_own_namespace() -> None:
    metadata = gateway(planned().ingress_part)["metadata"]

    assert metadata["namespace"] == "coding-agents"
    assert metadata["annotations"]["pulumi.com/waitFor"] == "condition=Programmed"


def test_a_certificate_of_another_namespace_is_referred_to() -> None:
    tls = {"secretName": "agents-tls", "secretNamespace": "certificates"}
    (listener,) = gateway(planned(access={"tls": tls}).ingress_part)["spec"]["listeners"]

    assert listener["tls"]["certificateRefs"][0]["namespace"] == "certificates"


def test_an_issuer_means_a_certificate_that_the_listener_uses() -> None:
    plan = planned(access={"tls": {"issuer": "internal-ca"}})
    (certificate,) = certificates(plan.ingress_part)
    (listener,) = gateway(plan.ingress_part)["spec"]["listeners"]

    assert certificate["spec"]["issuerRef"]["kind"] == "ClusterIssuer"
    assert certificate["spec"]["dnsNames"] == ["agents.example.internal"]
    assert listener["tls"]["certificateRefs"][0]["name"] == certificate["spec"]["secretName"]


def test_a_gateway_that_is_restarted_serves_the_longest_turn_to_its_end() -> None:
    plan = planned(timeouts={"longestTurnSeconds": 1800})
    shutdown = envoy_proxy(plan.ingress_part)["spec"]["shutdown"]
    (policy,) = kind(plan, "ClientTrafficPolicy").values()

    assert shutdown == {"drainTimeout": "32m"}, (
        "1800 s and the margins of two hops; 60 s when nothing is said"
    )
    assert shutdown["drainTimeout"] == policy["spec"]["timeout"]["http"]["streamIdleTimeout"]
    assert gateway(plan.ingress_part)["spec"]["infrastructure"]["parametersRef"] == {
        "group": "gateway.envoyproxy.io",
        "kind": "EnvoyProxy",
        "name": envoy_proxy(plan.ingress_part)["metadata"]["name"],
    }


def test_what_the_gateway_class_says_of_envoy_stays() -> None:
    assert envoy_proxy(planned().ingress_part)["spec"]["mergeType"] == "StrategicMerge"


@pytest.mark.parametrize("replicas", [2, 3])
def test_several_envoys_stand_on_different_nodes_and_a_drained_one_takes_one_of_them(replicas: int) -> None:
    plan = planned(access={"gatewayReplicas": replicas})
    provider = envoy_proxy(plan.ingress_part)["spec"]["provider"]

    assert provider["type"] == "Kubernetes"
    deployment = provider["kubernetes"]["envoyDeployment"]
    assert deployment["replicas"] == replicas
    (wish,) = deployment["pod"]["topologySpreadConstraints"]
    assert (wish["topologyKey"], wish["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    assert wish["labelSelector"]["matchLabels"] == proxy_labels(plan)
    assert provider["kubernetes"]["envoyPDB"] == {"minAvailable": replicas - 1}


def test_two_envoys_are_the_default_and_one_leaves_all_to_the_gateway_class() -> None:
    spec = envoy_proxy(planned().ingress_part)["spec"]
    alone = envoy_proxy(planned(access={"gatewayReplicas": 1}).ingress_part)["spec"]

    assert spec["provider"]["kubernetes"]["envoyDeployment"]["replicas"] == 2
    assert "provider" not in alone
    assert alone == {key: value for key, value in spec.items() if key != "provider"}


def test_the_grant_is_for_one_secret_and_the_gateways_of_one_namespace() -> None:
    tls = {"secretName": "agents-tls", "secretNamespace": "certificates"}
    assert kind(planned(access={"tls": tls}), "ReferenceGrant") == {}
    grant = kind(planned(access={"tls": tls | {"referenceGrant": True}}), "ReferenceGrant")[
        "coding-agents-tls"
    ]

    assert grant["metadata"]["namespace"] == "certificates"
    assert grant["metadata"]["labels"]["app.kubernetes.io/part-of"] == "onprem-coding-agents"
    assert grant["spec"] == {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "coding-agents"}],
        "to": [{"group": "", "kind": "Secret", "name": "agents-tls"}],
    }


@pytest.mark.parametrize("tls", [{"secretName": "agents-tls"}, {"issuer": "ca", "secretName": None}])
def test_a_grant_for_a_secret_of_the_same_namespace_is_refused(tls: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(access={"tls": tls | {"referenceGrant": True}})

    (problem,) = caught.value.problems
    assert (problem.where, problem.cause) == ("platform.access.tls", "contradiction")
    assert problem.found == "'referenceGrant' without 'secretNamespace'"
    assert "name the Secret's namespace in 'secretNamespace'" in problem.fix


def test_only_the_agents_paths_are_let_through_and_each_exactly() -> None:
    matches = all_matches(planned())
    allowed = {(match["method"], match["path"]["type"], match["path"]["value"]) for match in matches}

    assert allowed == {
        *(("POST", "Exact", path) for path in PATHS),
        ("GET", "Exact", "/v1/models"),
        ("GET", "Exact", "/.well-known/opencode"),
        ("GET", "Exact", "/.well-known/onprem-coding-agents.json"),
    }


def test_one_role_without_aliases_needs_no_lua() -> None:
    plan = planned(access={"modelAliases": False})
    assert kind(plan, "EnvoyExtensionPolicy") == {}
    (rule,) = agent_rules(plan)
    assert rule["backendRefs"][0]["name"] == "coder-predictor"


def test_a_second_role_is_told_apart_by_the_header_that_only_the_gateway_sets() -> None:
    plan = planned(second_role=True)
    second, main = agent_rules(plan)
    policy = kind(plan, "EnvoyExtensionPolicy")["coding-agents-model-routing"]
    removed = kind(plan, "ClientTrafficPolicy")["coding-agents"]["spec"]["headers"]["earlyRequestHeaders"][
        "remove"
    ]

    assert second["backendRefs"][0]["name"] == "fast-predictor"
    assert {match["headers"][0]["value"] for match in second["matches"]} == {"fast"}
    assert second["matches"][0]["headers"][0]["name"] == "x-onprem-model"
    assert main["backendRefs"][0]["name"] == "coder-predictor"
    assert all("headers" not in match for match in main["matches"]), "what is not known goes to the main role"
    assert policy["spec"]["targetRefs"][0]["name"] == AGENTS
    assert "x-onprem-model" in removed


def test_sixteen_roles_fit_into_one_route() -> None:
    models = [
        {"role": f"r{number}", "model": "google/gemma-4-E2B-it", "context": 65536} for number in range(16)
    ]
    plan = planned(models=models, hardware={"gpusPerNode": 8, "nodes": 4})

    assert len(agent_rules(plan)) == 16, "Gateway API allows 16 rules"
    assert sum(len(rule["matches"]) for rule in agent_rules(plan)) <= 128, "and 128 matches"


def test_time_limits_grow_from_server_to_gateway() -> None:
    plan = planned(timeouts={"longestTurnSeconds": 1200})
    rule = agent_rules(plan)[0]
    backend = kind(plan, "BackendTrafficPolicy")[AGENTS]["spec"]["timeout"]["http"]
    client = kind(plan, "ClientTrafficPolicy")["coding-agents"]["spec"]["timeout"]["http"]

    route = parse_duration(rule["timeouts"]["request"])
    assert 1200 < route < parse_duration(backend["streamIdleTimeout"])
    assert parse_duration(rule["timeouts"]["backendRequest"]) == route
    assert parse_duration(client["streamIdleTimeout"]) == parse_duration(backend["streamIdleTimeout"])
    assert parse_duration(backend["maxStreamDuration"]) > route


def test_a_turn_is_never_tried_twice() -> None:
    assert "retry" not in kind(planned(), "BackendTrafficPolicy")[AGENTS]["spec"]


def test_the_body_limit_is_the_plans_and_connections_are_bounded() -> None:
    plan = planned()
    connection = kind(plan, "ClientTrafficPolicy")["coding-agents"]["spec"]["connection"]

    assert connection["bufferLimit"] == f"{plan.request_body_mib}Mi"
    assert connection["connectionLimit"] == {"value": 256}


def test_requests_that_hide_a_path_are_refused() -> None:
    spec = kind(planned(), "ClientTrafficPolicy")["coding-agents"]["spec"]

    assert spec["path"]["escapedSlashesAction"] == "RejectRequest"
    assert spec["headers"]["withUnderscoresAction"] == "RejectRequest"
    assert spec["tls"]["minVersion"] == "1.2"


def test_the_developers_key_goes_and_the_servers_key_comes() -> None:
    (rule,) = agent_rules(planned())

    assert filters(rule)["RequestHeaderModifier"]["requestHeaderModifier"] == {"remove": ["x-api-key"]}
    assert filters(rule)["ExtensionRef"]["extensionRef"]["name"] == "coding-agents-server-key"


def test_the_gateway_lists_all_models_itself() -> None:
    answer = kind(planned(second_role=True), "HTTPRouteFilter")["coding-agents-models"]["spec"][
        "directResponse"
    ]
    models = json.loads(answer["body"]["inline"])

    assert [model["id"] for model in models["data"]] == ["coder", "fast"]
    assert models["data"][0]["max_model_len"] == 65536
    assert answer["contentType"] == "application/json"


def test_the_connection_contract_is_served_without_a_key() -> None:
    plan = planned()
    answer = kind(plan, "HTTPRouteFilter")["coding-agents-connection"]["spec"]["directResponse"]
    guarded = kind(plan, "SecurityPolicy")["coding-agents-keys"]["spec"]["targetRefs"]

    assert answer["body"]["inline"] == plan.connection.to_json()
    assert "coding-agents-connection" not in {target["name"] for target in guarded}


def test_a_percent_sign_in_an_answer_is_written_twice() -> None:
    plan = planned(access={"tls": {"secretName": "agents-tls", "caHint": "the share pki, 100% internal"}})
    answer = kind(plan, "HTTPRouteFilter")["coding-agents-connection"]["spec"]["directResponse"]

    assert "100%% internal" in answer["body"]["inline"], "Envoy Gateway takes the body for a format"


def test_knative_is_reached_by_name_for_its_service_is_no_backend() -> None:
    plan = planned(serving={"mode": "Knative"})
    (rule,) = agent_rules(plan)
    backend = kind(plan, "Backend")["coder-predictor"]["spec"]["endpoints"][0]["fqdn"]

    assert rule["backendRefs"][0]["kind"] == "Backend"
    assert backend == {"hostname": "coder-predictor.coding-agents.svc.cluster.local", "port": 80}
    assert filters(rule)["URLRewrite"]["urlRewrite"]["hostname"] == backend["hostname"]


def test_envoy_ai_gateway_gets_a_backend_of_each_schema_and_rules_by_model() -> None:
    plan = planned(access={"gateway": "envoy-ai-gateway"}, second_role=True)
    documents = render(plan)
    backends = of_kind(documents, "AIServiceBackend")
    (route,) = of_kind(documents, "AIGatewayRoute").values()
    rules = route["spec"]["rules"]

    assert {name: item["spec"]["schema"]["name"] for name, item in backends.items()} == {
        "coder-openai": "OpenAI",
        "coder-anthropic": "Anthropic",
        "fast-openai": "OpenAI",
        "fast-anthropic": "Anthropic",
    }
    assert all(item["spec"]["backendRef"]["kind"] == "Backend" for item in backends.values())
    assert len(rules) == 4
    assert all(rule["timeouts"]["request"] == "11m" for rule in rules), "AI Gateway's own default is 60 s"
    assert of_kind(documents, "EnvoyExtensionPolicy") == {}
    targets = of_kind(documents, "SecurityPolicy")["coding-agents-keys"]["spec"]["targetRefs"]
    assert [target["name"] for target in targets] == [route["metadata"]["name"]]


@pytest.mark.parametrize("roles", [7, 8, 15])
def test_ai_gateway_routes_never_exceed_their_fifteen_rules(roles: int) -> None:
    models = [
        {"role": f"r{number}", "model": "google/gemma-4-E2B-it", "context": 65536} for number in range(roles)
    ]
    plan = planned(
        models=models, hardware={"gpusPerNode": 8, "nodes": 4}, access={"gateway": "envoy-ai-gateway"}
    )
    routes = of_kind(render(plan), "AIGatewayRoute")

    assert all(len(route["spec"]["rules"]) <= 15 for route in routes.values())
    assert sum(len(route["spec"]["rules"]) for route in routes.values()) == 2 * roles
