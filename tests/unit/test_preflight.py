"""What a cluster lacks is named before anything is applied, each thing with its fix."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from onprem_agents.cluster.preflight import PREREQUISITES
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import planned
from tests.unit.preflight_samples import GRANT, SERVED, PretendedCluster, missing, node, stack_plan


def test_a_cluster_with_everything_lacks_nothing() -> None:
    assert missing(PretendedCluster(), stack_plan()) == {}


def test_an_old_kubernetes_is_named() -> None:
    cluster = PretendedCluster()
    cluster.kubernetes = "v1.29.4-gke.100"

    assert "1.32" in missing(cluster, stack_plan())["Kubernetes"].fix


@pytest.mark.parametrize(
    ("served", "fix"),
    [(SERVED[0], "KServe 0.20"), (SERVED[1], "Gateway API"), (SERVED[4], "Envoy Gateway 1.9")],
)
def test_an_api_that_is_not_served_is_named_with_what_to_install(
    served: tuple[str, str, str], fix: str
) -> None:
    cluster = PretendedCluster()
    cluster.served.remove(served)

    group, version, kind = served
    assert fix in missing(cluster, stack_plan())[f"{kind} ({group}/{version})"].fix


def test_a_gateway_class_that_is_not_accepted_is_named() -> None:
    cluster = PretendedCluster()
    cluster.objects["GatewayClass", "envoy-gateway"] = {"status": {}}

    assert "controller runs" in missing(cluster, stack_plan())["GatewayClass envoy-gateway"].fix


def test_a_gateway_class_that_merges_gateways_is_named() -> None:
    cluster = PretendedCluster()
    reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "shared"}
    cluster.objects["GatewayClass", "envoy-gateway"]["spec"] = {"parametersRef": reference}
    assert missing(cluster, stack_plan()) == {}, "an EnvoyProxy that is not there, or says something else"
    cluster.objects["EnvoyProxy", "shared"] = {"spec": {"mergeGateways": True}}

    assert "mergeGateways" in missing(cluster, stack_plan())["GatewayClass envoy-gateway"].fix


def test_a_missing_certificate_is_named_with_its_namespace() -> None:
    cluster = PretendedCluster()
    del cluster.objects["Secret", "agents-tls"]

    assert "Secret certificates/agents-tls" in missing(cluster, stack_plan())


def test_nodes_that_are_not_there_or_have_too_few_gpus_are_named() -> None:
    cluster = PretendedCluster()
    cluster.nodes = [node("gpu-0", gpus=1)]

    found = missing(cluster, stack_plan())

    assert "Node gpu-1" in found
    assert "0 nodes of" in found["2 nodes with 2 × L40S"].found


def test_several_models_need_lua_in_envoy_gateway() -> None:
    cluster = PretendedCluster()
    cluster.nodes = [node(name, gpus=4, product="NVIDIA-H100-80GB-HBM3") for name in ("a", "b")]
    cluster.objects["ConfigMap", "envoy-gateway-config"] = {
        "data": {"envoy-gateway.yaml": "extensionApis: {}"}
    }

    assert "enableLua" in missing(cluster, stack_plan("team"))["Lua filters in Envoy Gateway"].fix


def test_one_model_needs_lua_for_its_aliases_alone_and_can_do_without_them() -> None:
    cluster = PretendedCluster()
    cluster.objects["ConfigMap", "envoy-gateway-config"] = {
        "data": {"envoy-gateway.yaml": "extensionApis: {}"}
    }

    fix = missing(cluster, stack_plan())["Lua filters in Envoy Gateway"].fix
    assert fix.endswith(
        "or else the routes answer 500; or do without aliases: platform.access.modelAliases: false"
    )
    assert "Lua filters in Envoy Gateway" not in missing(cluster, planned(access={"modelAliases": False}))


def test_a_bound_on_a_replicas_part_needs_patches_and_nothing_else_does() -> None:
    cluster = PretendedCluster()
    stack = planned(model={"replicas": 2}, access={"balancedSessions": True})
    name = "patches in Envoy Gateway"

    def configured(text: str) -> None:
        cluster.objects["ConfigMap", "envoy-gateway-config"] = {"data": {"envoy-gateway.yaml": text}}

    configured("extensionApis:\n  enableLua: true")
    assert "enableEnvoyPatchPolicy: true" in missing(cluster, stack)[name].fix
    assert name not in missing(cluster, planned(model={"replicas": 2}))
    configured("extensionApis:\n  enableLua: true\n  enableEnvoyPatchPolicy: true")
    assert name not in missing(cluster, stack)


def test_several_replicas_need_lua_for_sessions_too_and_can_do_without_them() -> None:
    cluster = PretendedCluster()
    cluster.objects["ConfigMap", "envoy-gateway-config"] = {
        "data": {"envoy-gateway.yaml": "extensionApis: {}"}
    }
    two = {"replicas": 2}

    def fix(**access: bool) -> str:
        return str(missing(cluster, planned(model=two, access=access))["Lua filters in Envoy Gateway"].fix)

    assert fix().endswith("platform.access.modelAliases: false and sessionAffinity: false")
    assert fix(modelAliases=False).endswith("without affinity: platform.access.sessionAffinity: false")
    assert fix(sessionAffinity=False).endswith("without aliases: platform.access.modelAliases: false")


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
    assert needed in missing(PretendedCluster(), planned(**changes))


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


def elsewhere(**tls: Any) -> PlatformPlan:
    """Return a plan whose certificate another namespace's owner keeps."""
    secret = {"secretName": "agents-tls", "secretNamespace": "certificates"}
    return planned(access={"tls": secret | tls})


def test_a_secret_of_another_namespace_needs_a_grant_and_its_yaml_is_told() -> None:
    cluster = PretendedCluster()
    del cluster.objects["ReferenceGrant", "agents-tls"]

    grant = missing(cluster, elsewhere())["ReferenceGrant in certificates"]

    told = yaml.safe_load(grant.fix.partition("\n")[2])
    assert told["metadata"]["namespace"] == "certificates"
    cluster.objects["ReferenceGrant", "agents-tls"] = told
    assert missing(cluster, elsewhere()) == {}, "what the fix says to apply is what is missed"


def test_a_stack_that_makes_its_grant_needs_none_before_but_the_right_to_make_it() -> None:
    cluster = PretendedCluster()
    del cluster.objects["ReferenceGrant", "agents-tls"]
    assert missing(cluster, elsewhere(referenceGrant=True)) == {}
    cluster.forbidden = {("create", "referencegrants")}

    told = missing(cluster, elsewhere(referenceGrant=True))

    assert told["permission for referencegrants.gateway.networking.k8s.io"].found.endswith(
        "create in certificates"
    )


@pytest.mark.parametrize(
    ("served", "told"), [(["v1beta1"], "v1beta1"), (["v1beta1", "v1"], "v1"), (["v1"], "v1"), ([], "v1")]
)
def test_a_grant_is_told_in_the_version_that_the_cluster_serves(served: list[str], told: str) -> None:
    cluster = PretendedCluster()
    del cluster.objects["ReferenceGrant", "agents-tls"]
    cluster.served = [each for each in cluster.served if each[2] != "ReferenceGrant"]
    cluster.served += [("gateway.networking.k8s.io", version, "ReferenceGrant") for version in served]

    grant = missing(cluster, elsewhere())["ReferenceGrant in certificates"]

    assert yaml.safe_load(grant.fix.partition("\n")[2])["apiVersion"] == f"gateway.networking.k8s.io/{told}"


@pytest.mark.parametrize(
    ("part", "value"),
    [("from", {"namespace": "others"}), ("to", {"name": "other-secret"}), ("to", {"kind": "ConfigMap"})],
)
def test_a_grant_for_others_is_none(part: str, value: dict[str, str]) -> None:
    cluster = PretendedCluster()
    spec = GRANT["spec"]
    cluster.objects["ReferenceGrant", "agents-tls"] = {"spec": spec | {part: [spec[part][0] | value]}}

    assert "ReferenceGrant in certificates" in missing(cluster, elsewhere())


def test_an_issuer_that_is_not_ready_is_named() -> None:
    cluster = PretendedCluster()
    cluster.served.append(("cert-manager.io", "v1", "Certificate"))
    cluster.objects["ClusterIssuer", "ca"] = {
        "status": {"conditions": [{"type": "Ready", "status": "False"}]}
    }
    plan = planned(access={"tls": {"issuer": "ca", "secretName": None}})

    assert "Ready is False" in missing(cluster, plan)["ClusterIssuer ca"].found


def test_services_without_an_address_tell_that_none_is_given() -> None:
    cluster = PretendedCluster()
    cluster.objects["Service", "ingress"] = {"spec": {"type": "LoadBalancer"}, "status": {}}
    name = "addresses for LoadBalancer Services"
    assert missing(cluster, stack_plan())[name].verdict == "missing"

    del cluster.objects["Service", "ingress"]
    assert missing(cluster, stack_plan())[name].verdict == "doubtful", "nothing to tell from"


def test_who_may_not_declare_the_stack_is_told_which_verbs_aremissing() -> None:
    cluster = PretendedCluster()
    cluster.forbidden = {("create", "gateways"), ("patch", "gateways")}

    check = missing(cluster, stack_plan())["permission for gateways.gateway.networking.k8s.io"]

    assert check.found == "the caller may not create, patch in coding-agents"


def test_a_gated_model_needs_a_secret_with_a_token_that_its_page_knows() -> None:
    model = {"role": "coder", "model": "meta-llama/Llama-3.3-70B-Instruct", "precision": "bf16"}
    hardware = {"accelerator": "H200", "gpusPerNode": 8}
    name = "licence of meta-llama/Llama-3.3-70B-Instruct"
    cluster = PretendedCluster()

    (unnamed,) = [missing(cluster, planned(hardware=hardware, models=[model]))[name]]
    assert "storageSecret names no Secret" in unnamed.found
    assert "https://huggingface.co/meta-llama/Llama-3.3-70B-Instruct" in unnamed.fix
    assert "platform.serving.storageSecret" in unnamed.fix

    plan = planned(hardware=hardware, models=[model], serving={"storageSecret": "hf-token"})
    assert "is not there" in missing(cluster, plan)[name].found
    cluster.objects["Secret", "hf-token"] = {"data": {"AWS_ACCESS_KEY_ID": "eA=="}}
    assert "has no HF_TOKEN" in missing(cluster, plan)[name].found
    cluster.objects["Secret", "hf-token"] = {"data": {"HF_TOKEN": "eA=="}}
    assert name not in missing(cluster, plan)
