"""Quotas before model servers that hold, and tokens made for them: on our own stacks and on what others write."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from tests.policy.exposure_changes import CLIENT, GATEWAY, ON_THE_GATEWAY, POLICY
from tests.policy.programs import Manifest, both, drop, put
from tests.policy.rendered import Change, Objects, assert_only, found_in, policies_in

pytestmark = pytest.mark.policy

STACK = "feature-ai-gateway"

AUDIENCE, APART, COUNT = (
    "tokens-name-their-audience",
    "quotas-tell-people-apart",
    "quotas-count-what-they-limit",
)
SHARED, FAIL, SECRETS, KEYS = (
    "quotas-are-shared",
    "quotas-say-how-they-fail",
    "secrets-are-not-plain",
    "routes-check-keys",
)
OURS = {AUDIENCE, APART, COUNT, SHARED, FAIL}

ROUTE = "AIGatewayRoute/coding-agents-agents"
PERSON = {"headers": [{"name": "x-client-id", "type": "Distinct"}]}
MODEL = {"headers": [{"name": "x-ai-eg-model", "type": "Exact", "value": "coder"}]}
LIMIT = {"requests": 1_000_000, "unit": "Hour"}
HOUSE = {
    "name": "house",
    "issuer": "https://login.example.internal",
    "remoteJWKS": {"uri": "https://login.example.internal/jwks"},
}
OPTIONAL = {"optional": True, "providers": [{**HOUSE, "audiences": ["a"]}]}
BY_CLAIMS = [{"action": "Allow", "principal": {"jwt": {"provider": "house"}}}]
CLIENT_OF_REDIS = (
    "provider: {kubernetes: {rateLimitDeployment: {container: {env: [{name: REDIS_AUTH, value: hunter2}]}}}}"
)
CONFIG = """apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
rateLimit:
  backend: {type: Redis, redis: {url: "%s"}}
  %s
"""


def _rule(
    *selectors: Any, key: Any = None, space: Any = "io.envoy.ai_gateway", **more: Any
) -> dict[str, Any]:
    cost = {
        "request": {"from": "Number", "number": 0},
        "response": {"from": "Metadata", "metadata": {"namespace": space, "key": key}},
    }
    return {
        "clientSelectors": list(selectors),
        "limit": LIMIT,
        **({} if key is None else {"cost": cost}),
        **more,
    }


def _limits(*rules: Any, on: Any = None, scope: str = "global") -> Change:
    """Return a change that limits the route, or what `on` names."""
    target = [{"kind": "HTTPRoute", "name": "coding-agents-agents"}] if on is None else on
    return put(
        "BackendTrafficPolicy/quota",
        value={
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "BackendTrafficPolicy",
            "metadata": {"name": "quota", "namespace": "coding-agents"},
            "spec": {"targetRefs": target, "rateLimit": {scope: {"rules": list(rules)}}},
        },
    )


def _counts(*keys: Any) -> Change:
    costs = [{"metadataKey": key, "type": "TotalToken"} for key in keys]
    return put(ROUTE, "spec", "llmRequestCosts", value=costs)


def _second_route(objects: Objects) -> None:
    second = {**objects[ROUTE], "metadata": {"name": "second", "namespace": "coding-agents"}}
    objects["AIGatewayRoute/second"] = second
    objects["SecurityPolicy/coding-agents-keys"]["spec"]["targetRefs"] = ON_THE_GATEWAY
    objects["BackendTrafficPolicy/coding-agents-agents"]["spec"]["targetRefs"] = ON_THE_GATEWAY


def _configuration(said: str, url: str = "redis.example.internal:6379") -> Change:
    return put(
        "ConfigMap/envoy-gateway-config",
        value={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "envoy-gateway-config", "namespace": "envoy-gateway-system"},
            "data": {"envoy-gateway.yaml": CONFIG % (url, said)},
        },
    )


def _release(limit: Any) -> Change:
    return put(
        "Release/eg",
        value={
            "apiVersion": "helm.sh/v3",
            "kind": "Release",
            "metadata": {"name": "eg"},
            "chart": "gateway-helm",
            "values": {"config": {"envoyGateway": {"rateLimit": limit}}},
        },
    )


def _tokens(**provider: Any) -> Change:
    return put(*POLICY, "jwt", value={"providers": [{**HOUSE, **provider}]})


MUTATIONS: dict[str, tuple[Change, str, str]] = {
    # change of the stack with the AI gateway, the one policy that fires, a part of its message
    "a limit for all together": (_limits(_rule()), APART, "limits all people together"),
    "a limit for a model": (_limits(_rule(MODEL)), APART, "type: Distinct"),
    "a limit of each Envoy for all together": (
        _limits(_rule(), scope="local"),
        APART,
        "BackendTrafficPolicy",
    ),
    "a limit on the Gateway for all together": (
        _limits(_rule(), on=ON_THE_GATEWAY),
        APART,
        "coding-agents/quota",
    ),
    "tokens that nobody counts": (
        _limits(_rule(PERSON, key="llm_total_token")),
        COUNT,
        "but its routes count none (llmRequestCosts)",
    ),
    "tokens counted under another key": (
        both(_counts("llm_total_tokens"), _limits(_rule(PERSON, key="llm_total_token"))),
        COUNT,
        "but its routes count llm_total_tokens of io.envoy.ai_gateway",
    ),
    "tokens counted in another namespace": (
        both(_counts("total"), _limits(_rule(PERSON, key="total", space="envoy.lb"))),
        COUNT,
        "counts tokens by total of envoy.lb",
    ),
    "a key of tokens known later": (
        both(_counts("total"), _limits(_rule(PERSON, key=UNKNOWN))),
        COUNT,
        "only known at run time",
    ),
    "one budget a route": (
        both(_second_route, _limits(_rule(PERSON), on=ON_THE_GATEWAY)),
        SHARED,
        "AIGatewayRoute coding-agents/coding-agents-agents, AIGatewayRoute coding-agents/second",
    ),
    "one budget for each of two targets": (
        both(
            _second_route,
            _limits(
                _rule(PERSON, shared=False),
                on=[{"kind": "HTTPRoute", "name": name} for name in ("coding-agents-agents", "second")],
            ),
        ),
        SHARED,
        "2 times the budget",
    ),
    "a store that nobody misses": (_configuration(""), FAIL, "data[envoy-gateway.yaml]: rateLimit"),
    "one in the chart's values": (
        _release({"backend": {"type": "Redis"}}),
        FAIL,
        "values.config.envoyGateway.rateLimit.failClosed",
    ),
    "a password of the store in a ConfigMap": (
        _configuration("failClosed: true", "redis://:hunter2pass@redis:6379"),
        SECRETS,
        "data[envoy-gateway.yaml]",
    ),
    "a password of the store in its environment": (
        _configuration(f"failClosed: true\n{CLIENT_OF_REDIS}"),
        SECRETS,
        "REDIS_AUTH of rateLimitDeployment",
    ),
    "tokens of any application": (_tokens(), AUDIENCE, "jwt.providers[house] without audiences"),
    "no audience in the list": (_tokens(audiences=[]), AUDIENCE, "takes every token of its issuer"),
    "a token that may be left out": (
        both(
            drop(*POLICY, "apiKeyAuth"),
            put(*POLICY, "jwt", value=OPTIONAL),
        ),
        KEYS,
        "checks none (jwt.optional is true, so a request without a token passes)",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_of_a_stack_makes_exactly_one_policy_fire(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    assert_only(policy, found_in(STACK, change), part)


def _gateway_config(objects: Objects) -> None:
    gateway = objects["Gateway/coding-agents"]["metadata"]
    gateway.setdefault("annotations", {})["aigateway.envoyproxy.io/gateway-config"] = "costs"
    objects["GatewayConfig/costs"] = {
        "apiVersion": "aigateway.envoyproxy.io/v1beta1",
        "kind": "GatewayConfig",
        "metadata": {"name": "costs", "namespace": "coding-agents"},
        "spec": {"globalLLMRequestCosts": [{"metadataKey": "total", "type": "TotalToken"}]},
    }


HARMLESS: dict[str, Change] = {
    "a quota a person": both(_counts("total"), _limits(_rule(PERSON, key="total"))),
    "a ceiling beside quotas": _limits(_rule(PERSON), _rule()),
    "a limit by address": _limits(_rule({"sourceCIDR": {"type": "Distinct", "value": "10.0.0.0/8"}})),
    "selectors known later": _limits({"clientSelectors": UNKNOWN, "limit": LIMIT}),
    "tokens counted for the whole Gateway": both(_gateway_config, _limits(_rule(PERSON, key="total"))),
    "costs known later": both(_counts(UNKNOWN), _limits(_rule(PERSON, key="total"))),
    "metadata of another filter": _limits(_rule(PERSON, key="size", space="com.example.filter")),
    "one budget for two routes": both(_second_route, _limits(_rule(PERSON, shared=True), on=ON_THE_GATEWAY)),
    "a budget that may be shared": both(
        _second_route, _limits(_rule(PERSON, shared=UNKNOWN), on=ON_THE_GATEWAY)
    ),
    "a limit on another route": _limits(_rule(), on=[{"kind": "HTTPRoute", "name": "ui"}]),
    "a target known later": _limits(_rule(), on=[{"kind": "HTTPRoute", "name": UNKNOWN}]),
    "a store that closes": _configuration("failClosed: true"),
    "a store that opens, and it is said": _configuration("failClosed: false"),
    "a chart without quotas": _release(None),
    "tokens for the models": _tokens(audiences=["coding-agents"]),
    "audiences known later": _tokens(audiences=UNKNOWN),
    "tokens judged by their claims": both(
        _tokens(),
        put(
            *POLICY,
            "authorization",
            value={
                "defaultAction": "Deny",
                "rules": [{"action": "Allow", "principal": {"jwt": {"provider": "house"}}}],
            },
        ),
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_holds_is_left_alone(name: str) -> None:
    assert [f.told for f in found_in(STACK, HARMLESS[name])] == []


def _theirs(kind: str, target: str, name: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "theirs", "namespace": "ml"},
        "spec": {"targetRef": {"kind": target, "name": name}, **spec},
    }


def _program(*more: Manifest) -> set[str]:
    server = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {
            "predictor": {
                "containers": [{"image": "vllm/vllm-openai:v0.33.0", "args": ["--model", "acme/x"]}]
            }
        },
    }
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public", "namespace": "ml"},
        "spec": {"gatewayClassName": "eg", "listeners": [{"name": "web", "protocol": "HTTPS"}]},
    }
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": [{"name": "llm-predictor"}]}]},
    }
    return policies_in(check_manifests([server, gateway, route, *more])) & OURS


def test_a_plain_route_of_theirs_counts_no_tokens() -> None:
    rules = {"rateLimit": {"type": "Global", "global": {"rules": [_rule(PERSON, key="llm_total_token")]}}}
    assert _program(_theirs("BackendTrafficPolicy", "HTTPRoute", "llm", **rules)) == {COUNT}


def test_their_older_single_target_is_read() -> None:
    rules = {"rateLimit": {"global": {"rules": [_rule()]}}}
    assert _program(_theirs("BackendTrafficPolicy", "Gateway", "public", **rules)) == {APART}
    assert _program(_theirs("SecurityPolicy", "Gateway", "public", jwt={"providers": [HOUSE]})) == {AUDIENCE}


def test_quotas_before_no_model_server_are_nobodys_business() -> None:
    rules = {"rateLimit": {"global": {"rules": [_rule()]}}}
    assert (
        policies_in(check_manifests([_theirs("BackendTrafficPolicy", "HTTPRoute", "ui", **rules)])) == set()
    )
    objects: Objects = {}
    _configuration("")(objects)
    assert policies_in(check_manifests(objects.values())) == set()


def test_the_identity_header_of_a_quota_is_still_stripped_first() -> None:
    change = both(_limits(_rule(PERSON)), drop(*CLIENT, "headers"))
    assert policies_in(found_in(STACK, change)) == {"identity-headers-are-stripped"}


def test_a_gateway_elsewhere_may_count_tokens_itself() -> None:
    change = both(_limits(_rule(PERSON, key="total")), drop(GATEWAY[0]))
    assert COUNT not in policies_in(found_in(STACK, change))
