"""The pack `exposure`: each rule on our own stacks, bent, and on what others write."""

from __future__ import annotations

import pytest

from policy.graph import UNKNOWN
from tests.policy.exposure_changes import (
    CLIENT,
    GATEWAY,
    HOSTED_MODEL,
    ON_THE_GATEWAY,
    POLICY,
    ROUTE,
    RULE,
    TEAM_TOKEN,
    litellm,
    plain_listener,
    provider,
    service,
    variable,
    words,
)
from tests.policy.programs import both, drop, put
from tests.policy.rendered import Change, assert_only, found_in

pytestmark = pytest.mark.policy

KEYS, TLS, PATHS = "routes-check-keys", "listeners-speak-tls", "paths-are-listed"
IDENTITY, SANITIZE, BUFFER = (
    "identity-headers-are-stripped",
    "keys-end-at-the-gateway",
    "bodies-fit-the-buffer",
)
BARE, BOTH, NAMED = "keys-are-bare", "keys-are-read-from-both-headers", "backend-keys-have-their-name"
BEHIND, DENY = "servers-stay-behind-the-gateway", "networks-deny-by-default"
SPACE = "gateways-have-their-own-namespace"
FALLBACK, HOSTED, SECRETS = "no-hosted-fallback", "no-hosted-models", "secrets-are-not-plain"
CHECKABLE = "exposure-can-be-checked"

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
            plain_listener,
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
        put(*POLICY, "jwt", value=TEAM_TOKEN),
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
    "a key with its word": (
        "local",
        put("Secret/key-alice", "stringData", "alice", value="Bearer abc"),
        BARE,
        "the key of alice",
    ),
    "one header for keys": (
        "team",
        put(*POLICY, "apiKeyAuth", "extractFrom", value=[{"headers": ["Authorization"]}]),
        BOTH,
        "from x-api-key",
    ),
    "the server's key under another name": (
        "feature-ai-gateway",
        put("Secret/vllm-server-key", "stringData", value={"token": "a"}),
        NAMED,
        "reads apiKey",
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
    "a Service on the nodes": ("local", service(type="NodePort"), BEHIND, "has type NodePort"),
    "a Service on a load balancer": ("local", service(type="LoadBalancer"), BEHIND, "InferenceService"),
    "a Service with addresses": ("local", service(externalIPs=["10.0.0.1"]), BEHIND, "has externalIPs"),
    "a Service known later": ("local", service(type=UNKNOWN), BEHIND, "only known at run time"),
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
    "a hosted model beside a server": ("local", provider("api.openai.com"), FALLBACK, "with api.openai.com"),
    "one in a region": (
        "local",
        provider("bedrock-runtime.eu-west-1.amazonaws.com"),
        FALLBACK,
        "leave the premises",
    ),
    "a variable that names a provider": (
        "local",
        variable("OPENAI_BASE_URL", "https://openrouter.ai/api/v1"),
        HOSTED,
        "in OPENAI_BASE_URL",
    ),
    "a hosted model in the proxy": (
        "feature-litellm-oci",
        litellm(more_models=[HOSTED_MODEL]),
        HOSTED,
        "offers the hosted model big beside coder",
    ),
    "a token in the environment": ("local", variable("HF_TOKEN", "hf_abc"), SECRETS, "env[HF_TOKEN]"),
    "a variable known later": ("local", variable("WEBHOOK_SECRET", UNKNOWN), SECRETS, "env[WEBHOOK_SECRET]"),
    "a key under another name": ("local", variable("EXTRA", f"sk-{'a1' * 12}"), SECRETS, "env[EXTRA]"),
    "a key in the arguments": (
        "local",
        words("--api-key", "token-abc123"),
        SECRETS,
        "containers[kserve-container].args",
    ),
    "a key joined to its option": ("local", words("--api-key=hunter2"), SECRETS, ".args"),
    "a key known later": ("local", words("--api-key", UNKNOWN), SECRETS, ".args"),
    "a key in the proxy's file": (
        "feature-litellm-oci",
        litellm(general_settings={"master_key": "sk-1234"}),
        SECRETS,
        "ConfigMap coding-agents/translation-proxy",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_of_a_stack_makes_exactly_one_policy_fire(name: str) -> None:
    stack, change, policy, part = MUTATIONS[name]

    findings = found_in(stack, change)

    assert_only(policy, findings, part)


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
    "a plain listener that only redirects": ("local", plain_listener),
    "a path with a prefix of its own": (
        "local",
        put(*RULE, "matches", value=[{"path": {"type": "PathPrefix", "value": "/v1/chat/completions"}}]),
    ),
    "a larger buffer": ("feature-ai-gateway", put(*CLIENT, "connection", "bufferLimit", value="50Mi")),
    "a Service in the cluster": ("local", service(type="ClusterIP")),
    "an open Service of something else": ("local", service(type="NodePort", selector={"app": "ui"})),
    "a server elsewhere in the house": ("local", provider("vllm.example.internal")),
    "what is no secret": (
        "local",
        both(
            variable("HF_TOKEN", "$(FROM_ELSEWHERE)"),
            variable("OPENAI_API_KEY", "EMPTY"),
            variable("MAX_TOKEN", "4096"),
            variable("EOS_TOKEN", "[END]"),
            variable("TLS_SECRET", "gateway-tls"),
            variable("HUGGING_FACE_HUB_TOKEN", "hf_your_token_here"),
            variable("LITELLM_API_KEY", "sk-no-key-required"),
            variable("TOKENIZERS_PARALLELISM", "false"),
        ),
    ),
    "a key from the environment": ("local", words("--api-key", "$(VLLM_API_KEY)")),
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
    assert [f.told for f in found_in(stack, change)] == []
