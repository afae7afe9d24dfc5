"""What each reader makes of a declaration: the right container, its release, its hosts, and what is out of sight."""

from __future__ import annotations

from typing import Any

import pytest

from policy.attachment import servers_behind
from policy.checks import check_manifests, graph_of
from policy.graph import UNKNOWN
from policy.serving import Server, servers, unread
from tests.policy.programs import Manifest

pytestmark = pytest.mark.policy

TOOLS, PARSER, MEMORY = "tool-calling-is-on", "parser-fits-the-model", "memory-headroom-is-left"
CHECKABLE = "serving-can-be-checked"
ARGS = ["--model", "Qwen/Qwen3.6-27B-FP8", "--enable-auto-tool-choice", "--tool-call-parser=qwen3_coder"]


def _deployment(
    *containers: Any, kind: str = "Deployment", group: str = "apps/v1", **metadata: Any
) -> Manifest:
    template = {"metadata": {"labels": {"app": "llm"}}, "spec": {"containers": list(containers)}}
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": "llm", "namespace": "ml", **metadata},
        "spec": {"selector": {"matchLabels": {"app": "llm"}}, "template": template},
    }


def _container(**fields: Any) -> Manifest:
    return {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "args": ARGS,
        "resources": {"limits": {"nvidia.com/gpu": "2"}},
        **fields,
    }


def _service(kind: str = "InferenceService", version: str = "v1beta1", **spec: Any) -> Manifest:
    return {
        "apiVersion": f"serving.kserve.io/{version}",
        "kind": kind,
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": spec,
    }


def _only(*manifests: Manifest) -> Server:
    (found,) = servers(graph_of(manifests))
    return found


def _mandatory(*manifests: Manifest) -> list[str]:
    return [finding.policy for finding in check_manifests(manifests) if finding.level == "mandatory"]


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("vllm/vllm-openai:v0.20.2", "0.20.2"),
        ("vllm/vllm-openai:v0.11.1rc1", "0.11.1"),
        ("docker.io/vllm/vllm-openai:v0.32.0-x86_64@sha256:" + "0" * 64, "0.32.0"),
        ("registry.example.com:5000/mirror/vllm/vllm-openai:v0.20.0", "0.20.0"),
        ("quay.io/ascend/vllm-ascend:v0.11.0rc1-openeuler", "0.11.0"),
        ("nvcr.io/nvidia/vllm:26.05-py3", "0.20.1"),  # NVIDIA's release notes of 26.05
        ("nvcr.io/nvidia/vllm:26.04-py3", None),
        ("registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2.5-1766067105", "0.11.2"),
        ("registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.3.0", None),  # nobody told
        ("quay.io/modh/vllm:rhoai-2.25-cuda", "0.10.1.1"),
        ("kserve/huggingfaceserver:v0.20.0-gpu", "0.24.0"),  # VLLM_VERSION of its Dockerfile
        ("rocm/vllm:rocm7.0.0_ubuntu_22.04_vllm_0.11.1_20251103", "0.11.1"),
        ("kserve/vllm:v1.9.0-dirty", None),
        ("lmcache/vllm-openai:v0.3.9", None),
        ("registry.example.com/team/server:0.12.0", None),
        ("vllm/vllm-openai:latest", None),
        ("vllm/vllm-openai", None),
        (UNKNOWN, None),
    ],
)
def test_a_tag_is_a_release_where_its_repository_is_known_to_tag_so(image: Any, release: str | None) -> None:
    container = _container(image=image, command=["vllm", "serve"])
    assert _only(_deployment(container)).release == release


def test_a_release_that_is_assumed_is_called_so_in_the_finding() -> None:
    bad = _container(image="vllm/vllm-openai:latest", args=[*ARGS[:-1], "--tool-call-parser=no_such_parser"])

    messages = [finding.told for finding in check_manifests([_deployment(bad)]) if finding.policy == TOOLS]

    assert len(messages) == 1
    assert "(assumed, as nothing tells the release in its image)" in messages[0]


def test_a_parser_of_any_release_counts_where_nothing_tells_the_release() -> None:
    # `minimax` left vLLM after 0.23 (its own registries): in an image of unknown release it may well be there.
    def policies(image: str) -> list[str]:
        args = ["--model", "x/y", "--enable-auto-tool-choice", "--tool-call-parser", "minimax"]
        return _mandatory(_deployment(_container(image=image, args=args)))

    assert policies("vllm/vllm-openai:v0.33.0") == [TOOLS]
    assert policies("vllm/vllm-openai:v0.23.0") == []
    assert policies("vllm/vllm-openai:latest") == []


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"])
def test_every_kind_of_workload_is_read(kind: str) -> None:
    assert _mandatory(_deployment(_container(args=ARGS[:2]), kind=kind)) == [TOOLS, PARSER]


def test_a_pod_is_read_and_a_job_only_where_it_serves() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [_container()]},
    }
    serving = _deployment(_container(command=["vllm", "serve"], args=["x/y"]), kind="Job", group="batch/v1")
    client = _deployment(_container(args=["python", "bench.py"]), kind="Job", group="batch/v1")

    assert _mandatory(pod) == [PARSER]
    assert _mandatory(serving) == [TOOLS]
    assert check_manifests([client]) == []


def test_values_that_are_only_known_at_run_time_excuse_nothing_in_a_workload() -> None:
    assert _mandatory(_deployment(_container(args=UNKNOWN))) == [TOOLS, PARSER, MEMORY]
    assert _mandatory(_deployment(_container(args=[*ARGS[:2], UNKNOWN]))) == [TOOLS, PARSER, MEMORY]
    unnamed = _container(image=UNKNOWN, args=["--model", "Qwen/Qwen3.6-27B-FP8", "--max-model-len=65536"])
    assert _mandatory(_deployment(unnamed)) == [TOOLS, PARSER]


def test_what_belongs_to_an_object_of_the_program_is_judged_once_and_else_by_itself() -> None:
    owned = _deployment(
        _container(args=ARGS[:2]),
        ownerReferences=[{"kind": "InferenceService", "name": "llm", "apiVersion": "x"}],
    )
    service = _service(predictor={"containers": [_container(args=ARGS[:2])]})

    assert _mandatory(owned) == [TOOLS, PARSER]
    assert _mandatory(owned, service) == [TOOLS, PARSER]


def test_a_route_reaches_a_deployment_by_the_service_that_selects_its_pods() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "front", "namespace": "ml"},
        "spec": {"selector": {"app": "llm"}},
    }
    graph = graph_of([_deployment(_container()), service])
    route = next(iter(graph.resources))
    rule = {"backendRefs": [{"name": "front", "port": 80}]}
    elsewhere = {"backendRefs": [{"name": "other", "port": 80}]}

    assert len(servers_behind(graph, route, rule, list(servers(graph)))) == 1
    assert servers_behind(graph, route, elsewhere, list(servers(graph))) == []


def test_a_script_that_is_mounted_is_named_and_what_runs_to_its_end_is_not() -> None:
    def reasons(**fields: Any) -> list[str]:
        return [each.reason for each in unread(graph_of([_deployment(_container(**fields))]))]

    assert "'/opt/start.sh'" in reasons(command=["/opt/start.sh"], args=[])[0]
    assert reasons(command=["sh", "-c", "ray start --address=head:6379 --block"], args=[]) == []
    assert reasons(command=["vllm", "bench", "serve"], args=[]) == []


def test_an_inference_service_whose_predictor_is_unknown_is_named() -> None:
    findings = check_manifests([_service(predictor=UNKNOWN)])
    assert [(finding.policy, finding.level) for finding in findings] == [(CHECKABLE, "advisory")]


@pytest.mark.parametrize(
    ("model", "policies"),
    [
        # a runtime of the same name in the namespace comes before one of the cluster
        ({"modelFormat": {"name": "vLLM"}, "runtime": "ours"}, []),
        ({"modelFormat": {"name": "vLLM", "version": "2"}}, []),  # only ours takes version 2
        ({"modelFormat": {"name": "vLLM", "version": "1"}}, [TOOLS, PARSER]),  # KServe's own
        ({"modelFormat": {"name": "vLLM"}, "protocolVersion": "v2"}, [TOOLS, PARSER]),  # ours speaks v1 alone
        ({"modelFormat": {"name": "onnx"}}, []),
    ],
)
def test_a_runtime_is_chosen_as_kserve_chooses(model: Manifest, policies: list[str]) -> None:
    def runtime(kind: str, args: list[str], **metadata: str) -> Manifest:
        return {
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": "ours", **metadata},
            "spec": {
                "supportedModelFormats": [{"name": "vLLM", "version": "2", "autoSelect": True}],
                "protocolVersions": ["v1"],
                "containers": [{"name": "kserve-container", "command": ["vllm", "serve"], "args": args}],
            },
        }

    near = runtime("ServingRuntime", [*ARGS[2:], "--reasoning-parser=qwen3"], namespace="ml")
    far = runtime("ClusterServingRuntime", [])
    service = _service(predictor={"model": {"storageUri": "hf://Qwen/Qwen3.6-27B-FP8", **model}})

    assert _mandatory(far, near, service) == policies


def test_a_runtime_with_workers_serves_services_with_workers_alone() -> None:
    model = {"modelFormat": {"name": "huggingface"}, "args": ["--model_id=Qwen/Qwen3.6-27B-FP8"]}
    worker = {"pipelineParallelSize": 2, "tensorParallelSize": 4}
    alone = _only(_service(predictor={"model": model}))
    head = next(servers(graph_of([_service(predictor={"model": model, "workerSpec": worker})])))

    assert alone.parsed.flags.tensor_parallel_size is None
    assert (head.parsed.flags.tensor_parallel_size, head.parsed.flags.pipeline_parallel_size) == (4, 2)


@pytest.mark.parametrize(
    ("args", "served"),
    [
        (["--model_id=Qwen/Qwen3.6-27B-FP8"], True),  # the catalogue knows it
        (["--model_id", "acme/writer-7b", "--backend", "vllm"], True),
        (["--model_id=acme/writer-7b", "--tensor-parallel-size=2"], True),
        (["--model_id=acme/writer-7b"], None),
        (["--model_id=acme/writer-7b", "--backend=huggingface"], False),
        (["--model_id=acme/writer-7b", "--task=text_embedding"], False),
        (["--model_id=BAAI/bge-reranker-v2-m3"], False),
    ],
)
def test_the_hugging_face_server_is_a_language_model_where_something_tells_so(
    args: list[str], served: bool | None
) -> None:
    graph = graph_of([_service(predictor={"model": {"modelFormat": {"name": "huggingface"}, "args": args}})])

    assert (bool(list(servers(graph))), bool(list(unread(graph)))) == (served is True, served is None)


def test_the_hugging_face_servers_own_options_reach_vllm_under_its_names() -> None:
    args = [
        "--model_name",
        "m",
        "--model_id=Qwen/Qwen3.6-27B-FP8",
        "--max_length=4096",
        "--http_port",
        "8081",
    ]
    flags = _only(
        _service(predictor={"model": {"modelFormat": {"name": "huggingface"}, "args": args}})
    ).parsed.flags

    assert flags.model == "Qwen/Qwen3.6-27B-FP8"
    assert flags.served_model_name == ("m",)
    assert flags.max_model_len == 4096


def _llm(**spec: Any) -> Manifest:
    return _service(
        "LLMInferenceService", "v1alpha1", model={"uri": "hf://Qwen/Qwen3.6-27B-FP8", "name": "qwen"}, **spec
    )


def test_the_preset_adds_what_the_spec_says_and_the_containers_arguments_come_last() -> None:
    additional = {"name": "VLLM_ADDITIONAL_ARGS", "value": "--max-num-seqs 8 --max-model-len 9"}
    main = {"name": "main", "args": ["--max-model-len=4096"], "env": [additional]}
    spread = _only(_llm(parallelism={"tensor": 2, "data": 4, "expert": True}, worker={}, template={}))
    alone = _only(_llm(parallelism={"tensor": 2, "data": 4}, template={"containers": [main]}))

    assert (alone.parsed.flags.tensor_parallel_size, alone.parsed.flags.data_parallel_size) == (2, None)
    assert (alone.parsed.flags.max_num_seqs, alone.parsed.flags.max_model_len) == (8, 4096)
    assert spread.parsed.flags.enable_expert_parallel is True
    assert spread.parsed.flags.data_parallel_size == 4
    assert spread.multi_node


@pytest.mark.parametrize(
    "main",
    [
        {"name": "main", "args": UNKNOWN},
        {"name": "main", "command": UNKNOWN},
        {"name": "main", "env": [{"name": "VLLM_ADDITIONAL_ARGS", "value": UNKNOWN}]},
    ],
)
def test_values_that_are_only_known_at_run_time_excuse_nothing_in_an_llm_service(main: Manifest) -> None:
    assert _mandatory(_llm(template={"containers": [main]}))[:1] == [TOOLS]


def test_configs_of_the_program_are_merged_below_the_service_and_presets_need_not_be_there() -> None:
    config = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "LLMInferenceServiceConfig",
        "metadata": {"name": "base", "namespace": "ml"},
        "spec": {
            "parallelism": {"tensor": 2},
            "template": {
                "containers": [{"name": "main", "image": "vllm/vllm-openai:v0.32.0", "args": ARGS[2:]}]
            },
        },
    }
    refs = [{"name": "kserve-config-llm-template"}, {"name": "base"}]
    found = _only(config, _llm(baseRefs=refs, template={"containers": [{"name": "main", "resources": {}}]}))

    assert (found.release, found.unseen) == ("0.32.0", "")
    assert found.parsed.flags.tensor_parallel_size == 2
    assert found.parsed.flags.tool_call_parser == "qwen3_coder"
    assert "'base'" in _only(_llm(baseRefs=refs)).unseen


def test_what_prefills_for_another_server_needs_no_tool_parser() -> None:
    main = {"name": "main", "args": [*ARGS[2:], "--reasoning-parser=qwen3"]}
    both = _llm(template={"containers": [main]}, prefill={"template": {}})

    assert [server.for_agents for server in servers(graph_of([both]))] == [True, False]
    assert _mandatory(both) == []


@pytest.mark.parametrize(
    ("labels", "gpu"),
    [
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}, ("H100",)),
        ({"node.kubernetes.io/instance-type": "g6e.12xlarge"}, ("L40S",)),
        ({"node.kubernetes.io/instance-type": "p5en.48xlarge"}, ("H200",)),
        ({"node.kubernetes.io/instance-type": "m7i.large"}, ()),
        ({"node.kubernetes.io/instance-type": UNKNOWN}, ()),
        (
            {"node.kubernetes.io/instance-type": "g5.xlarge", "nvidia.com/gpu.product": "NVIDIA-L4"},
            ("NVIDIA-L4",),
        ),
    ],
)
def test_labels_of_clouds_tell_the_gpu_too(labels: dict[str, Any], gpu: tuple[str, ...]) -> None:
    manifest = _deployment(_container())
    manifest["spec"]["template"]["spec"]["nodeSelector"] = labels
    assert _only(manifest).accelerators == gpu


def test_a_chart_of_vllm_is_named() -> None:
    release = {"apiVersion": "helm.sh/v3", "kind": "Release", "metadata": {"name": "r"}, "chart": "vllm"}
    assert next(unread(graph_of([release]))).reason.startswith("the chart 'vllm'")
