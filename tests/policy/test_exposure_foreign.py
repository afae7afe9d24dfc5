"""The pack `exposure` on what others write, on any gateway, and on what takes more than one change."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from policy.hosted import is_hosted, is_hosted_model
from policy.table import POLICIES
from tests.policy.exposure_changes import HOSTED_MODEL, litellm, variable, words
from tests.policy.programs import Manifest, both
from tests.policy.rendered import Objects, found_in, policies_in
from tests.policy.test_exposure import CHECKABLE, FALLBACK, HOSTED, KEYS, PATHS, SPACE, TLS

pytestmark = pytest.mark.policy


def _server(**container: Any) -> Manifest:
    serving = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "args": ["--model", "acme/x"],
        **container,
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"predictor": {"containers": [serving]}},
    }


def _gateway(of_class: str, protocol: str = "HTTPS") -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public", "namespace": "infra"},
        "spec": {
            "gatewayClassName": of_class,
            "listeners": [{"name": "web", "port": 443, "protocol": protocol}],
        },
    }


def _route(path: str = "/") -> Manifest:
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": "llm-predictor", "port": 80}],
        "timeouts": {"request": "660s"},
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"parentRefs": [{"name": "public", "namespace": "infra"}], "rules": [rule]},
    }


def _exposure(*manifests: Manifest) -> set[str]:
    ours = {policy.name for policy in POLICIES if policy.pack == "exposure"} - {"timeouts-are-monotonic"}
    return policies_in(check_manifests(manifests)) & ours


KEY = {"env": [{"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": "k", "key": "k"}}}]}
FROM_A_SECRET = {"envFrom": [{"secretRef": {"name": "keys"}}]}
FROM_A_CONFIG_MAP = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
ISTIO_CHECK = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "keys", "namespace": "infra"},
    "spec": {"targetRefs": [{"kind": "Gateway", "name": "public"}]},
}
POSITION: dict[str, tuple[list[Manifest], set[str]]] = {
    "Envoy Gateway, nothing checked": ([_server(), _gateway("eg"), _route()], {KEYS, PATHS}),
    "Envoy Gateway, plain": ([_server(), _gateway("eg", "HTTP"), _route()], {KEYS, TLS, PATHS}),
    "Envoy Gateway, the server's own key and all paths": (
        [_server(**KEY), _gateway("eg"), _route()],
        {KEYS, PATHS},
    ),
    "Envoy Gateway, the server's own key and one path": (
        [_server(**KEY), _gateway("eg"), _route("/v1/chat/completions")],
        set(),
    ),
    "Envoy Gateway, a Secret that may hold the server's key": (
        [_server(**FROM_A_SECRET), _gateway("eg"), _route("/v1/chat/completions")],
        set(),
    ),
    "Envoy Gateway, variables that hold no key": (
        [_server(**FROM_A_CONFIG_MAP), _gateway("eg"), _route("/v1/chat/completions")],
        {KEYS},
    ),
    "Istio, nothing told": ([_server(), _gateway("istio"), _route()], {CHECKABLE, PATHS}),
    "Istio, checked its way": ([_server(), _gateway("istio"), _route(), ISTIO_CHECK], {PATHS}),
    "Istio, plain, behind something": (
        [_server(**KEY), _gateway("istio", "HTTP"), _route("/v1/messages")],
        {CHECKABLE},
    ),
    "a Gateway elsewhere": ([_server(), _route()], {CHECKABLE, PATHS}),
    "a Gateway elsewhere and a key of the server": ([_server(**KEY), _route("/v1/messages")], set()),
    "a server alone": ([_server()], set()),
    "a route to something else": ([_gateway("eg"), _route()], set()),
}


@pytest.mark.parametrize("name", POSITION)
def test_what_others_write_is_judged_by_what_is_certain(name: str) -> None:
    manifests, expected = POSITION[name]
    assert _exposure(*manifests) == expected


def test_a_class_is_told_by_its_controller() -> None:
    of_class = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "house"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    }
    assert _exposure(_server(), _gateway("house"), _route()) == {CHECKABLE, PATHS}, "nobody knows the class"
    assert _exposure(_server(), _gateway("house"), _route(), of_class) == {KEYS, PATHS}


def test_an_envoy_that_stays_in_the_cluster_may_speak_plain_http() -> None:
    gateway = _gateway("eg", "HTTP")
    gateway["spec"]["infrastructure"] = {"parametersRef": {"kind": "EnvoyProxy", "name": "inside"}}
    proxy = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": "inside", "namespace": "infra"},
        "spec": {"provider": {"kubernetes": {"envoyService": {"type": "ClusterIP"}}}},
    }
    assert _exposure(_server(**KEY), gateway, _route("/v1/messages"), proxy) == {CHECKABLE}


@pytest.mark.parametrize(
    ("host", "hosted"),
    [
        ("https://api.openai.com/v1", True),
        ("acme.openai.azure.com", True),
        ("europe-west4-aiplatform.googleapis.com", True),
        ("api.openai.com.example.internal", False),
        ("openai-proxy.svc.cluster.local", False),
        ("http://coder-predictor:80/v1", False),
    ],
)
def test_a_provider_is_told_by_its_host(host: str, hosted: bool) -> None:
    assert is_hosted(host) is hosted


@pytest.mark.parametrize(
    ("model", "base", "hosted"),
    [
        ("hosted_vllm/coder", "http://coder:80/v1", False),
        ("openai/coder", "http://coder:80/v1", False),
        ("openai/gpt-5.2", None, True),
        ("gpt-oss-120b", None, False),
        ("gemini/gemini-3-pro", None, True),
        ("openai/coder", "https://openrouter.ai/api/v1", True),
    ],
)
def test_litellm_sends_a_model_to_a_provider_by_its_name_or_its_base(
    model: str, base: str | None, hosted: bool
) -> None:
    assert is_hosted_model(model, base) is hosted


def test_a_gateway_in_the_controllers_namespace_is_advised_against() -> None:
    def change(objects: Objects) -> None:
        for each in objects.values():
            if each["kind"] in (
                "Gateway",
                "HTTPRoute",
                "SecurityPolicy",
                "ClientTrafficPolicy",
                "EnvoyProxy",
            ):
                each["metadata"]["namespace"] = "envoy-gateway-system"

    findings = [finding for finding in found_in("local", change) if finding.policy == SPACE]
    assert [finding.resource for finding in findings] == [
        "HTTPRoute envoy-gateway-system/coding-agents-agents",
        "Gateway envoy-gateway-system/coding-agents",
    ]


def test_no_message_repeats_a_key() -> None:
    change = both(variable("HF_TOKEN", "hf_topsecret"), words("--api-key", "hunter2"))
    text = " ".join(finding.told for finding in found_in("local", change))
    assert "hunter2" not in text
    assert "topsecret" not in text


def test_a_fallback_to_a_hosted_model_is_refused_and_the_model_itself_is_advised_against() -> None:
    change = litellm(more_models=[HOSTED_MODEL], router_settings={"fallbacks": [{"coder": ["big"]}]})
    findings = found_in("feature-litellm-oci", change)
    assert [(f.policy, f.level) for f in findings] == [(FALLBACK, "mandatory"), (HOSTED, "advisory")]
    assert "fall back from coder to the hosted big" in findings[0].told
