"""InferenceServices that other programs declare: model predictors, runtimes, scripts, the AI gateway."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.vllm import newest_release
from policy.checks import check_manifests, graph_of
from policy.known import accelerator_of, model_of
from policy.packs import serving_operation
from policy.serving import servers
from policy.table import POLICIES
from tests.policy.programs import ARGS, Manifest, bent, both, put

pytestmark = pytest.mark.policy

TOOLS, PARSER, MEMORY, TIMEOUTS = (
    "tool-calling-is-on",
    "parser-fits-the-model",
    "memory-headroom-is-left",
    "timeouts-are-monotonic",
)


def _service(name: str = "qwen", **predictor: Any) -> Manifest:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": "ml"},
        "spec": {"predictor": predictor},
    }


def _model(**fields: Any) -> Manifest:
    return {
        "modelFormat": {"name": "vLLM"},
        "storageUri": "hf://Qwen/Qwen3.6-27B-FP8",
        "resources": {"limits": {"nvidia.com/gpu": "2"}},
        "args": ARGS[1:],
        **fields,
    }


# How a server is run is the matter of test_operation.py.
_OPERATION = {policy.name for policy in serving_operation.POLICIES}
_SERVING = {policy.name for policy in POLICIES if policy.pack == "serving"} - _OPERATION | {TIMEOUTS}


def _policies(*manifests: Manifest) -> list[str]:
    return [finding.policy for finding in check_manifests(manifests) if finding.policy in _SERVING]


L40S = {"nvidia.com/gpu.product": "NVIDIA-L40S"}


def test_a_model_predictor_with_kserves_own_runtime_is_read_with_its_arguments() -> None:
    good = _service(model=_model(), nodeSelector=L40S)
    bare = _service(model=_model(args=["--max-model-len=65536"]), nodeSelector=L40S)

    assert _policies(good) == []
    # the sample of many how-tos: no tool flags, no reasoning parser, and vLLM's defaults on one GPU
    assert _policies(bare) == [TOOLS, PARSER, MEMORY, "gpus-are-used"]


@pytest.mark.parametrize(
    "said",
    [
        ["--default-chat-template-kwargs", '{"enable_thinking": false}'],
        ['--default_chat_template_kwargs={"thinking":true,"reasoning_effort":"low"}'],
        ["--default-chat-template-kwargs.enable_thinking=false"],
        ["--reasoning-config", '{"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}'],
        ["--reasoning-effort-map", '{"minimal": "low"}', "--anthropic-disabled-thinking-effort", "low"],
        ["--generation-config", "vllm", "--override-generation-config", '{"temperature": 0.6, "top_k": 20}'],
    ],
    ids=lambda said: said[0].partition("=")[0],
)
def test_what_others_say_of_thinking_and_sampling_is_theirs_to_say(said: list[str]) -> None:
    service = _service(model=_model(args=[*ARGS[1:], *said]), nodeSelector=L40S)

    assert _policies(service) == []


def test_a_runtime_of_the_same_program_adds_its_arguments_before_those_of_the_service() -> None:
    runtime = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": "our-vllm", "namespace": "ml"},
        "spec": {
            "containers": [
                {
                    "name": "kserve-container",
                    "image": "vllm/vllm-openai:v0.33.0",
                    "command": ["vllm", "serve"],
                    "args": [*ARGS[:-5], "--language-model-only"],
                }
            ]
        },
    }
    service = _service(model=_model(runtime="our-vllm", args=["--reasoning-parser=qwen3"]), nodeSelector=L40S)

    found = next(servers(graph_of([runtime, service])))

    assert found.release == "0.33.0"
    assert found.parsed.flags.reasoning_parser == "qwen3"
    assert found.parsed.flags.max_model_len == 131072
    assert _policies(runtime, service) == [TOOLS], "the runtime's part ends before the tool parser"


def test_a_runtime_out_of_sight_is_named_and_only_what_stands_in_the_service_is_refused() -> None:
    bare = check_manifests([_service(model=_model(runtime="someone-elses", args=[]), nodeSelector=L40S)])
    wrong = [*ARGS[1:], "--tool-call-parser=hermes", "--gpu-memory-utilization=0.98"]
    service = _service(model=_model(runtime="someone-elses", args=wrong), nodeSelector=L40S)

    assert [finding.policy for finding in bare] == ["serving-can-be-checked"]
    assert "its runtime 'someone-elses' is neither in the program" in bare[0].message
    assert _policies(service) == [PARSER, MEMORY, "serving-can-be-checked"]


def test_a_runtime_outside_the_program_is_fine_when_the_service_says_everything_itself() -> None:
    everything = [
        *ARGS[1:],
        *("--kv-cache-dtype", "auto", "--pipeline-parallel-size", "1", "--data-parallel-size", "1"),
        *(
            "--speculative-config",
            '{"method":"mtp","num_speculative_tokens":3}',
            "--no-enable-prefix-caching",
        ),
        *("--no-enforce-eager", "--quantization", "fp8"),
    ]
    findings = check_manifests([_service(model=_model(runtime="theirs", args=everything), nodeSelector=L40S)])
    assert [finding.level for finding in findings] == ["advisory"]


def test_the_shell_script_of_the_how_to_is_read_through() -> None:
    script = """
    set -ex
    exec python3 -m vllm.entrypoints.openai.api_server \\
      --port 8080 --model /mnt/models --tensor-parallel-size 2 \\
      --gpu-memory-utilization ${GPU_MEMORY_UTILIZATION} --max-num-seqs 16 --max-model-len 131072 \\
      --max-num-batched-tokens 2048 --language-model-only \\
      --enable-auto-tool-choice --tool-call-parser hermes --reasoning-parser qwen3
    """
    container = {
        "name": "kserve-container",
        "image": "registry.example.com/vllm@sha256:" + "0" * 64,
        "command": ["bash", "-c", script],
        "env": [{"name": "GPU_MEMORY_UTILIZATION", "value": "0.97"}],
        "resources": {"limits": {"nvidia.com/gpu": 2}},
    }
    service = _service(
        containers=[container], storageUris=[{"uri": "hf://Qwen/Qwen3.6-27B-FP8"}], nodeSelector=L40S
    )

    assert _policies(service) == [PARSER, MEMORY]


@pytest.mark.parametrize(
    "uri",
    [
        "hf://Qwen/Qwen3.6-27B-FP8:main",
        "s3://models/Qwen/Qwen3.6-27B-FP8/",
        "oci://registry.example.com/models/qwen3.6-27b-fp8:1.0",
        "pvc://weights/qwen/Qwen3.6-27B-FP8",
    ],
)
def test_the_model_is_told_from_any_kind_of_storage(uri: str) -> None:
    found = model_of(next(servers(graph_of([_service(model=_model(storageUri=uri))]))))
    assert found is not None
    assert found.variant is not None
    assert found.variant.hf_id == "Qwen/Qwen3.6-27B-FP8"


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        ({"image": {"reference": "registry.example.com/qwen3.6-27b-fp8@sha256:00"}}, {"subPath": "models"}),
        ({"persistentVolumeClaim": {"claimName": "w"}}, {"subPath": "Qwen/Qwen3.6-27B-FP8"}),
    ],
)
def test_the_model_is_told_from_a_mounted_volume(volume: Manifest, mount: Manifest) -> None:
    spec = ("server", "spec", "predictor")
    change = both(
        put(*spec, "initContainers", value=[]),
        put(*spec, "volumes", value=[{"name": "model", **volume}]),
        put(
            *spec,
            "containers",
            0,
            "volumeMounts",
            value=[{"name": "model", "mountPath": "/mnt/models", **mount}],
        ),
    )
    assert _policies(*bent(change)) == []


def test_an_annotation_tells_what_the_storage_does_not() -> None:
    service = _service(model=_model(storageUri="pvc://weights/current"))
    service["metadata"]["annotations"] = {
        "onprem-coding-agents/model": "Qwen/Qwen3.6-27B-FP8",
        "onprem-coding-agents/accelerator": "L40S",
    }
    assert _policies(service) == []


def test_of_several_kinds_of_gpu_the_smallest_counts() -> None:
    expression = {"key": "nvidia.com/gpu.product", "operator": "In", "values": ["NVIDIA-L40S", "NVIDIA-L4"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    service = _service(model=_model(), affinity=affinity)

    accelerator = accelerator_of(next(servers(graph_of([service]))))

    assert accelerator is not None
    assert accelerator.name == "L4"
    assert _policies(service) == [MEMORY]


def test_a_pool_of_adopted_nodes_is_known_by_its_tier() -> None:
    service = _service(model=_model(), nodeSelector={"onprem-coding-agents/gpu-pool": "48gb"})
    accelerator = accelerator_of(next(servers(graph_of([service]))))
    assert accelerator is not None
    assert accelerator.nominal_gb == 48


def test_a_parser_is_judged_by_the_release_in_the_image() -> None:
    named = graph_of([_service(model=_model(image="vllm/vllm-openai:v0.32.0-x86_64"))])
    unnamed = graph_of([_service(model=_model(image="vllm/vllm-openai:latest"))])

    assert next(servers(named)).parsed.judged_by == "0.32.0"
    assert next(servers(unnamed)).parsed.judged_by == newest_release()


def test_the_ai_gateway_is_followed_through_its_backends_and_its_short_default() -> None:
    group = "aigateway.envoyproxy.io/v1beta1"
    backend = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "coder", "namespace": "agents"},
        "spec": {"endpoints": [{"fqdn": {"hostname": "coder-predictor.agents.svc.cluster.local"}}]},
    }
    service = {
        "apiVersion": group,
        "kind": "AIServiceBackend",
        "metadata": {"name": "coder", "namespace": "agents"},
        "spec": {"backendRef": {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "coder"}},
    }
    route = {
        "apiVersion": group,
        "kind": "AIGatewayRoute",
        "metadata": {"name": "agents", "namespace": "agents"},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": [{"name": "coder"}]}]},
    }
    program = bent(put("route", value=route), put("ai", value=service), put("envoy", value=backend))

    findings = check_manifests(program)

    assert [finding.policy for finding in findings] == [TIMEOUTS]
    assert "AIGatewayRoute agents/agents" in findings[0].told
    assert "to 60 s" in findings[0].told


def test_a_route_to_a_proxy_in_front_of_the_servers_is_on_the_way_too() -> None:
    backends = [{"group": "", "kind": "Service", "name": "litellm", "port": 4000}]
    rule = ("route", "spec", "rules", 0)
    change = both(put(*rule, "backendRefs", value=backends), put(*rule, "timeouts", value={"request": "30s"}))
    assert _policies(*bent(change)) == [TIMEOUTS]


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"apiVersion": "v1", "kind": "List", "items": []},
        {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"},
        {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": None, "spec": []},
        _service(),
        _service(containers=[]),
        _service(containers=["odd"]),
        _service(
            containers=[{"image": "vllm", "volumeMounts": [{"name": {}}, 1]}],
            volumes=[{"name": {}, "persistentVolumeClaim": {}}, None],
        ),
        _service(containers=[{"image": "vllm", "args": "vllm serve", "env": {"a": "b"}, "resources": 3}]),
        _service(model={"modelFormat": "vllm", "args": {"a": 1}, "storageUri": 5}),
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "spec": {"rules": [None, 3, {"backendRefs": [1]}]},
        },
    ],
)
def test_manifests_of_any_shape_are_read_without_a_crash(manifest: Manifest) -> None:
    for finding in check_manifests([manifest, *bent()]):
        assert finding.told
