"""Where a server's words come from beside its container: a file of options, other pods, an older field."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests, graph_of
from policy.graph import UNKNOWN
from policy.serving import Server, servers
from tests.policy.programs import Manifest

pytestmark = pytest.mark.policy

TOOLS, PARSER, MEMORY = "tool-calling-is-on", "parser-fits-the-model", "memory-headroom-is-left"
FILE = """
model: Qwen/Qwen3.6-27B-FP8
tensor-parallel-size: 2
max-model-len: 131072
enable-auto-tool-choice: true
enable-prefix-caching: false
tool-call-parser: qwen3_coder
reasoning-parser: qwen3
speculative-config: {method: mtp, num_speculative_tokens: 2}
"""


def _deployment(command: list[Any], *, config_map: str | None = "options", **mount: str) -> Manifest:
    container = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "command": command,
        "resources": {"limits": {"nvidia.com/gpu": "2"}},
        "volumeMounts": [{"name": "options", "mountPath": "/etc/vllm", **mount}],
    }
    spec = {"containers": [container], "volumes": [{"name": "options", "configMap": {"name": config_map}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coder", "namespace": "ml"},
        "spec": {"template": {"metadata": {"labels": {"app": "coder"}}, "spec": spec}},
    }


def _options(text: Any = FILE) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "options", "namespace": "ml"},
        "data": {"vllm.yaml": text},
    }


def _only(*manifests: Manifest) -> Server:
    (found,) = servers(graph_of(manifests))
    return found


def _mandatory(*manifests: Manifest) -> list[str]:
    return [finding.policy for finding in check_manifests(manifests) if finding.level == "mandatory"]


def test_a_file_of_options_is_read_and_the_command_line_wins() -> None:
    words = ["vllm", "serve", "--config", "/etc/vllm/vllm.yaml", "--max-model-len", "65536"]

    flags = _only(_deployment(words), _options()).parsed.flags

    assert flags.model == "Qwen/Qwen3.6-27B-FP8"
    assert (flags.tensor_parallel_size, flags.max_model_len) == (2, 65536)
    assert (flags.enable_auto_tool_choice, flags.enable_prefix_caching) == (True, False)
    assert flags.speculative_config == {"method": "mtp", "num_speculative_tokens": 2}


@pytest.mark.parametrize(
    ("words", "mount"),
    [
        (["vllm", "serve", "Qwen/Qwen3.6-27B-FP8", "--config=/etc/vllm/vllm.yaml"], {}),
        (
            ["python3", "-m", "vllm.entrypoints.openai.api_server", "--config", "/opt/options.yaml"],
            {"mountPath": "/opt/options.yaml", "subPath": "vllm.yaml"},
        ),
    ],
)
def test_a_file_is_found_however_it_is_named_and_mounted(words: list[str], mount: dict[str, str]) -> None:
    assert _mandatory(_deployment(words, **mount), _options()) == []


@pytest.mark.parametrize("text", [UNKNOWN, "a: [", "just words", None])
def test_a_file_that_can_not_be_read_excuses_nothing(text: Any) -> None:
    words = ["vllm", "serve", "--config", "/etc/vllm/vllm.yaml"]

    assert _mandatory(_deployment(words), _options(text)) == [TOOLS, PARSER, MEMORY]
    assert _mandatory(_deployment(words)) == [TOOLS, PARSER, MEMORY], "the ConfigMap is elsewhere"


@pytest.mark.parametrize(
    ("extra", "spread"),
    [
        ([], False),
        (["--distributed-executor-backend", "mp"], False),
        (["--distributed-executor-backend", "ray"], True),
        (["--nnodes", "2", "--node-rank", "0"], True),
        (["--data-parallel-size", "8", "--data-parallel-size-local", "2"], True),
    ],
)
def test_shards_on_other_pods_are_not_held_against_the_gpus_of_one(extra: list[str], spread: bool) -> None:
    agents = ["--enable-auto-tool-choice", "--tool-call-parser=qwen3_coder", "--reasoning-parser=qwen3"]
    words = ["vllm", "serve", "Qwen/Qwen3.6-27B-FP8", "--tensor-parallel-size", "8", *agents, *extra]

    assert _only(_deployment(words)).multi_node is spread
    assert _mandatory(_deployment(words)) == ([] if spread else [MEMORY])


def test_the_older_field_of_a_predictor_is_read_as_its_model() -> None:
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "coder", "namespace": "ml"},
        "spec": {
            "predictor": {
                "huggingface": {"storageUri": "hf://Qwen/Qwen3.6-27B-FP8", "args": ["--backend=vllm"]}
            }
        },
    }

    assert _only(service).model_names[0] == "Qwen/Qwen3.6-27B-FP8"
    assert _mandatory(service) == [TOOLS, PARSER]


def _runtime(*args: str) -> Manifest:
    container = {
        "name": "kserve-container",
        "image": "vllm/vllm-openai:v0.33.0",
        "command": ["vllm", "serve"],
    }
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": "ours", "namespace": "ml"},
        "spec": {
            "supportedModelFormats": [{"name": "vLLM", "autoSelect": True}],
            "containers": [{**container, "args": list(args)}],
        },
    }


def test_a_runtime_without_services_is_judged_by_what_stands_in_it_alone() -> None:
    plain, wrong = (
        _runtime("--port=8080"),
        _runtime("--tool-call-parser=no_such", "--gpu-memory-utilization=0.99"),
    )

    said = [(finding.policy, finding.level) for finding in check_manifests([plain])]

    assert said[0] == ("serving-can-be-checked", "advisory")
    assert _mandatory(plain) == []
    assert _mandatory(wrong) == [TOOLS, MEMORY]


def test_a_runtime_that_a_service_uses_is_judged_with_it_alone() -> None:
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "coder", "namespace": "ml"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "vLLM"}, "storageUri": "hf://x/y"}}},
    }

    assert [server.resource.kind for server in servers(graph_of([_runtime(), service]))] == [
        "InferenceService"
    ]
    named = {"metadata": {"name": "kserve-vllmserver"}, "kind": "ClusterServingRuntime"}
    assert list(servers(graph_of([{**_runtime(), **named}]))) == [], "KServe's own is none of the program's"


@pytest.mark.parametrize(
    "uri",
    [
        "oci://registry.example.com/rhelai1/modelcar-qwen3.6-27b-fp8:1.5",
        "pvc://cache/hub/models--Qwen--Qwen3.6-27B-FP8",
        "oci://registry.example.com/models:qwen--qwen3.6-27b-fp8-modelcar",
    ],
)
def test_a_model_is_told_from_the_names_that_caches_and_images_give_it(uri: str) -> None:
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "coder", "namespace": "ml"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "vLLM"}, "storageUri": uri}}},
    }
    assert PARSER in _mandatory(service), (
        "a model of the catalogue that can think has no reasoning parser here"
    )


def test_a_model_that_only_a_runtime_out_of_sight_knows_is_no_unknown_of_the_program() -> None:
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "coder", "namespace": "ml"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "vLLM"}, "runtime": "elsewhere"}}},
    }
    assert _mandatory(service) == []


def test_a_release_that_a_vendors_tag_tells_comes_with_its_source() -> None:
    words = ["vllm", "serve", "x/y", "--enable-auto-tool-choice", "--tool-call-parser", "gemma4"]
    deployment = _deployment(words)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2.5"

    (message,) = (found.told for found in check_manifests([deployment]) if found.policy == TOOLS)

    assert (
        "vLLM 0.11.2 (judged by 0.12.0, the nearest with facts; the release in that image as told by"
        in message
    )
