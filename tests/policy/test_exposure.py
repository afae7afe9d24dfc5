"""The pack `exposure`: each rule on our own stacks, bent, and on what others write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.hosted import is_hosted, is_hosted_model
from policy.table import POLICIES
from tests.policy.programs import Manifest, both, drop, put
from tests.policy.rendered import Change, Objects, found_in, policies_in

pytestmark = pytest.mark.policy

KEYS, TLS, PATHS = "routes-check-keys", "listeners-speak-tls", "paths-are-listed"
IDENTITY, SANITIZE, BUFFER = (
    "identity-headers-are-stripped",
    "keys-end-at-the-gateway",
    "bodies-fit-the-buffer",
)
BEHIND, DENY = "servers-stay-behind-the-gateway", "networks-deny-by-default"
SPACE = "gateways-have-their-own-namespace"
FALLBACK, HOSTED, SECRETS = "no-hosted-fallback", "no-hosted-models", "secrets-are-not-plain"
CHECKABLE = "exposure-can-be-checked"

ROUTE = "HTTPRoute/coding-agents-agents"
RULE = (ROUTE, "spec", "rules", 0)
POLICY = ("SecurityPolicy/coding-agents-keys", "spec")
GATEWAY = ("Gateway/coding-agents", "spec")
CLIENT = ("ClientTrafficPolicy/coding-agents", "spec")
CONTAINER = ("InferenceService/coder", "spec", "predictor", "containers", 0)
ON_THE_GATEWAY = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "coding-agents"}]
PLAIN = {"name": "http", "port": 80, "protocol": "HTTP"}


def _variable(name: str, value: Any) -> Change:
    def change(objects: Objects) -> None:
        container = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]
        container["env"].append({"name": name, "value": value})

    return change


def _plain_listener(objects: Objects) -> None:
    objects["Gateway/coding-agents"]["spec"]["listeners"].append(dict(PLAIN))


def _words(*words: Any) -> Change:
    def change(objects: Objects) -> None:
        objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]["args"] += words

    return change


def _service(**spec: Any) -> Change:
    labels = {"serving.kserve.io/inferenceservice": "coder"}
    return put(
        "Service/open",
        value={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "open", "namespace": "coding-agents"},
            "spec": {"selector": labels, **spec},
        },
    )


def _provider(host: Any) -> Change:
    """Return a change that gives the turns of the first rule a second way, to a host."""
    backend = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "other", "namespace": "coding-agents"},
        "spec": {"endpoints": [{"fqdn": {"hostname": host, "port": 443}}]},
    }

    def change(objects: Objects) -> None:
        objects["Backend/other"] = backend
        ref = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "other"}
        objects[ROUTE]["spec"]["rules"][0]["backendRefs"].append(ref)

    return change


def _litellm(**parts: Any) -> Change:
    """Return a change of LiteLLM's configuration."""

    def change(objects: Objects) -> None:
        data = objects["ConfigMap/translation-proxy"]["data"]
        content = json.loads(data["config.yaml"])
        content["model_list"] += parts.pop("more_models", [])
        for key, value in parts.items():
            content[key] = {**content.get(key, {}), **value}
        data["config.yaml"] = json.dumps(content)

    return change


HOSTED_MODEL = {"model_name": "big", "litellm_params": {"model": "anthropic/claude-opus-5"}}

MUTATIONS: dict[str, tuple[str, Change, str, str]] = {
    # the stack, its change, the one policy that fires, a part of its message
    "no check of keys": (
        "local",
        drop("SecurityPolicy/coding-agents-keys"),
        KEYS,
        "no SecurityPolicy is on it",
    ),
    "a check on another route": (
        "local",
        put(*POLICY, "targetRefs", value=[{"kind": "HTTPRoute", "name": "ui"}]),
        KEYS,
        "HTTPRoute coding-agents-agents",
    ),
    "a check in another namespace": (
        "local",
        put("SecurityPolicy/coding-agents-keys", "metadata", "namespace", value="infra"),
        KEYS,
        "no SecurityPolicy is on it",
    ),
    "a check on another listener": (
        "local",
        put(*POLICY, "targetRefs", value=[{**ON_THE_GATEWAY[0], "sectionName": "admin"}]),
        KEYS,
        "listener https",
    ),
    "a policy that checks nothing": (
        "local",
        both(drop(*POLICY, "apiKeyAuth"), put(*POLICY, "cors", value={})),
        KEYS,
        "which decides there, checks none",
    ),
    "a token that may be left out": (
        "local",
        both(drop(*POLICY, "apiKeyAuth"), put(*POLICY, "jwt", value={"optional": True, "providers": []})),
        KEYS,
        "checks none",
    ),
    "a target known later": (
        "local",
        put(*POLICY, "targetRefs", value=[{"kind": "HTTPRoute", "name": UNKNOWN}]),
        KEYS,
        "only known at run time, so nothing proves",
    ),
    "a check known later": ("local", put(*POLICY, "apiKeyAuth", value=UNKNOWN), KEYS, "so nothing proves"),
    "no check before the AI gateway": (
        "feature-ai-gateway",
        drop("SecurityPolicy/coding-agents-keys"),
        KEYS,
        "AIGatewayRoute coding-agents/coding-agents-agents",
    ),
    "no check before a proxy": (
        "feature-litellm-oci",
        drop("SecurityPolicy/coding-agents-keys"),
        KEYS,
        "leads to 2 model servers",
    ),
    "a plain listener": (
        "local",
        put(*GATEWAY, "listeners", 0, "protocol", value="HTTP"),
        TLS,
        "over plain HTTP (listener https)",
    ),
    "a protocol known later": (
        "local",
        put(*GATEWAY, "listeners", 0, "protocol", value=UNKNOWN),
        TLS,
        "a protocol that is only known at run time",
    ),
    "a plain listener beside, and a route on all": (
        "local",
        both(
            _plain_listener,
            put(ROUTE, "spec", "parentRefs", value=[{"name": "coding-agents"}]),
        ),
        TLS,
        "(listener http)",
    ),
    "all paths": ("local", put(*RULE, "matches", value=[{"path": {"value": "/"}}]), PATHS, "/metrics"),
    "all paths without a word": ("local", drop(*RULE, "matches"), PATHS, "opens /metrics, /docs"),
    "all below /v1": (
        "local",
        put(*RULE, "matches", value=[{"path": {"type": "PathPrefix", "value": "/v1"}}]),
        PATHS,
        "opens /v1/load_lora_adapter of",
    ),
    "a prefix that is rewritten": (
        "local",
        both(
            put(*RULE, "matches", value=[{"path": {"type": "PathPrefix", "value": "/coder"}}]),
            put(*RULE, "filters", 0, value={"urlRewrite": {"path": {"replacePrefixMatch": "/"}}}),
        ),
        PATHS,
        "/invocations",
    ),
    "an identity that clients can send": (
        "local",
        put(*CLIENT, "headers", "earlyRequestHeaders", "remove", value=["x-user-id"]),
        IDENTITY,
        "in x-client-id",
    ),
    "an identity of a token": (
        "local",
        put(
            *POLICY, "jwt", value={"providers": [{"claimToHeaders": [{"claim": "team", "header": "X-Team"}]}]}
        ),
        IDENTITY,
        "Add X-Team to headers.earlyRequestHeaders.remove",
    ),
    "no word on early headers": ("local", drop(*CLIENT, "headers"), IDENTITY, "x-client-id"),
    "keys that go on to the server": (
        "local",
        drop(*POLICY, "apiKeyAuth", "sanitize"),
        SANITIZE,
        "sanitize: true",
    ),
    "keys that go on, in words": (
        "team",
        put(*POLICY, "apiKeyAuth", "sanitize", value=False),
        SANITIZE,
        "whose logs may keep it",
    ),
    "no buffer before the AI gateway": (
        "feature-ai-gateway",
        drop(*CLIENT, "connection", "bufferLimit"),
        BUFFER,
        "32 KiB",
    ),
    "a buffer below a context": (
        "feature-ai-gateway",
        put(*CLIENT, "connection", "bufferLimit", value="64Ki"),
        BUFFER,
        "limits bodies to 64Ki (connection.bufferLimit)",
    ),
    "a buffer known later": (
        "feature-ai-gateway",
        put(*CLIENT, "connection", "bufferLimit", value=UNKNOWN),
        BUFFER,
        "only known at run time",
    ),
    "a script that reads bodies": (
        "local",
        drop(*CLIENT, "connection"),
        BUFFER,
        "Set connection.bufferLimit to 8Mi",
    ),
    "a limit of the route": (
        "local",
        put("BackendTrafficPolicy/coding-agents-agents", "spec", "requestBuffer", value={"limit": "100Ki"}),
        BUFFER,
        "(requestBuffer.limit)",
    ),
    "a Service on the nodes": ("local", _service(type="NodePort"), BEHIND, "has type NodePort"),
    "a Service on a load balancer": ("local", _service(type="LoadBalancer"), BEHIND, "InferenceService"),
    "a Service with addresses": ("local", _service(externalIPs=["10.0.0.1"]), BEHIND, "has externalIPs"),
    "a Service known later": ("local", _service(type=UNKNOWN), BEHIND, "only known at run time"),
    "no wall": ("local", drop("NetworkPolicy/default-deny"), DENY, "lets every pod of the cluster in"),
    "a wall that lets everybody in": (
        "local",
        put("NetworkPolicy/default-deny", "spec", "ingress", value=[{}]),
        DENY,
        "Namespace coding-agents",
    ),
    "a wall for what leaves": (
        "local",
        put("NetworkPolicy/default-deny", "spec", "policyTypes", value=["Egress"]),
        DENY,
        "policyTypes: [Ingress, Egress]",
    ),
    "a hosted model beside a server": ("local", _provider("api.openai.com"), FALLBACK, "with api.openai.com"),
    "one in a region": (
        "local",
        _provider("bedrock-runtime.eu-west-1.amazonaws.com"),
        FALLBACK,
        "leave the premises",
    ),
    "a variable that names a provider": (
        "local",
        _variable("OPENAI_BASE_URL", "https://openrouter.ai/api/v1"),
        HOSTED,
        "in OPENAI_BASE_URL",
    ),
    "a hosted model in the proxy": (
        "feature-litellm-oci",
        _litellm(more_models=[HOSTED_MODEL]),
        HOSTED,
        "offers the hosted model big beside coder",
    ),
    "a token in the environment": ("local", _variable("HF_TOKEN", "hf_abc"), SECRETS, "env[HF_TOKEN]"),
    "a variable known later": ("local", _variable("WEBHOOK_SECRET", UNKNOWN), SECRETS, "env[WEBHOOK_SECRET]"),
    "a key under another name": ("local", _variable("EXTRA", f"sk-{'a1' * 12}"), SECRETS, "env[EXTRA]"),
    "a key in the arguments": (
        "local",
        _words("--api-key", "token-abc123"),
        SECRETS,
        "containers[kserve-container].args",
    ),
    "a key joined to its option": ("local", _words("--api-key=hunter2"), SECRETS, ".args"),
    "a key known later": ("local", _words("--api-key", UNKNOWN), SECRETS, ".args"),
    "a key in the proxy's file": (
        "feature-litellm-oci",
        _litellm(general_settings={"master_key": "sk-1234"}),
        SECRETS,
        "ConfigMap coding-agents/translation-proxy",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_of_a_stack_makes_exactly_one_policy_fire(name: str) -> None:
    stack, change, policy, part = MUTATIONS[name]

    findings = found_in(stack, change)

    assert policies_in(findings) == {policy}, "\n".join(f"{f.policy}: {f.message}" for f in findings)
    assert any(part in finding.message for finding in findings), findings[0].message
    assert {f.level for f in findings} == {next(row.level for row in POLICIES if row.name == policy)}


def test_a_fallback_to_a_hosted_model_is_refused_and_the_model_itself_is_advised_against() -> None:
    change = _litellm(more_models=[HOSTED_MODEL], router_settings={"fallbacks": [{"coder": ["big"]}]})
    findings = found_in("feature-litellm-oci", change)
    assert [(f.policy, f.level) for f in findings] == [(FALLBACK, "mandatory"), (HOSTED, "advisory")]
    assert "fall back from coder to the hosted big" in findings[0].message


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
    change = both(_variable("HF_TOKEN", "hf_topsecret"), _words("--api-key", "hunter2"))
    text = " ".join(finding.message for finding in found_in("local", change))
    assert "hunter2" not in text
    assert "topsecret" not in text


HARMLESS: dict[str, tuple[str, Change]] = {
    "a check on the Gateway": ("local", put(*POLICY, "targetRefs", value=ON_THE_GATEWAY)),
    "a check on the route's listener": (
        "local",
        put(*POLICY, "targetRefs", value=[{**ON_THE_GATEWAY[0], "sectionName": "https"}]),
    ),
    "a check by labels": (
        "local",
        both(
            drop(*POLICY, "targetRefs"),
            put(*POLICY, "targetSelectors", value=[{"kind": "HTTPRoute", "matchLabels": {}}]),
        ),
    ),
    "another kind of check": (
        "local",
        both(drop(*POLICY, "apiKeyAuth"), put(*POLICY, "extAuth", value={"http": {}})),
    ),
    "a plain listener that only redirects": ("local", _plain_listener),
    "a path with a prefix of its own": (
        "local",
        put(*RULE, "matches", value=[{"path": {"type": "PathPrefix", "value": "/v1/chat/completions"}}]),
    ),
    "a larger buffer": ("feature-ai-gateway", put(*CLIENT, "connection", "bufferLimit", value="50Mi")),
    "a Service in the cluster": ("local", _service(type="ClusterIP")),
    "an open Service of something else": ("local", _service(type="NodePort", selector={"app": "ui"})),
    "a server elsewhere in the house": ("local", _provider("vllm.example.internal")),
    "what is no secret": (
        "local",
        both(
            _variable("HF_TOKEN", "$(FROM_ELSEWHERE)"),
            _variable("OPENAI_API_KEY", "EMPTY"),
            _variable("MAX_TOKEN", "4096"),
            _variable("TOKENIZERS_PARALLELISM", "false"),
        ),
    ),
    "a key from the environment": ("local", _words("--api-key", "$(VLLM_API_KEY)")),
    "an unrelated route without a check": (
        "local",
        put(
            "HTTPRoute/ui",
            value={
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": "ui", "namespace": "coding-agents"},
                "spec": {
                    "parentRefs": [{"name": "coding-agents"}],
                    "rules": [{"backendRefs": [{"name": "ui"}]}],
                },
            },
        ),
    ),
    "an unrelated pod with a key": (
        "local",
        put(
            "Deployment/ui",
            value={
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "ui", "namespace": "coding-agents"},
                "spec": {
                    "template": {
                        "spec": {"containers": [{"image": "ui", "env": [{"name": "API_KEY", "value": "x1"}]}]}
                    }
                },
            },
        ),
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_harms_nobody_is_left_alone(name: str) -> None:
    stack, change = HARMLESS[name]
    assert [f.message for f in found_in(stack, change)] == []


# What others write: a server, a route and a Gateway with their own names, on another gateway or without its parts.


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
