"""A stack on another maker's accelerators: its image, resource, labels and taint, and what it may not ask for."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.needs import cluster_needs
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import render
from onprem_agents.plan import CHAT_TEMPLATE_PATH, PlatformPlan
from tests.unit.manifest_samples import containers, planned, pod_specs
from tests.unit.preflight_samples import PretendedCluster, missing

pytestmark = pytest.mark.unit

AMD = {"accelerator": "MI300X", "gpusPerNode": 8, "nodes": 1}
ASCEND = {"accelerator": "Ascend-910B3", "gpusPerNode": 8, "nodes": 1}
BF16 = {"model": "Qwen/Qwen3.6-27B", "context": 65536, "tensorParallel": 2}


def stack(hardware: dict[str, Any], *, model: dict[str, Any] | None = None, **more: Any) -> PlatformPlan:
    return planned(hardware=hardware, model=model or {}, **more)


def problems_of(
    hardware: dict[str, Any], *, model: dict[str, Any] | None = None, **more: Any
) -> list[Problem]:
    with pytest.raises(InvalidInput) as refused:
        stack(hardware, model=model, **more)
    return list(refused.value.problems)


@pytest.mark.parametrize(
    ("hardware", "model", "image", "resource", "label"),
    [
        (
            AMD,
            {},
            "docker.io/vllm/vllm-openai-rocm:v0.33.0",
            "amd.com/gpu",
            {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"},
        ),
        (
            ASCEND,
            BF16,
            # The newest final release of vLLM Ascend, not vLLM's own newest.
            "quay.io/ascend/vllm-ascend:v0.30.0",
            "huawei.com/Ascend910",
            {"node.kubernetes.io/npu.chip.name": "910B3"},
        ),
    ],
)
def test_pods_are_made_of_the_makers_build_and_ask_for_its_resource(
    hardware: dict[str, Any], model: dict[str, Any], image: str, resource: str, label: dict[str, str]
) -> None:
    plan = stack(hardware, model=model)
    pod = pod_specs(render(plan))["coder"]
    server = next(each for each in containers(pod) if each["name"] == "kserve-container")

    assert server["image"] == image
    assert server["resources"]["limits"][resource] == str(plan.main.resources.gpus)
    assert "nvidia.com/gpu" not in server["resources"]["limits"]
    assert pod["nodeSelector"] == label
    assert [each["key"] for each in pod["tolerations"]] == [resource]
    assert image in [use.name for use in plan.images]


def test_what_is_not_proven_of_a_maker_is_told_in_the_plan() -> None:
    notes = " ".join(stack(AMD).notes)

    assert "no log of vLLM on these GPUs was held against them" in notes
    assert "device_ownership_from_security_context" in notes
    assert not any("held against" in note for note in planned().notes)


def test_a_release_that_the_maker_has_no_image_of_is_refused_with_those_that_it_has() -> None:
    (problem,) = problems_of(ASCEND, model=BF16, serving={"vllm": "0.28.0"})

    assert problem.where == "platform.serving.vllm"
    assert "0.18.0, 0.23.0, 0.30.0" in problem.why
    assert stack(ASCEND, model=BF16, serving={"vllm": "0.28.0", "image": "registry.example/npu:1"}).main.image


def test_a_release_from_before_the_build_was_read_is_refused() -> None:
    (problem,) = problems_of(AMD, serving={"vllm": "0.20.2"})

    assert (problem.where, problem.cause) == ("platform.serving.vllm", "release-too-old")


def test_no_cuda_is_asked_of_nodes_that_have_none() -> None:
    (problem,) = problems_of(AMD, serving={"cudaAffinity": True})

    assert problem.where == "platform.serving.cudaAffinity"


def test_a_checkpoint_that_the_build_does_not_run_is_refused_and_no_gpu_of_others_proposed() -> None:
    (problem,) = problems_of(ASCEND, model={"model": "Qwen/Qwen3.6-27B-FP8"})

    assert "no FP8 units" in problem.why
    assert "platform.hardware.accelerator" not in problem.fix


@pytest.mark.parametrize(
    ("hardware", "model", "folder"),
    [
        # Where docker/Dockerfile.rocm of vLLM copies the examples, and where vLLM Ascend's Dockerfile clones vLLM.
        (AMD, {"model": "google/gemma-3-27b-it", "context": 32768}, "/app/vllm/examples"),
        (
            ASCEND,
            {"model": "google/gemma-3-27b-it", "context": 32768, "tensorParallel": 4},
            "/vllm-workspace/vllm/examples",
        ),
        (
            {"accelerator": "H100", "gpusPerNode": 8},
            {"model": "google/gemma-3-27b-it"},
            "/vllm-workspace/examples",
        ),
    ],
)
def test_a_template_of_vllms_examples_is_taken_from_where_the_makers_image_has_it(
    hardware: dict[str, Any], model: dict[str, Any], folder: str
) -> None:
    flags = stack(hardware, model=model).main.flags

    assert flags.chat_template == f"{folder}/tool_chat_template_gemma3_pythonic.jinja"


def test_a_template_of_the_stacks_own_stays_where_it_is_mounted() -> None:
    model = {"model": "google/gemma-3-27b-it", "context": 32768, "chatTemplate": "{{ messages }}"}

    assert stack(AMD, model=model).main.flags.chat_template == CHAT_TEMPLATE_PATH


NEXT = {"model": "Qwen/Qwen3-Coder-Next", "context": 65536, "tensorParallel": 4}


@pytest.mark.parametrize(
    ("model", "on", "told"),
    [
        # Ticked in "Supported models" of vLLM Ascend v0.23.0.
        (BF16, True, "in blocks of up to some 2,000 tokens"),
        ({**BF16, "prefixCaching": False}, False, None),
        # In the list, not ticked.
        (NEXT, False, "prefix caching is off: the list of vLLM Ascend does not tell that it works"),
        ({**NEXT, "prefixCaching": True}, True, "kept as the stack says"),
        # Without linear attention nothing is in question.
        ({"model": "Qwen/Qwen3-8B", "context": 32768}, True, None),
    ],
)
def test_prefix_caching_of_hybrid_models_is_on_where_the_makers_list_says_that_it_works(
    model: dict[str, Any], on: bool, told: str | None
) -> None:
    plan = stack(ASCEND, model=model)
    notes = [note for note in plan.notes if "prefix" in note.lower()]

    assert plan.main.flags.enable_prefix_caching is on
    assert plan.main.fit.memory is not None
    assert plan.main.fit.memory.request.prefix_caching is on
    assert len(notes) == (told is not None)
    assert told is None or told in notes[0]
    assert ("--enable-prefix-caching" in plan.main.argv) is on


def test_prefix_caching_of_hybrid_models_stays_on_elsewhere() -> None:
    assert stack({"accelerator": "H100", "gpusPerNode": 8}, model=NEXT).main.flags.enable_prefix_caching


def test_preflight_looks_for_the_makers_resource_and_labels_and_for_no_cuda() -> None:
    cluster = PretendedCluster()
    assert "AMD's GPU operator" in missing(cluster, stack(AMD))["1 node with 8 × MI300X"].fix

    cluster.nodes = [
        {
            "metadata": {
                "name": "mi300x-1",
                "labels": {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"},
            },
            "status": {
                "allocatable": {
                    "cpu": "192",
                    "memory": "2Ti",
                    "ephemeral-storage": "8Ti",
                    "amd.com/gpu": "8",
                },
                "conditions": [{"type": "Ready", "status": "True"}],
                "nodeInfo": {"kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.1.5"},
            },
        }
    ]
    assert missing(cluster, stack(AMD)) == {}


def test_simulated_nodes_are_those_of_the_maker() -> None:
    plan = stack(AMD)
    (node,) = (spec.manifest() for spec in cluster_needs(plan, render(plan)).nodes)

    assert node["status"]["allocatable"]["amd.com/gpu"] == "8"
    assert node["metadata"]["labels"]["amd.com/gpu.product-name"] == "AMD_Instinct_MI300X_OAM"
    assert node["metadata"]["labels"]["amd.com/gpu.vram"] == "192G"
    assert not any(label.startswith("nvidia.com/") for label in node["metadata"]["labels"])
    assert node["spec"]["taints"][0]["key"] == "amd.com/gpu"
