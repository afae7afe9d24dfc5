"""A route without a timeout is judged by the default of the gateway that carries it, and by none that is not told."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from tests.policy.programs import Manifest

pytestmark = pytest.mark.policy

TIMEOUTS, CHECKABLE = "timeouts-are-monotonic", "exposure-can-be-checked"


def _server() -> Manifest:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"predictor": {"timeout": 600, "containers": [{"image": "vllm/vllm-openai:v0.33.0"}]}},
    }


def _gateway(of_class: Any) -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public", "namespace": "ml"},
        "spec": {"gatewayClassName": of_class, "listeners": [{"name": "web", "protocol": "HTTPS"}]},
    }


def _class(controller: str) -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "house"},
        "spec": {"controllerName": controller},
    }


def _route(**rule: Any) -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {
            "parentRefs": [{"name": "public"}],
            "rules": [{"backendRefs": [{"name": "llm-predictor"}], **rule}],
        },
    }


def _openshift(timeout: Any = None) -> Manifest:
    annotations = {} if timeout is None else {"haproxy.router.openshift.io/timeout": timeout}
    return {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "llm", "namespace": "ml", "annotations": annotations},
        "spec": {"to": {"kind": "Service", "name": "llm-predictor"}},
    }


def _said(policy: str, *manifests: Manifest) -> list[str]:
    return [finding.told for finding in check_manifests([_server(), *manifests]) if finding.policy == policy]


@pytest.mark.parametrize(
    ("of_class", "seconds"),
    [
        ("eg", 15),
        ("kgateway", 15),
        ("nginx", 60),
        ("gke-l7-rilb", 30),
        ("istio", None),
        ("openshift-default", None),
    ],
)
def test_a_class_has_the_default_of_its_product(of_class: str, seconds: int | None) -> None:
    found = _said(TIMEOUTS, _gateway(of_class), _route())
    assert [f"to {seconds} s, below" in message for message in found] == ([] if seconds is None else [True])


@pytest.mark.parametrize(
    ("controller", "cut"),
    [
        ("gateway.envoyproxy.io/gatewayclass-controller", True),
        ("istio.io/gateway-controller", False),
        ("example.com/another", False),
    ],
)
def test_the_controller_tells_more_than_the_name_of_a_class(controller: str, cut: bool) -> None:
    assert bool(_said(TIMEOUTS, _gateway("house"), _class(controller), _route())) is cut


def test_a_policy_of_envoy_gateway_tells_a_gateway_that_is_elsewhere() -> None:
    policy = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "SecurityPolicy",
        "metadata": {"name": "keys", "namespace": "ml"},
        "spec": {"targetRefs": [{"kind": "HTTPRoute", "name": "llm"}], "apiKeyAuth": {"sanitize": True}},
    }
    assert len(_said(TIMEOUTS, _route(), policy)) == 1


@pytest.mark.parametrize("gateway", [[], [_gateway("of-the-house")]])
def test_a_gateway_that_nothing_tells_cuts_nothing_for_certain(gateway: list[Manifest]) -> None:
    assert _said(TIMEOUTS, *gateway, _route()) == []
    said = _said(CHECKABLE, *gateway, _route())
    assert any("has no timeouts, and nothing tells its gateway" in message for message in said)


def test_a_class_that_is_only_known_at_run_time_softens_nothing() -> None:
    assert len(_said(TIMEOUTS, _gateway(UNKNOWN), _route())) == 1
    assert len(_said("routes-check-keys", _gateway(UNKNOWN), _route())) == 1


def test_a_timeout_that_is_written_is_judged_on_every_gateway() -> None:
    assert len(_said(TIMEOUTS, _gateway("istio"), _route(timeouts={"request": "60s"}))) == 1
    assert _said(TIMEOUTS, _gateway("istio"), _route(timeouts={"request": "600s"})) == []


def _deployment() -> list[Manifest]:
    container = {"name": "v", "image": "vllm/vllm-openai:v0.33.0", "args": ["--model", "acme/x"]}
    labels = {"app": "llm"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "ml"},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "llm-predictor", "namespace": "ml"},
        "spec": {"selector": labels},
    }
    return [deployment, service]


@pytest.mark.parametrize(
    ("way", "cut"),
    [
        ([_gateway("eg"), _route()], "turns are cut after 15 s"),
        ([_openshift()], "turns are cut after 30 s"),
        ([_gateway("eg"), _route(timeouts={"request": "60s"})], None),
        ([_openshift("60s")], None),
        ([_gateway("istio"), _route()], None),
        ([_route()], None),
    ],
)
def test_a_default_that_nobody_wrote_cuts_a_server_without_a_limit(
    way: list[Manifest], cut: str | None
) -> None:
    findings = [f for f in check_manifests([*_deployment(), *way]) if f.policy == TIMEOUTS]
    assert [cut in finding.told for finding in findings if cut is not None] == ([] if cut is None else [True])
    assert bool(findings) is (cut is not None)


@pytest.mark.parametrize(
    ("timeout", "said"),
    [
        (None, "the router's timeout (OpenShift's default) to 30 s, below"),
        ("60s", "the router's timeout to 60 s, below"),
        ("600000", None),
        ("1d", None),
        ("10m", None),
        (UNKNOWN, "only known at run time"),
    ],
)
def test_openshifts_router_waits_as_its_annotation_says(timeout: Any, said: str | None) -> None:
    found = _said(TIMEOUTS, _openshift(timeout))
    assert [said in message for message in found if said is not None] == ([] if said is None else [True])
    assert said is not None or found == []


def _of_another(kind: str, version: str, target: Manifest, **spec: Any) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "patience", "namespace": "ml"},
        "spec": {"targetRefs": [target], **spec},
    }


BACKEND = {"group": "", "kind": "Service", "name": "llm-predictor"}
ROUTE = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "llm"}
SNIPPETS = {
    "apiVersion": "gateway.nginx.org/v1alpha1",
    "kind": "SnippetsFilter",
    "metadata": {"name": "patience", "namespace": "ml"},
    "spec": {"snippets": [{"context": "http.server.location", "value": "proxy_read_timeout 900s;"}]},
}
BY_SNIPPETS = [
    {
        "type": "ExtensionRef",
        "extensionRef": {"group": "gateway.nginx.org", "kind": "SnippetsFilter", "name": "patience"},
    }
]
GKE, KGATEWAY = "networking.gke.io/v1", "gateway.kgateway.dev/v1alpha1"


@pytest.mark.parametrize(
    ("of_class", "policy", "said"),
    [
        ("gke-l7-rilb", ("GCPBackendPolicy", GKE, BACKEND, {"default": {"timeoutSec": 900}}), None),
        ("gke-l7-rilb", ("GCPBackendPolicy", GKE, BACKEND, {"default": {"timeoutSec": 90}}), "90 s"),
        ("gke-l7-rilb", ("GCPBackendPolicy", GKE, ROUTE, {"default": {"timeoutSec": 900}}), "30 s"),
        ("kgateway", ("TrafficPolicy", KGATEWAY, ROUTE, {"timeouts": {"request": "15m"}}), None),
        ("kgateway", ("TrafficPolicy", KGATEWAY, ROUTE, {"timeouts": {"request": "1m"}}), "60 s"),
        ("kgateway", ("TrafficPolicy", KGATEWAY, ROUTE, {"retry": {}}), "15 s"),
        (
            "kgateway",
            ("TrafficPolicy", KGATEWAY, ROUTE, {"timeouts": {"request": UNKNOWN}}),
            "only known at run time",
        ),
    ],
)
def test_a_policy_of_another_gateway_counts_before_its_default(
    of_class: str, policy: Any, said: str | None
) -> None:
    kind, version, target, spec = policy
    found = _said(TIMEOUTS, _gateway(of_class), _route(), _of_another(kind, version, target, **spec))
    assert [said in message for message in found if said is not None] == ([] if said is None else [True])
    assert said is not None or found == []


@pytest.mark.parametrize("beside", [[SNIPPETS], []])
def test_directives_of_nginx_in_a_rule_may_bound_it(beside: list[Manifest]) -> None:
    assert _said(TIMEOUTS, _gateway("nginx"), _route(filters=BY_SNIPPETS), *beside) == []
    assert len(_said(TIMEOUTS, _gateway("nginx"), _route())) == 1


def test_directives_of_nginx_on_something_else_bound_nothing() -> None:
    other = {**SNIPPETS, "spec": {"snippets": [{"context": "http", "value": "client_max_body_size 8m;"}]}}
    assert len(_said(TIMEOUTS, _gateway("nginx"), _route(filters=BY_SNIPPETS), other)) == 1


@pytest.mark.parametrize("of_class", ["agentgateway", "data-science-gateway-class"])
def test_gateways_without_a_limit_of_their_own_cut_nothing(of_class: str) -> None:
    assert _said(TIMEOUTS, _gateway(of_class), _route()) == []
    assert not any(
        "nothing tells its gateway" in said for said in _said(CHECKABLE, _gateway(of_class), _route())
    )


def test_kgateways_other_proxy_is_told_by_its_controller() -> None:
    assert _said(TIMEOUTS, _gateway("house"), _class("kgateway.dev/agentgateway"), _route()) == []
    assert len(_said(TIMEOUTS, _gateway("house"), _class("kgateway.dev/kgateway"), _route())) == 1
