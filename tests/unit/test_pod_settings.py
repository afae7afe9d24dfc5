"""What a stack adds to the pods of a role: variables, labels, annotations, and where they may run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import Manifest, render
from tests.unit.manifest_samples import containers, planned, pod_specs
from tests.unit.part_samples import server

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden" / "manifests"


def pod(**role: Any) -> Manifest:
    return pod_specs(render(planned(model=role)))["coder"]


def refused(**role: Any) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        planned(model=role)
    return list(caught.value.problems)


def variables(predictor: Manifest) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in predictor["containers"][0]["env"]}


def names_that_the_product_sets() -> set[str]:
    """Return every variable of a model server in any golden manifest that its stack does not say."""
    found: set[str] = set()
    for file in GOLDEN.glob("*.yaml"):
        documents = [
            document for document in yaml.safe_load_all(file.read_text(encoding="utf-8")) if document
        ]
        for document in documents:
            if document["kind"] == "InferenceService":
                (container,) = document["spec"]["predictor"]["containers"]
                found |= {entry["name"] for entry in container["env"]}
    return found - {"NCCL_DEBUG"}


def test_a_variable_reaches_the_server_beside_those_of_the_product() -> None:
    named = variables(pod(env={"NCCL_DEBUG": "INFO"}))

    assert named["NCCL_DEBUG"] == "INFO"
    assert named.keys() - variables(pod()).keys() == {"NCCL_DEBUG"}


@pytest.mark.parametrize("name", sorted(names_that_the_product_sets()))
def test_no_variable_of_the_product_can_be_said_otherwise(name: str) -> None:
    (problem,) = refused(env={name: "x"})

    assert problem.where == "platform.models[0].env"
    assert problem.fix.startswith(f"take {name} out")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("MAX_MODEL_LEN", "set platform.models[0].context"),
        ("VLLM_MAX_MODEL_LEN", "set platform.models[0].context"),
        ("TENSOR_PARALLEL_SIZE", "set platform.models[0].tensorParallel"),
        ("MAX_NUM_QUEUED_REQS", "write --max-num-queued-reqs into platform.models[0].extraArgs"),
    ],
)
def test_a_variable_that_nobody_reads_is_refused_with_what_is_read(name: str, fix: str) -> None:
    (problem,) = refused(env={name: "8192"})

    assert problem.cause == "unknown-key"
    assert problem.why.startswith("nobody reads it")
    assert problem.fix == f"take {name} out and {fix}"


@pytest.mark.parametrize(
    "name", ["VLLM_SERVER_DEV_MODE", "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "VLLM_PORT", "VLLM_USE_V1"]
)
def test_a_variable_that_harms_is_refused_with_the_reason(name: str) -> None:
    (problem,) = refused(env={name: "1"})

    assert problem.cause == "contradiction"
    assert len(problem.why) > 20


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "OUR_PASSWORD", "VLLM_API_KEY", "PROXY_APIKEY"]
)
def test_a_variable_with_the_name_of_a_secret_is_refused_and_its_value_not_shown(name: str) -> None:
    (problem,) = refused(env={name: "hunter2"})

    assert problem.cause == "secret-in-plain-text"
    assert "hunter2" not in str(problem)
    assert "serverKey" in problem.fix or "storageSecret" in problem.fix


def test_a_value_that_looks_like_a_secret_is_refused_and_not_shown() -> None:
    (problem,) = refused(env={"OURS": "hf_abcdefghijklmnop"})

    assert problem.where == "platform.models[0].env.OURS"
    assert problem.cause == "looks-like-key"
    assert "hf_" not in str(problem)
    assert "storageSecret" in problem.fix


def test_the_number_of_tokens_is_no_secret() -> None:
    assert variables(pod(env={"OUR_MAX_TOKENS": "5"}))["OUR_MAX_TOKENS"] == "5"


def test_labels_and_annotations_reach_the_pods_and_ours_stay() -> None:
    predictor = pod(
        podLabels={"example.com/team": "a"}, podAnnotations={"example.com/contact": "the platform team"}
    )

    assert predictor["labels"] == {**pod()["labels"], "example.com/team": "a"}
    assert predictor["annotations"] == {**pod()["annotations"], "example.com/contact": "the platform team"}


def test_knatives_own_annotation_stays_beside_further_ones() -> None:
    plan = planned(model={"podAnnotations": {"example.com/a": "b"}}, serving={"mode": "Knative"})

    annotations = pod_specs(render(plan))["coder"]["annotations"]
    assert annotations["example.com/a"] == "b"
    assert annotations["serving.knative.dev/progress-deadline"] == "2700s"


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("onprem-coding-agents/role", "leave it out"),
        ("app.kubernetes.io/component", "take app.kubernetes.io/instance"),
        ("serving.kserve.io/deploymentMode", "set 'mode' or 'replicas'"),
        ("kueue.x-k8s.io/queue-name", "set 'queue' (a server alone: 'localQueue')"),
        ("serving.knative.dev/progress-deadline", "set 'loadBudgetSeconds'"),
        ("autoscaling.knative.dev/min-scale", "set 'replicas'"),
        ("app", "take a key with a prefix, such as example.com/app"),
    ],
)
@pytest.mark.parametrize("setting", ["podLabels", "podAnnotations"])
def test_a_key_that_somebody_reads_is_refused_with_the_setting(setting: str, key: str, fix: str) -> None:
    (problem,) = refused(**{setting: {key: "x"}})

    assert (problem.where, problem.found, problem.fix) == (f"platform.models[0].{setting}", key, fix)


def test_all_keys_that_are_refused_are_told_at_once() -> None:
    assert len(refused(podLabels={"app": "x", "kueue.x-k8s.io/queue-name": "y", "example.com/a": "b"})) == 2


@pytest.mark.parametrize("key", ["-a", "a/b/c", "a b", "A.example.com/x", "x" * 64, "/x"])
def test_what_is_no_key_of_a_label_is_refused(key: str) -> None:
    (problem,) = refused(podLabels={key: "x"})

    assert "a label's key" in problem.why


def test_further_labels_of_nodes_are_asked_for_beside_those_of_the_pool() -> None:
    plan = planned(model={"nodeSelector": {"example.com/rack": "a1"}})

    assert pod_specs(render(plan))["coder"]["nodeSelector"] == {
        "example.com/rack": "a1",
        "nvidia.com/gpu.product": "NVIDIA-L40S",
    }
    assert [note for note in plan.main.notes if "example.com/rack=a1; the plan counts on 2 nodes" in note]


@pytest.mark.parametrize("hardware", [{}, {"nodeNames": ["gpu-a", "gpu-b"]}])
def test_nodes_with_other_gpus_than_those_of_the_pool_are_refused(hardware: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(model={"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"}}, hardware=hardware)

    (problem,) = caught.value.problems
    assert problem.where == "platform.models[0].nodeSelector"
    assert "NVIDIA-L40S (L40S)" in problem.why
    assert problem.fix.endswith("platform.hardware.accelerator")


def test_nodes_with_the_gpus_of_the_pool_may_be_named() -> None:
    assert (
        pod(nodeSelector={"nvidia.com/gpu.product": "NVIDIA-L40S"})["nodeSelector"] == pod()["nodeSelector"]
    )


def test_further_taints_are_borne_beside_the_one_of_gpu_nodes() -> None:
    dedicated = {"key": "dedicated", "operator": "Equal", "value": "agents", "effect": "NoSchedule"}
    ours = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    given = [{"key": "dedicated", "value": "agents", "effect": "NoSchedule"}, ours]

    assert pod(tolerations=given)["tolerations"] == [ours, dedicated]


@pytest.mark.parametrize(
    ("toleration", "why"),
    [
        ({"value": "x"}, "a value is that of a key"),
        ({"key": "a", "operator": "Exists", "value": "x"}, "Exists takes any value"),
        ({"key": "a", "tolerationSeconds": 5}, "only NoExecute takes pods away"),
        ({"key": "a", "operator": "In"}, "it must be 'Exists' or 'Equal'"),
    ],
)
def test_a_toleration_that_kubernetes_refuses_is_refused(toleration: dict[str, Any], why: str) -> None:
    (problem,) = refused(tolerations=[toleration])

    assert problem.where.startswith("platform.models[0].tolerations[0]")
    assert why in problem.why


def test_a_component_takes_the_same() -> None:
    part = server(env={"NCCL_DEBUG": "INFO"}, podLabels={"example.com/team": "a"}, nodeSelector={"zone": "b"})

    assert part.serving.pod.env == {"NCCL_DEBUG": "INFO"}
    assert any(note.startswith("nodeSelector keeps the pods to nodes with zone=b") for note in part.notes)


def test_no_other_container_gets_the_variables_of_the_server() -> None:
    names = [
        entry["name"]
        for container in containers(pod(env={"NCCL_DEBUG": "INFO"}))
        if container["name"] != "kserve-container"
        for entry in container.get("env", [])
    ]
    assert "NCCL_DEBUG" not in names
