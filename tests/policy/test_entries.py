"""Routes of OpenShift, Ingresses of nginx and VirtualServices of Istio before model servers, by each one's defaults."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from tests.policy.programs import Manifest
from tests.policy.rendered import policies_in

pytestmark = pytest.mark.policy

TIMEOUTS, KEYS, TLS, PATHS = (
    "timeouts-are-monotonic",
    "routes-check-keys",
    "listeners-speak-tls",
    "paths-are-listed",
)
BUFFER, CHECKABLE = "bodies-fit-the-buffer", "exposure-can-be-checked"
OURS = {TIMEOUTS, KEYS, TLS, PATHS, BUFFER, CHECKABLE}

KEY = {"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": "llm", "key": "k"}}}
LABELS = {"app": "llm"}
EDGE = {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
ROUTER = "haproxy.router.openshift.io/timeout"
READ, BODY = "nginx.ingress.kubernetes.io/proxy-read-timeout", "nginx.ingress.kubernetes.io/proxy-body-size"
AUTH = "nginx.ingress.kubernetes.io/auth-url"
SECURE: dict[str, Any] = {READ: "900", AUTH: "https://login.example.internal/check"}


def _server(*args: str, key: bool = False, beside: Any = None, **metadata: Any) -> list[Manifest]:
    """Return somebody's Deployment of vLLM, which has no limit of its own, and its Service."""
    container = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "args": ["--model", "acme/x", *args],
        "env": [KEY] if key else [],
    }
    containers = [container] if beside is None else [container, beside]
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "vllm", "namespace": "ml", **metadata},
        "spec": {"template": {"metadata": {"labels": LABELS}, "spec": {"containers": containers}}},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"selector": LABELS, "ports": [{"port": 8000}]},
    }
    return [deployment, service]


def _route(timeout: Any = "15m", path: str = "/v1/chat/completions", **spec: Any) -> Manifest:
    return {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {
            "name": "llm",
            "namespace": "ml",
            "annotations": {} if timeout is None else {ROUTER: timeout},
        },
        "spec": {"to": {"kind": "Service", "name": "llm"}, "path": path, "tls": EDGE, **spec},
    }


def _ingress(annotations: Any = None, path: str = "/v1/chat/completions", **spec: Any) -> Manifest:
    backend = {"service": {"name": "llm", "port": {"number": 8000}}}
    rule = {"http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "llm",
            "namespace": "ml",
            "annotations": SECURE if annotations is None else annotations,
        },
        "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["llm.example"]}], "rules": [rule], **spec},
    }


def _virtual_service(
    host: str = "llm.ml.svc.cluster.local", gateways: Any = ("public",), **rule: Any
) -> Manifest:
    http = {
        "match": [{"uri": {"exact": "/v1/chat/completions"}}],
        "route": [{"destination": {"host": host}}],
        **rule,
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"hosts": ["llm.example"], "gateways": list(gateways), "http": [http]},
    }


ISTIO_CHECK = {
    "apiVersion": "security.istio.io/v1",
    "kind": "RequestAuthentication",
    "metadata": {"name": "keys", "namespace": "ml"},
    "spec": {},
}
PROXY = {"name": "oauth-proxy", "image": "registry.redhat.io/openshift4/ose-oauth-proxy:v4.18"}
MESH_GATEWAY = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "public", "namespace": "ml"},
    "spec": {"servers": [{"port": {"number": 80, "protocol": "HTTP"}}]},
}
NGINX_CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"},
    "data": {"proxy-read-timeout": "900", "proxy-body-size": "32m"},
}
LONG = ("--max-model-len", "262144")

POSITION: dict[str, tuple[list[Manifest], set[str]]] = {
    # what somebody wrote, and every rule about its exposure that has a word for it
    "a Route that is fine": ([*_server(key=True), _route()], set()),
    "a Route without its annotation": ([*_server(key=True), _route(None)], {TIMEOUTS}),
    "a Route without a key": ([*_server(), _route()], {KEYS}),
    "a Route to a proxy beside the server": ([*_server(beside=PROXY), _route()], set()),
    "a Route to a shell beside the server": (
        [*_server(beside={"name": "logs", "image": "busybox"}), _route()],
        {KEYS},
    ),
    "a Route without TLS": ([*_server(key=True), _route(tls=None)], {TLS}),
    "a Route that takes plain HTTP too": (
        [*_server(key=True), _route(tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"})],
        {TLS},
    ),
    "a Route whose TLS is known later": ([*_server(key=True), _route(tls=UNKNOWN)], set()),
    "a Route to all paths": ([*_server(key=True), _route(path="/")], {PATHS}),
    "a Route to something else": ([*_server(), _route(to={"kind": "Service", "name": "ui"})], set()),
    "a Route whose second backend serves": (
        [*_server(), _route(to={"name": "ui"}, alternateBackends=[{"kind": "Service", "name": "llm"}])],
        {KEYS},
    ),
    "an Ingress that is fine": ([*_server(), _ingress()], set()),
    "an Ingress by nginx's defaults": ([*_server(key=True), _ingress({})], {TIMEOUTS}),
    "an Ingress of F5's controller": (
        [*_server(key=True), _ingress({"nginx.org/proxy-read-timeout": "900s"})],
        set(),
    ),
    "an Ingress with too short a patience": (
        [*_server(key=True), _ingress({READ: "60"})],
        set(),  # somebody wrote it, and the server has no limit to compare
    ),
    "an Ingress with a timeout known later": ([*_server(key=True), _ingress({READ: UNKNOWN})], {TIMEOUTS}),
    "an Ingress without a key": ([*_server(), _ingress({READ: "900"})], {KEYS}),
    "an Ingress without TLS": ([*_server(), _ingress(tls=None)], {CHECKABLE}),
    "an Ingress to all paths": ([*_server(), _ingress(path="/")], {PATHS}),
    "an Ingress that rewrites": (
        [
            *_server(),
            _ingress({**SECURE, "nginx.ingress.kubernetes.io/rewrite-target": "/$2"}, path="/llm(/|$)(.*)"),
        ],
        set(),
    ),
    "a long context and nginx's default": ([*_server(*LONG), _ingress()], {BUFFER}),
    "a long context and a larger limit": ([*_server(*LONG), _ingress({**SECURE, BODY: "8m"})], set()),
    "a long context and no limit": ([*_server(*LONG), _ingress({**SECURE, BODY: "0"})], set()),
    "a long context and a limit known later": (
        [*_server(*LONG), _ingress({**SECURE, BODY: UNKNOWN})],
        {BUFFER},
    ),
    "a model made for a long context": (
        [*_server("--model", "Qwen/Qwen3.6-27B-FP8"), _ingress()],
        {BUFFER},
    ),
    "nginx's own ConfigMap": ([*_server(*LONG, key=True), _ingress({}), NGINX_CONFIG], set()),
    "an Ingress of another controller": (
        [*_server(key=True), _ingress({}, ingressClassName="traefik")],
        {CHECKABLE},
    ),
    "a class by its controller": (
        [
            *_server(key=True),
            _ingress({}, ingressClassName="edge"),
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {"name": "edge"},
                "spec": {"controller": "k8s.io/ingress-nginx"},
            },
        ],
        {TIMEOUTS},
    ),
    "an older Ingress by its annotation": (
        [*_server(key=True), _ingress({"kubernetes.io/ingress.class": "nginx"}, ingressClassName=None)],
        {TIMEOUTS},
    ),
    "a VirtualService that is fine": ([*_server(), _virtual_service(), ISTIO_CHECK], set()),
    "a VirtualService without a key": ([*_server(), _virtual_service()], {CHECKABLE}),
    "a VirtualService and the server's own key": ([*_server(key=True), _virtual_service("llm")], set()),
    "a VirtualService within the mesh": ([*_server(), _virtual_service(gateways=["mesh"])], set()),
    "a VirtualService on a plain Gateway": (
        [*_server(key=True), _virtual_service(), MESH_GATEWAY],
        {CHECKABLE},
    ),
    "a VirtualService to all paths": ([*_server(key=True), _virtual_service(match=None)], {PATHS}),
    "a timeout of a VirtualService known later": (
        [*_server(key=True), _virtual_service(timeout=UNKNOWN)],
        {TIMEOUTS},
    ),
    "a VirtualService to something else": ([*_server(), _virtual_service("ui")], set()),
}


@pytest.mark.parametrize("name", POSITION)
def test_each_way_in_is_judged_by_its_own_defaults(name: str) -> None:
    manifests, expected = POSITION[name]
    findings = [f for f in check_manifests(manifests) if f.policy in OURS]
    assert policies_in(findings) == expected, "\n".join(f"{f.policy}: {f.told}" for f in findings)
    assert len(findings) == len(expected), "one finding a fault"


def _patient() -> list[Manifest]:
    """Return an InferenceService whose controller lets a request take ten minutes."""
    return [
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "llm", "namespace": "ml"},
            "spec": {
                "predictor": {
                    "timeout": 600,
                    "containers": [{"image": "vllm/vllm-openai:v0.33.0", "env": [KEY]}],
                }
            },
        }
    ]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (_route("60s", to={"name": "llm-predictor"}), "limits the router's timeout to 60 s, below"),
        (_virtual_service("llm-predictor", timeout="60s"), "limits the route's timeout to 60 s, below"),
        (
            _virtual_service("llm-predictor", retries={"attempts": 2, "perTryTimeout": "30s"}),
            "Raise spec.http[0].retries.perTryTimeout to at least 600 s",
        ),
        (_virtual_service("llm-predictor"), None),
        (_virtual_service("llm-predictor", timeout="0s"), None),
        (_virtual_service("llm-predictor", timeout="10m"), None),
    ],
)
def test_a_written_limit_is_compared_with_the_servers(way: Manifest, said: str | None) -> None:
    found = [f.told for f in check_manifests([*_patient(), way]) if f.policy == TIMEOUTS]
    assert [said in message for message in found if said is not None] == ([] if said is None else [True])
    assert said is not None or found == []


def test_an_ingress_of_nginx_bounds_the_silence() -> None:
    ingress = _ingress({READ: "60"})
    ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "llm-predictor"
    (told,) = (f.told for f in check_manifests([*_patient(), ingress]) if f.policy == TIMEOUTS)
    assert "limits the silence that nginx bears to 60 s" in told
    assert "when nothing is streamed" in told


def test_a_key_check_of_open_data_hub_counts() -> None:
    guarded = _server(annotations={"security.opendatahub.io/enable-auth": "true"})
    assert policies_in(check_manifests([*guarded, _route()])) & OURS == set()


def test_a_fault_of_an_ingress_with_many_paths_is_told_once() -> None:
    ingress = _ingress({READ: "900"}, path="/")
    ingress["spec"]["rules"] = ingress["spec"]["rules"] * 3
    findings = [f for f in check_manifests([*_server(), ingress]) if f.policy in OURS]
    assert sorted(f.policy for f in findings) == [PATHS, KEYS]


def _pool(group: str, **selector: Any) -> list[Manifest]:
    version = f"{group}/v1" if group.endswith("k8s.io") and "x-k8s" not in group else f"{group}/v1alpha2"
    return [
        {
            "apiVersion": version,
            "kind": "InferencePool",
            "metadata": {"name": "coders", "namespace": "ml"},
            "spec": {"selector": selector},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "public", "namespace": "ml"},
            "spec": {"gatewayClassName": "eg", "listeners": [{"name": "web", "protocol": "HTTPS"}]},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "llm", "namespace": "ml"},
            "spec": {
                "parentRefs": [{"name": "public"}],
                "rules": [
                    {
                        "matches": [{"path": {"type": "Exact", "value": "/v1/messages"}}],
                        "backendRefs": [{"group": group, "kind": "InferencePool", "name": "coders"}],
                    }
                ],
            },
        },
    ]


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (_pool("inference.networking.k8s.io", matchLabels=LABELS), {TIMEOUTS, KEYS}),
        (_pool("inference.networking.x-k8s.io", **LABELS), {TIMEOUTS, KEYS}),
    ],
)
def test_a_pool_of_servers_leads_to_them(pool: list[Manifest], expected: set[str]) -> None:
    assert policies_in(check_manifests([*_server(), *pool])) & OURS == expected


def test_a_pool_of_other_pods_leads_to_no_server() -> None:
    pool = _pool("inference.networking.k8s.io", matchLabels={"app": "other"})
    pool[-1]["spec"]["rules"][0]["matches"] = [{"path": {"value": "/other"}}]
    assert policies_in(check_manifests([*_server(), *pool])) & OURS == set()
