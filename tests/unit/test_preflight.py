"""What a cluster lacks is named before anything is applied, each thing with its fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from onprem_agents.cluster import KubeClient, Resource
from onprem_agents.cluster.preflight import PREREQUISITES, Check, preflight
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack_file
from tests.unit.manifest_samples import planned

STACKS = Path(__file__).parents[2] / "stacks"
SERVED = (
    ("serving.kserve.io", "v1beta1", "InferenceService"),
    ("gateway.networking.k8s.io", "v1", "Gateway"),
    ("gateway.networking.k8s.io", "v1", "GatewayClass"),
    ("gateway.envoyproxy.io", "v1alpha1", "SecurityPolicy"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
    *(
        ("gateway.envoyproxy.io", "v1alpha1", kind)
        for kind in (
            "BackendTrafficPolicy",
            "ClientTrafficPolicy",
            "EnvoyExtensionPolicy",
            "EnvoyProxy",
            "HTTPRouteFilter",
        )
    ),
)


class _Cluster:
    """Answers like a KubeClient over a few objects."""

    def __init__(self) -> None:
        self.kubernetes = "v1.36.3"
        self.served = list(SERVED)
        self.objects: dict[tuple[str, str], dict[str, Any]] = {
            ("GatewayClass", "envoy-gateway"): {
                "status": {"conditions": [{"type": "Accepted", "status": "True"}]}
            },
            ("Secret", "agents-tls"): {},
            ("ConfigMap", "envoy-gateway-config"): {"data": {"envoy-gateway.yaml": "enableLua: true\n"}},
        }
        self.nodes = [_node("gpu-0", gpus=2), _node("gpu-1", gpus=2)]

    def version(self) -> str:
        return self.kubernetes

    def resources(self) -> tuple[Resource, ...]:
        return tuple(
            Resource(group=group, version=version, kind=kind, plural=f"{kind.lower()}s", namespaced=True)
            for group, version, kind in self.served
        )

    def find(self, _api: str, kind: str, name: str, _namespace: str | None = None) -> dict[str, Any] | None:
        return self.objects.get((kind, name))

    def list(self, _api: str, _kind: str) -> list[dict[str, Any]]:
        return self.nodes


def _node(name: str, *, gpus: int, product: str = "NVIDIA-L40S") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": product}},
        "status": {"allocatable": {"nvidia.com/gpu": str(gpus)}},
    }


def _plan(stack: str = "local") -> PlatformPlan:
    return plan_stack_file(STACKS, stack)


def _missing(cluster: _Cluster, plan: PlatformPlan) -> dict[str, Check]:
    checks = preflight(plan, render(plan), cast("KubeClient", cluster))
    return {check.name: check for check in checks if check.verdict != "ok"}


def test_a_cluster_with_everything_lacks_nothing() -> None:
    assert _missing(_Cluster(), _plan()) == {}


def test_an_old_kubernetes_is_named() -> None:
    cluster = _Cluster()
    cluster.kubernetes = "v1.29.4-gke.100"

    assert "1.32" in _missing(cluster, _plan())["Kubernetes"].fix


@pytest.mark.parametrize(
    ("served", "fix"),
    [(SERVED[0], "KServe 0.20"), (SERVED[1], "Gateway API"), (SERVED[3], "Envoy Gateway 1.9")],
)
def test_an_api_that_is_not_served_is_named_with_what_to_install(
    served: tuple[str, str, str], fix: str
) -> None:
    cluster = _Cluster()
    cluster.served.remove(served)

    group, version, kind = served
    assert fix in _missing(cluster, _plan())[f"{kind} ({group}/{version})"].fix


def test_a_gateway_class_that_is_not_accepted_is_named() -> None:
    cluster = _Cluster()
    cluster.objects["GatewayClass", "envoy-gateway"] = {"status": {}}

    assert "controller runs" in _missing(cluster, _plan())["GatewayClass envoy-gateway"].fix


def test_a_gateway_class_that_merges_gateways_is_named() -> None:
    cluster = _Cluster()
    reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "shared"}
    cluster.objects["GatewayClass", "envoy-gateway"]["spec"] = {"parametersRef": reference}
    assert _missing(cluster, _plan()) == {}, "an EnvoyProxy that is not there, or says something else"
    cluster.objects["EnvoyProxy", "shared"] = {"spec": {"mergeGateways": True}}

    assert "mergeGateways" in _missing(cluster, _plan())["GatewayClass envoy-gateway"].fix


def test_a_missing_certificate_is_named_with_its_namespace() -> None:
    cluster = _Cluster()
    del cluster.objects["Secret", "agents-tls"]

    assert "Secret certificates/agents-tls" in _missing(cluster, _plan())


def test_nodes_that_are_not_there_or_have_too_few_gpus_are_named() -> None:
    cluster = _Cluster()
    cluster.nodes = [_node("gpu-0", gpus=1)]

    missing = _missing(cluster, _plan())

    assert "Node gpu-1" in missing
    assert "0 nodes offer" in missing["2 nodes with 2 × L40S"].found


def test_several_models_need_lua_in_envoy_gateway() -> None:
    cluster = _Cluster()
    cluster.nodes = [_node(name, gpus=4, product="NVIDIA-H100-80GB-HBM3") for name in ("a", "b")]
    cluster.objects["ConfigMap", "envoy-gateway-config"] = {
        "data": {"envoy-gateway.yaml": "extensionApis: {}"}
    }

    assert "enableLua" in _missing(cluster, _plan("team"))["Lua filters in Envoy Gateway"].fix


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({"queue": {}}, "ClusterQueue (kueue.x-k8s.io/v1beta1)"),
        ({"access": {"tls": {"issuer": "ca", "secretName": None}}}, "Certificate (cert-manager.io/v1)"),
        ({"access": {"gateway": "envoy-ai-gateway"}}, "AIGatewayRoute (aigateway.envoyproxy.io/v1beta1)"),
        ({"serving": {"mode": "Knative"}}, "Backend (gateway.envoyproxy.io/v1alpha1)"),
        ({"serving": {"mode": "Knative"}}, "Service (serving.knative.dev/v1)"),
    ],
)
def test_whatever_a_stack_declares_must_be_served(changes: dict[str, Any], needed: str) -> None:
    assert needed in _missing(_Cluster(), planned(**changes))


def test_an_api_that_no_prerequisite_brings_is_kubernetes_own() -> None:
    plans = [
        planned(queue={}, translation="litellm", hardware={"nodeNames": ["a", "b"]}, model={"replicas": 2})
    ]
    plans.append(planned(access={"gateway": "envoy-ai-gateway", "tls": {"issuer": "ca"}}))
    groups = {each["apiVersion"].rpartition("/")[0] for plan in plans for each in render(plan)}

    assert groups - set(PREREQUISITES) == {
        "",
        "apps",
        "networking.k8s.io",
        "policy",
        "scheduling.k8s.io",
    }


def test_a_gated_model_needs_a_secret_with_a_token_that_its_page_knows() -> None:
    model = {"role": "coder", "model": "meta-llama/Llama-3.3-70B-Instruct", "precision": "bf16"}
    hardware = {"accelerator": "H200", "gpusPerNode": 8}
    name = "licence of meta-llama/Llama-3.3-70B-Instruct"
    cluster = _Cluster()

    (unnamed,) = [_missing(cluster, planned(hardware=hardware, models=[model]))[name]]
    assert "storageSecret names no Secret" in unnamed.found
    assert "https://huggingface.co/meta-llama/Llama-3.3-70B-Instruct" in unnamed.fix
    assert "platform.serving.storageSecret" in unnamed.fix

    plan = planned(hardware=hardware, models=[model], serving={"storageSecret": "hf-token"})
    assert "is not there" in _missing(cluster, plan)[name].found
    cluster.objects["Secret", "hf-token"] = {"data": {"AWS_ACCESS_KEY_ID": "eA=="}}
    assert "has no HF_TOKEN" in _missing(cluster, plan)[name].found
    cluster.objects["Secret", "hf-token"] = {"data": {"HF_TOKEN": "eA=="}}
    assert name not in _missing(cluster, plan)
