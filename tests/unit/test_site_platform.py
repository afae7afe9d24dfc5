"""A platform by its name, and users left to it: what is set, why, and that a stack's own word wins."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter

from onprem_agents.catalog import ClusterPlatform, load_catalog
from onprem_agents.cli import main
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import render, server_bundles
from onprem_agents.plan.plan_parts import plan_server
from onprem_agents.stack.pods import PlatformName
from tests.unit.manifest_samples import containers, of_kind, planned, pod_specs
from tests.unit.part_samples import SERVER

PLATFORMS = load_catalog().platforms
OPENSHIFT: dict[str, Any] = {"platform": "openshift-ai"}


def test_every_platform_that_can_be_named_is_known() -> None:
    named = TypeAdapter(PlatformName).json_schema()["enum"]

    assert named == [platform.name for platform in PLATFORMS]


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_what_a_platform_sets_is_a_setting_that_takes_the_value(platform: ClusterPlatform) -> None:
    settings = planned(platform=platform.name).settings.model_dump(by_alias=True, mode="json")

    for preset in platform.settings:
        found: Any = settings
        for key in preset.setting.split("."):
            found = found[key]
        assert found == preset.value


def test_openshift_has_its_dns_elsewhere_and_assigns_users() -> None:
    plan = planned(platform="openshift-ai")

    assert (plan.settings.network.dns.namespace, plan.settings.network.dns.port) == ("openshift-dns", 5353)
    assert plan.settings.pod_ids == "platform"
    namespace, port, *_ = plan.site
    assert namespace == (
        "platform openshift-ai sets platform.network.dns.namespace to openshift-dns, because OpenShift's DNS runs "
        "there, not in kube-system"
    )
    assert port == (
        "platform openshift-ai sets platform.network.dns.port to 5353, because its pods listen there, behind port 53 "
        "of their Service"
    )


def test_what_the_stack_says_wins_and_the_plan_tells_both() -> None:
    plan = planned(platform="openshift-ai", network={"dns": {"port": 53}}, podIds="fixed")

    assert (plan.settings.network.dns.namespace, plan.settings.network.dns.port) == ("openshift-dns", 53)
    assert plan.settings.pod_ids == "fixed"
    assert "platform openshift-ai would set platform.podIds to platform; the stack says fixed" in plan.site


def test_the_upstream_sets_nothing() -> None:
    assert planned().site == ()
    assert render(planned(platform="upstream")) == render(planned())


@pytest.mark.parametrize("network", [None, "dns", {"dns": []}, {"dns": None}])
def test_settings_of_a_wrong_shape_are_refused_beside_a_platform_as_without(network: Any) -> None:
    with pytest.raises(InvalidInput) as alone:
        planned(network=network)
    with pytest.raises(InvalidInput) as beside:
        planned(network=network, platform="openshift-ai")

    assert beside.value.problems == alone.value.problems


def test_an_unknown_platform_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InvalidInput) as refused:
        planned(platform="rancher")
    (problem,) = refused.value.problems

    assert problem.where == "platform.platform"
    assert "'upstream', 'openshift-ai' or 'alauda'" in problem.why


def test_alauda_knows_a_server_by_labels_and_those_of_its_model_where_they_are_known() -> None:
    source = "hf://team/Qwen3.6-27B-FP8"
    plan = planned(platform="alauda", model={"source": source, "revision": "81e07c42"})
    metadata = of_kind(render(plan), "InferenceService")["coder"]["metadata"]

    assert (
        metadata["labels"].items()
        >= {
            "aml.cpaas.io/runtime-type": "vllm",
            "aml-pipeline-tag": "text-generation",
            "service.subdomain": "coder-coding-agents",
            "aml-model-group": "team",
            "aml-model-repo": "Qwen3.6-27B-FP8",
        }.items()
    )
    assert (
        metadata["annotations"].items()
        >= {
            "aml-pipeline-tag": "text-generation",
            "aml-model-repo": "Qwen3.6-27B-FP8",
            "aml-model-repo-tag-commit": "81e07c42",
        }.items()
    )

    elsewhere = planned(platform="alauda", model={"source": "pvc://models/qwen"})
    labels = of_kind(render(elsewhere), "InferenceService")["coder"]["metadata"]["labels"]
    assert "aml.cpaas.io/runtime-type" in labels
    assert not {"aml-model-group", "aml-model-repo"} & labels.keys(), "nobody knows the model's repository"


def test_the_plan_and_the_catalogue_tell_what_alaudas_labels_are_for() -> None:
    told = "aml.cpaas.io/runtime-type=vllm, because its console knows the servers of a runtime by it"
    shown = CliRunner().invoke(main, ["catalog", "Alauda"]).output

    assert f"platform alauda gives each model server the label {told}" in planned(platform="alauda").site
    assert f"label               {told}  (alauda/aml-docs" in shown
    assert "platform.podIds platform, because" in CliRunner().invoke(main, ["catalog", "openshift-ai"]).output


def test_a_server_alone_takes_what_a_platforms_name_means_for_it() -> None:
    part = plan_server(SERVER | OPENSHIFT, stack="test", source="coder")
    said = plan_server(SERVER | OPENSHIFT | {"podIds": "fixed"}, stack="test", source="coder")

    assert (part.pod_ids, said.pod_ids) == ("platform", "fixed")
    pods = pod_specs([each.shown() for bundle in server_bundles(part) for each in bundle.objects])
    assert "runAsUser" not in pods["coder"]["securityContext"]


@pytest.mark.parametrize("translation", ["native", "litellm", "claude-code-router"])
def test_pods_leave_user_and_group_to_the_platform_and_stay_restricted(translation: str) -> None:
    documents = render(planned(translation=translation, podIds="platform"))
    for pod in pod_specs(documents).values():
        context = pod["securityContext"]
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys()
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            names = {each["name"]: each.get("value") for each in container["env"]}
            assert names["HOME"] == "/tmp", "an emptyDir, which any user may write to"  # noqa: S108
            assert names["USER"], "a number that no image knows has no name"
            assert not {"runAsUser", "runAsGroup"} & container["securityContext"].keys()


def test_a_folder_of_the_nodes_needs_a_user_that_is_known() -> None:
    folder = {"hostPath": {"path": "/data/models"}}
    with pytest.raises(InvalidInput) as refused:
        planned(model={"cache": folder}, podIds="platform")
    with pytest.raises(InvalidInput) as alone:
        plan_server(SERVER | {"cache": folder, "podIds": "platform"}, stack="test", source="coder")

    (problem,), (argument,) = refused.value.problems, alone.value.problems
    assert problem.where == "platform.models[0].cache.hostPath"
    assert problem.fix.endswith("or set platform.podIds to fixed")
    assert (argument.where, argument.fix.endswith("or set podIds to fixed")) == ("cache.hostPath", True)


def test_envoy_is_not_given_the_user_that_envoy_gateway_gives_it() -> None:
    (envoy,) = of_kind(render(planned(podIds="platform")), "EnvoyProxy").values()
    context = envoy["spec"]["provider"]["kubernetes"]["envoyDeployment"]["container"]["securityContext"]

    assert context == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": False,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
