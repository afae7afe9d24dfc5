"""What a cluster lacks is named before anything is applied, each thing with its fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

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
    ("gateway.networking.k8s.io", "v1beta1", "ReferenceGrant"),
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


GRANT = {
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "coding-agents"}],
        "to": [{"group": "", "kind": "Secret", "name": "agents-tls"}],
    }
}
ADDRESS = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}


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
            ("ReferenceGrant", "agents-tls"): GRANT,
            ("Service", "ingress"): ADDRESS,
            ("ConfigMap", "envoy-gateway-config"): {"data": {"envoy-gateway.yaml": "enableLua: true\n"}},
        }
        self.nodes = [_node("gpu-0", gpus=2), _node("gpu-1", gpus=2)]
        self.forbidden: set[tuple[str, str]] = set()

    def version(self) -> str:
        return self.kubernetes

    def resources(self) -> tuple[Resource, ...]:
        return tuple(
            Resource(group=group, version=version, kind=kind, plural=f"{kind.lower()}s", namespaced=True)
            for group, version, kind in self.served
        )

    def find(self, _api: str, kind: str, name: str, _namespace: str | None = None) -> dict[str, Any] | None:
        return self.objects.get((kind, name))

    def list(self, _api: str, kind: str, _namespace: str | None = None) -> list[dict[str, Any]]:
        if kind == "Node":
            return self.nodes
        return [
            {**each, "metadata": {"name": name}} for (of, name), each in self.objects.items() if of == kind
        ]

    def ask(self, _method: str, _path: str, *, content: str, **_: Any) -> dict[str, Any]:
        wanted = json.loads(content)["spec"]["resourceAttributes"]
        return {"status": {"allowed": (wanted["verb"], wanted["resource"]) not in self.forbidden}}


def _node(name: str, *, gpus: int, product: str = "NVIDIA-L40S", **amounts: str) -> dict[str, Any]:
    plenty = {"cpu": "64", "memory": "1Ti", "ephemeral-storage": "4Ti", "nvidia.com/gpu": str(gpus)}
    return {
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": product}},
        "status": {
            "allocatable": plenty | {key.replace("_", "-"): amount for key, amount in amounts.items()},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
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
    [(SERVED[0], "KServe 0.20"), (SERVED[1], "Gateway API"), (SERVED[4], "Envoy Gateway 1.9")],
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


def test_a_secret_of_another_namespace_needs_a_grant_and_its_yaml_is_told() -> None:
    cluster = _Cluster()
    del cluster.objects["ReferenceGrant", "agents-tls"]

    grant = _missing(cluster, _plan())["ReferenceGrant in certificates"]

    told = yaml.safe_load(grant.fix.partition("\n")[2])
    assert told["metadata"]["namespace"] == "certificates"
    cluster.objects["ReferenceGrant", "agents-tls"] = told
    assert _missing(cluster, _plan()) == {}, "what the fix says to apply is what is missed"


@pytest.mark.parametrize(
    ("part", "value"),
    [("from", {"namespace": "others"}), ("to", {"name": "other-secret"}), ("to", {"kind": "ConfigMap"})],
)
def test_a_grant_for_others_is_none(part: str, value: dict[str, str]) -> None:
    cluster = _Cluster()
    spec = GRANT["spec"]
    cluster.objects["ReferenceGrant", "agents-tls"] = {"spec": spec | {part: [spec[part][0] | value]}}

    assert "ReferenceGrant in certificates" in _missing(cluster, _plan())


def test_an_issuer_that_is_not_ready_is_named() -> None:
    cluster = _Cluster()
    cluster.served.append(("cert-manager.io", "v1", "Certificate"))
    cluster.objects["ClusterIssuer", "ca"] = {
        "status": {"conditions": [{"type": "Ready", "status": "False"}]}
    }
    plan = planned(access={"tls": {"issuer": "ca", "secretName": None}})

    assert "Ready is False" in _missing(cluster, plan)["ClusterIssuer ca"].found


@pytest.mark.parametrize(
    ("change", "found", "fix"),
    [
        ({"spec": {"unschedulable": True}}, "cordoned", "kubectl uncordon gpu-0"),
        (
            {"spec": {"taints": [{"key": "team", "value": "ml", "effect": "NoSchedule"}]}},
            "taint team=ml:NoSchedule",
            "kubectl taint node gpu-0 team:NoSchedule-",
        ),
    ],
)
def test_what_keeps_pods_off_a_node_is_named(change: dict[str, Any], found: str, fix: str) -> None:
    cluster = _Cluster()
    cluster.nodes[0] |= change

    check = _missing(cluster, _plan())["Node gpu-0"]

    assert found in check.found
    assert fix in check.fix


def test_the_taint_of_gpu_nodes_is_tolerated() -> None:
    cluster = _Cluster()
    cluster.nodes[0]["spec"] = {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}

    assert _missing(cluster, _plan()) == {}


def test_a_node_that_is_not_ready_is_named() -> None:
    cluster = _Cluster()
    cluster.nodes[1]["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]

    assert "Ready is Unknown" in _missing(cluster, _plan())["Node gpu-1"].found


@pytest.mark.parametrize("resource", ["cpu", "memory", "ephemeral_storage"])
def test_a_pod_that_no_node_can_take_is_named_with_the_resource(resource: str) -> None:
    cluster = _Cluster()
    cluster.nodes = [_node(f"gpu-{index}", gpus=2, **{resource: "1"}) for index in range(2)]

    (found,) = (check for name, check in _missing(cluster, _plan()).items() if name.startswith("room for"))

    assert resource.replace("_", "-") in found.found
    assert "tensorParallel" in found.fix


def test_quota_and_limits_of_the_namespace_are_compared_with_what_the_stack_asks() -> None:
    cluster = _Cluster()
    cluster.objects["ResourceQuota", "team"] = {
        "spec": {"hard": {"requests.nvidia.com/gpu": "0", "pods": "50"}}
    }
    cluster.objects["LimitRange", "small"] = {
        "spec": {"limits": [{"type": "Container", "max": {"memory": "8Gi"}}]}
    }

    missing = _missing(cluster, _plan())

    assert "requests.nvidia.com/gpu" in missing["ResourceQuota team"].found
    assert "pods" not in missing["ResourceQuota team"].found
    assert "memory" in missing["LimitRange small"].found


def test_a_quota_that_is_large_enough_is_fine() -> None:
    cluster = _Cluster()
    cluster.objects["ResourceQuota", "team"] = {
        "spec": {"hard": {"requests.nvidia.com/gpu": "8", "count/pods": "9"}}
    }

    assert _missing(cluster, _plan()) == {}


def test_services_without_an_address_tell_that_none_is_given() -> None:
    cluster = _Cluster()
    cluster.objects["Service", "ingress"] = {"spec": {"type": "LoadBalancer"}, "status": {}}
    name = "addresses for LoadBalancer Services"
    assert _missing(cluster, _plan())[name].verdict == "missing"

    del cluster.objects["Service", "ingress"]
    assert _missing(cluster, _plan())[name].verdict == "doubtful", "nothing to tell from"


def test_a_claim_that_is_not_bound_is_named() -> None:
    cluster = _Cluster()
    plan = planned(model={"source": "pvc://models/coder"})
    assert _missing(cluster, plan)["PersistentVolumeClaim coding-agents/models"].found == "not there"

    cluster.objects["PersistentVolumeClaim", "models"] = {"status": {"phase": "Pending"}}
    assert _missing(cluster, plan)["PersistentVolumeClaim coding-agents/models"].found == "Pending"

    cluster.objects["PersistentVolumeClaim", "models"] = {"status": {"phase": "Bound"}}
    assert "PersistentVolumeClaim coding-agents/models" not in _missing(cluster, plan)


def test_secrets_and_accounts_that_a_stack_names_must_be_there() -> None:
    plan = planned(
        serving={"storageSecret": "hf-token", "imagePullSecrets": ["pull"], "serviceAccount": "own-account"}
    )

    assert {
        "Secret coding-agents/hf-token",
        "Secret coding-agents/pull",
        "ServiceAccount coding-agents/own-account",
    } <= set(_missing(_Cluster(), plan))


def test_knative_must_allow_what_the_pods_ask_for() -> None:
    cluster = _Cluster()
    plan = planned(serving={"mode": "Knative"}, model={"source": "pvc://models/coder"})
    needed = {name for name in _missing(cluster, plan) if name.startswith("Knative's")}
    assert {
        "Knative's kubernetes.podspec-nodeselector",
        "Knative's kubernetes.podspec-tolerations",
        "Knative's kubernetes.podspec-priorityclassname",
        "Knative's kubernetes.podspec-persistent-volume-claim",
        "Knative's max-revision-timeout-seconds",
    } <= needed

    flags = {name.removeprefix("Knative's "): "Enabled" for name in needed}
    cluster.objects["ConfigMap", "config-features"] = {"data": flags}
    cluster.objects["ConfigMap", "config-defaults"] = {"data": {"max-revision-timeout-seconds": "7200"}}
    assert not any(name.startswith("Knative's") for name in _missing(cluster, plan))


def test_who_may_not_declare_the_stack_is_told_which_verbs_are_missing() -> None:
    cluster = _Cluster()
    cluster.forbidden = {("create", "gateways"), ("patch", "gateways")}

    check = _missing(cluster, _plan())["permission for gateways.gateway.networking.k8s.io"]

    assert check.found == "the caller may not create, patch in coding-agents"


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
