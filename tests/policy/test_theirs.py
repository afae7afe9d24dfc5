"""A program of somebody else, a Deployment behind an HTTPRoute with names of their own: one change, one policy."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.table import POLICIES
from tests.policy.programs import both, drop, put
from tests.policy.rendered import Change, Objects, policies_in

pytestmark = pytest.mark.policy

PROGRAM: Objects = yaml.safe_load("""
space:
  apiVersion: v1
  kind: Namespace
  metadata: {name: llm}
wall:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: nobody, namespace: llm}
  spec: {podSelector: {}, policyTypes: [Ingress]}
server:
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: qwen, namespace: llm}
  spec:
    template:
      metadata: {labels: {app: qwen}}
      spec:
        securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
        volumes: [{name: hub, emptyDir: {}}]
        containers:
        - name: vllm
          image: vllm/vllm-openai:v0.33.0
          command: [vllm, serve, Qwen/Qwen3.6-27B-FP8]
          args: [--max-model-len, '131072', --enable-auto-tool-choice, --tool-call-parser, qwen3_coder]
          env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: token}}}]
          volumeMounts: [{name: hub, mountPath: /hub}]
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
service:
  apiVersion: v1
  kind: Service
  metadata: {name: qwen-svc, namespace: llm}
  spec: {selector: {app: qwen}, ports: [{port: 80, targetPort: 8000}]}
gateway:
  apiVersion: gateway.networking.k8s.io/v1
  kind: Gateway
  metadata: {name: web, namespace: llm}
  spec:
    gatewayClassName: eg
    listeners: [{name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: web}]}}]
client:
  apiVersion: gateway.envoyproxy.io/v1alpha1
  kind: ClientTrafficPolicy
  metadata: {name: web, namespace: llm}
  spec:
    targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: web}]
    connection: {bufferLimit: 50Mi}
    headers: {earlyRequestHeaders: {remove: [X-User]}}
keys:
  apiVersion: gateway.envoyproxy.io/v1alpha1
  kind: SecurityPolicy
  metadata: {name: keys, namespace: llm}
  spec:
    targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: web, sectionName: tls}]
    apiKeyAuth:
      credentialRefs: [{name: people}]
      extractFrom: [{headers: [Authorization, x-api-key]}]
      forwardClientIDHeader: x-user
      sanitize: true
people:
  apiVersion: v1
  kind: Secret
  metadata: {name: people, namespace: llm}
  data: {ann: N2ZkMTkzYzBhZTVmNDVhMQ==}
body:
  apiVersion: gateway.envoyproxy.io/v1alpha1
  kind: EnvoyExtensionPolicy
  metadata: {name: guard, namespace: llm}
  spec:
    targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: chat}]
    extProc: [{processingMode: {request: {body: Buffered}}}]
route:
  apiVersion: gateway.networking.k8s.io/v1
  kind: HTTPRoute
  metadata: {name: chat, namespace: llm}
  spec:
    parentRefs: [{name: web}]
    rules:
    - matches: [{path: {type: Exact, value: /v1/chat/completions}}]
      backendRefs: [{name: qwen-svc, port: 80}]
      timeouts: {request: 0s}
""")

POD = ("server", "spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
RULE = ("route", "spec", "rules", 0)


def _also(**objects: Any) -> Change:
    def change(program: Objects) -> None:
        program |= copy.deepcopy(objects)

    return change


def _provider(host: Any, *, beside: bool) -> Change:
    backend = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "away", "namespace": "llm"},
        "spec": {"endpoints": [{"fqdn": {"hostname": host, "port": 443}}]},
    }
    ref = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "away"}

    def change(program: Objects) -> None:
        program["backend"] = backend
        rules = program["route"]["spec"]["rules"]
        if beside:
            rules[0]["backendRefs"].append(ref)
        else:
            rules.append({"matches": [{"path": {"type": "Exact", "value": "/gpt"}}], "backendRefs": [ref]})

    return change


def _moved(program: Objects) -> None:
    for name in ("gateway", "client", "keys"):
        program[name]["metadata"]["namespace"] = "envoy-gateway-system"
    program["route"]["spec"]["parentRefs"] = [{"name": "web", "namespace": "envoy-gateway-system"}]


RUNTIME = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "our-vllm", "namespace": "llm"},
    "spec": {"containers": [{"name": "kserve-container", "image": "quay.io/acme/vllm:main"}]},
}
SERVICE_OF_IT = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "other", "namespace": "llm"},
    "spec": {
        "predictor": {"model": {"modelFormat": {"name": "vLLM"}, "runtime": "our-vllm", "args": ["--port=1"]}}
    },
}

CHANGES: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda _: None, set()),
    "the check on another listener": (
        put("keys", "spec", "targetRefs", 0, "sectionName", value="other"),
        {"routes-check-keys"},
    ),
    "a section known later": (put("keys", "spec", "targetRefs", value=UNKNOWN), {"routes-check-keys"}),
    "a plain listener": (
        put("gateway", "spec", "listeners", 0, "protocol", value="HTTP"),
        {"listeners-speak-tls"},
    ),
    "listeners known later": (
        put("gateway", "spec", "listeners", value=UNKNOWN),
        {"routes-check-keys", "listeners-speak-tls"},
    ),
    "every path": (drop(*RULE, "matches"), {"paths-are-listed"}),
    "a path known later": (put(*RULE, "matches", 0, "path", "value", value=UNKNOWN), set()),
    "another header": (
        put("client", "spec", "headers", "earlyRequestHeaders", "remove", value=["x-team"]),
        {"identity-headers-are-stripped"},
    ),
    "headers known later": (put("client", "spec", "headers", value=UNKNOWN), set()),
    "keys that go on": (drop("keys", "spec", "apiKeyAuth", "sanitize"), {"keys-end-at-the-gateway"}),
    "whether keys go on is known later": (
        put("keys", "spec", "apiKeyAuth", "sanitize", value=UNKNOWN),
        set(),
    ),
    "a key with its word": (
        put("people", "data", "ann", value="QmVhcmVyIHNlY3JldA=="),
        {"keys-are-bare"},
    ),
    "a key known later": (put("people", "data", value=UNKNOWN), set()),
    "one header": (
        put("keys", "spec", "apiKeyAuth", "extractFrom", value=[{"headers": ["x-api-key"]}]),
        {"keys-are-read-from-both-headers"},
    ),
    "headers of keys known later": (put("keys", "spec", "apiKeyAuth", "extractFrom", value=UNKNOWN), set()),
    "the default buffer": (drop("client", "spec", "connection"), {"bodies-fit-the-buffer"}),
    "a small buffer": (
        put("client", "spec", "connection", "bufferLimit", value="256Ki"),
        {"bodies-fit-the-buffer"},
    ),
    "a buffer known later": (
        put("client", "spec", "connection", "bufferLimit", value=UNKNOWN),
        {"bodies-fit-the-buffer"},
    ),
    "a load balancer": (
        put("service", "spec", "type", value="LoadBalancer"),
        {"servers-stay-behind-the-gateway"},
    ),
    "a type known later": (
        put("service", "spec", "type", value=UNKNOWN),
        {"servers-stay-behind-the-gateway"},
    ),
    "no wall": (drop("wall"), {"networks-deny-by-default"}),
    "a wall around something else": (
        put("wall", "spec", "podSelector", value={"matchLabels": {"app": "ui"}}),
        {"networks-deny-by-default"},
    ),
    "a wall known later": (put("wall", "spec", "podSelector", value=UNKNOWN), set()),
    "a Gateway at the controller's": (_moved, {"gateways-have-their-own-namespace"}),
    "a hosted model beside": (_provider("api.anthropic.com", beside=True), {"no-hosted-fallback"}),
    "a host known later": (_provider(UNKNOWN, beside=True), {"no-hosted-fallback"}),
    "a hosted model on the same Gateway": (_provider("api.openai.com", beside=False), {"no-hosted-models"}),
    "a provider in a variable": (
        put(*CONTAINER, "env", 0, value={"name": "UPSTREAM", "value": "https://api.groq.com/openai/v1"}),
        {"no-hosted-models"},
    ),
    "a token in plain text": (
        put(*CONTAINER, "env", 0, value={"name": "HUGGING_FACE_HUB_TOKEN", "value": "hf_abc"}),
        {"secrets-are-not-plain"},
    ),
    "a token known later": (
        put(*CONTAINER, "env", 0, value={"name": "HF_TOKEN", "value": UNKNOWN}),
        {"secrets-are-not-plain"},
    ),
    "a key in a script": (
        put(
            *CONTAINER,
            "command",
            value=["bash", "-c", "vllm serve Qwen/Qwen3.6-27B-FP8 --api-key 'abc' \"$@\"", "--"],
        ),
        {"secrets-are-not-plain"},
    ),
    "a moving image": (put(*CONTAINER, "image", value="vllm/vllm-openai"), {"images-are-pinned"}),
    "an old image": (
        put(*CONTAINER, "image", value="vllm/vllm-openai:v0.21.0"),
        {"releases-have-no-open-holes"},
    ),
    "a package with malware": (
        put(*CONTAINER, "args", 0, value="; pip install litellm==1.82.7 ; --max-model-len"),
        {"releases-are-not-denied"},
    ),
    "the node's IPC": (put(*POD, "hostIPC", value=True), {"pods-leave-their-node-alone"}),
    "a folder of the node": (
        put(*POD, "volumes", 0, value={"name": "hub", "hostPath": {"path": "/data/hub"}}),
        {"node-folders-are-read-only"},
    ),
    "root": (put(*CONTAINER, "securityContext", "runAsUser", value=0), {"pods-are-restricted"}),
    "root in a namespace that lets none in": (
        both(
            put("space", "metadata", "labels", value={"pod-security.kubernetes.io/enforce": "restricted"}),
            drop(*POD, "securityContext"),
        ),
        {"pods-pass-their-namespace"},
    ),
    "a runtime with a moving image": (_also(runtime=RUNTIME, other=SERVICE_OF_IT), {"images-are-pinned"}),
    "a runtime that nobody uses": (_also(runtime=RUNTIME), set()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_they_change_is_told_by_the_policy_that_it_breaks(name: str) -> None:
    change, expected = CHANGES[name]
    program = copy.deepcopy(PROGRAM)
    change(program)
    findings = check_manifests(program.values())

    looked_at = {policy.name for policy in POLICIES if policy.pack != "serving"}
    assert policies_in(findings) & looked_at == expected, "\n".join(f"{f.policy}: {f.told}" for f in findings)
