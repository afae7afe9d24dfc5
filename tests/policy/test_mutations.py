"""One compliant program, one change a row: exactly one policy fires, and it says what to change."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from policy.checks import check_manifests
from tests.policy.programs import KEY_VARIABLE, Manifests, argument, bent, both, compliant, drop, put, without

pytestmark = pytest.mark.policy

TOOLS, PARSER = "tool-calling-is-on", "parser-fits-the-model"
START, WORK = "options-start-together", "options-work-together"
MEMORY, TIMEOUTS, CHECKABLE = "memory-headroom-is-left", "timeouts-are-monotonic", "serving-can-be-checked"
VARIABLES, TIGHT = "variables-are-read", "memory-is-not-tight"

PREDICTOR = ("server", "spec", "predictor")
CONTAINER = (*PREDICTOR, "containers", 0)
PRODUCT = (*PREDICTOR, "nodeSelector", "nvidia.com/gpu.product")
DOWNLOAD = (*PREDICTOR, "initContainers", 0, "args", 0)
ROUTE_LIMIT = ("route", "spec", "rules", 0, "timeouts", "backendRequest")
BACKEND_HTTP = ("backend", "spec", "timeout", "http")
CONTRACT = ("contract", "spec", "directResponse", "body", "inline")
IMPATIENT = json.dumps({"timeouts": {"clientTimeoutSeconds": 300, "longestTurnSeconds": 600}})

Change = Callable[[Manifests], None]

UNCACHED, UNCHUNKED = argument("--no-enable-prefix-caching"), argument("--no-enable-chunked-prefill")
DRAFT = argument("--speculative-config", '{"method":"mtp","num_speculative_tokens":3}')
GEMMA = both(
    put(*DOWNLOAD, value="hf://google/gemma-4-12B-it"),
    argument("--tool-call-parser", "gemma4"),
    argument("--reasoning-parser", "gemma4"),
    argument("--chat-template", "/vllm-workspace/examples/tool_chat_template_gemma4.jinja"),
)
IMAGES = both(GEMMA, without("--language-model-only"))

MUTATIONS: dict[str, tuple[Change, str, str]] = {
    # change, the one policy that fires, a part of its message
    "no tool choice": (without("--enable-auto-tool-choice"), TOOLS, "models[role=coder].toolCallParser"),
    "tool choice off": (argument("--no-enable-auto-tool-choice"), TOOLS, "without --enable-auto-tool-choice"),
    "no tool parser": (without("--tool-call-parser"), TOOLS, "no --tool-call-parser"),
    "misspelt tool parser": (argument("--tool-call-parser", "qwen3_code"), TOOLS, "did you mean qwen3_coder"),
    "tool parser newer than the release": (
        both(argument("--tool-call-parser", "step5"), put(*CONTAINER, "image", value="vllm:v0.32.0")),
        TOOLS,
        "vLLM 0.32.0 does not have",
    ),
    "a setting in a variable": (
        put(*CONTAINER, "env", value=[KEY_VARIABLE, {"name": "KV_CACHE_DTYPE", "value": "fp8"}]),
        VARIABLES,
        "Write --kv-cache-dtype fp8 among the arguments.",
    ),
    "tool parser of another family": (argument("--tool-call-parser", "hermes"), PARSER, "to qwen3_coder."),
    "no reasoning parser": (without("--reasoning-parser"), PARSER, "reasoningParser"),
    "reasoning parser of another family": (argument("--reasoning-parser", "glm45"), PARSER, "to qwen3."),
    "misspelt reasoning parser": (argument("--reasoning-parser", "qwen33"), PARSER, "did you mean qwen3"),
    "reasoning parser on a model that does not think": (
        put(*DOWNLOAD, value="hf://Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8"),
        PARSER,
        "does not think",
    ),
    "utilization above 0.95": (argument("--gpu-memory-utilization", "0.97"), MEMORY, "gpuMemoryUtilization"),
    "utilization far too low": (argument("--gpu-memory-utilization", "0.35"), MEMORY, "nothing is left"),
    # one session takes 4.16 GiB; 3.8 GiB are left where every estimate errs against it, more than 4.2 where none does
    "a cache that may hold a session": (
        argument("--gpu-memory-utilization", "0.48"),
        TIGHT,
        "may not start: it",
    ),
    "weights twice as large on a smaller GPU": (
        both(
            put(*DOWNLOAD, value="hf://Qwen/Qwen3.6-27B"),
            put(*PRODUCT, value="NVIDIA-GeForce-RTX-5090"),
            argument("--max-num-seqs", "2"),
        ),
        MEMORY,
        "Qwen/Qwen3.6-27B on 2 × RTX-5090",
    ),
    "a GPU half as large": (put(*PRODUCT, value="NVIDIA-L4"), MEMORY, "on 2 × L4"),
    "a context beyond the model's": (
        argument("--max-model-len", "512K"),
        MEMORY,
        "Set platform.models[role=coder].context to 262144: with that it fits",
    ),
    "too many sequences": (argument("--max-num-seqs", "1024"), MEMORY, "maxNumSeqs"),
    "more shards than GPUs": (argument("--tensor-parallel-size", "4"), MEMORY, "Ask for 4 GPUs"),
    "all on one GPU": (
        both(
            argument("--tensor-parallel-size", "1"),
            argument("--max-model-len", "262144"),
            put(*CONTAINER, "resources", "limits", "nvidia.com/gpu", value=1),
        ),
        MEMORY,
        "platform.models[role=coder].context",
    ),
    "no route timeout": (drop("route", "spec", "rules", 0, "timeouts"), TIMEOUTS, "to 15 s, below"),
    "short route": (
        put(*ROUTE_LIMIT, value="60s"),
        TIMEOUTS,
        "Raise timeouts.backendRequest to at least 660 s",
    ),
    "short stream": (put(*BACKEND_HTTP, "maxStreamDuration", value="5m"), TIMEOUTS, "maxStreamDuration"),
    "short silence": (put(*BACKEND_HTTP, "streamIdleTimeout", value="60s"), TIMEOUTS, "streamIdleTimeout"),
    "short silence at the listener": (
        both(
            drop(*BACKEND_HTTP, "streamIdleTimeout"),
            put("client", "spec", "timeout", "http", "streamIdleTimeout", value="300s"),
        ),
        TIMEOUTS,
        "ClientTrafficPolicy agents/gateway limits the silence allowed in a stream to 300 s",
    ),
    "short tries": (
        put("backend", "spec", "retry", value={"perRetry": {"timeout": "30s"}}),
        TIMEOUTS,
        "perRetry",
    ),
    "server longer than its route": (put(*PREDICTOR, "timeout", value=700), TIMEOUTS, "to 660 s, below"),
    "server shorter than a turn": (put(*PREDICTOR, "timeout", value=300), TIMEOUTS, "spec.predictor.timeout"),
    "server without a timeout": (drop(*PREDICTOR, "timeout"), TIMEOUTS, "(KServe's default) to 60 s"),
    "impatient clients": (put(*CONTRACT, value=IMPATIENT), TIMEOUTS, "the wait of the clients to 300 s"),
    "clients that bear no silence": (
        put(*CONTRACT, value=IMPATIENT.replace("300", '780, "streamIdleSeconds": 300')),
        TIMEOUTS,
        "the silence that clients bear to 300 s",
    ),
    "a duration that is none": (put(*ROUTE_LIMIT, value="ten minutes"), TIMEOUTS, "is no duration"),
    "unknown model": (
        put(*DOWNLOAD, value="hf://acme/secret-1b"),
        CHECKABLE,
        "'acme/secret-1b' is not in the",
    ),
    "unknown GPU": (put(*PRODUCT, value="NVIDIA-X1"), CHECKABLE, "the GPU NVIDIA-X1 is not in the catalogue"),
    "no GPU named": (drop(*PREDICTOR, "nodeSelector"), CHECKABLE, "nothing tells its kind of GPU"),
    "no GPU asked for": (drop(*CONTAINER, "resources"), CHECKABLE, "it asks for no GPU"),
    "a KV cache that is not modelled": (
        argument("--kv-cache-dtype", "nvfp4"),
        CHECKABLE,
        "nvfp4 is not modelled",
    ),
    "pipeline stages": (
        both(
            argument("--pipeline-parallel-size", "2"),
            put(*CONTAINER, "resources", "limits", "nvidia.com/gpu", value=4),
        ),
        CHECKABLE,
        "pipeline stages",
    ),
    "a draft model": (
        argument("--speculative-config", '{"method":"eagle3","model":"m/draft"}'),
        CHECKABLE,
        "eagle3",
    ),
    "a draft by separate options": (argument("--spec-method", "eagle3"), CHECKABLE, "--speculative-config"),
    "a draft of unknown length": (
        both(UNCACHED, argument("--speculative-config", '{"method":"mtp","model":"m/draft"}')),
        CHECKABLE,
        "as a number",
    ),
    "no sequence at all": (argument("--max-num-seqs", "0"), MEMORY, "must be at least 1"),
    "weights in the node's memory": (
        argument("--cpu-offload-gb", "4"),
        CHECKABLE,
        "it has --cpu-offload-gb 4",
    ),
    "adapters beside the weights": (argument("--enable-lora"), CHECKABLE, "adapters lie beside the weights"),
    "a KV cache in bytes": (argument("--kv-cache-memory-bytes", "8G"), CHECKABLE, "--kv-cache-memory-bytes"),
    "guessing ahead beside a cache of prompts": (
        DRAFT,
        WORK,
        "platform.models[role=coder].prefixCaching (the argument --enable-prefix-caching) or platform.models[role=",
    ),
    "a cache of prompts without chunks": (UNCHUNKED, START, "--enable-prefix-caching on, by default and"),
    "images in a small batch": (
        IMAGES,
        START,
        "--max-num-batched-tokens 2048: vLLM stops",
    ),
    "quantised at load time": (argument("--quantization", "fp8_per_tensor"), CHECKABLE, "fp8_per_tensor"),
}


def test_the_compliant_program_has_no_findings() -> None:
    assert check_manifests(compliant().values()) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_makes_exactly_one_policy_fire_and_it_says_what_to_change(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    findings = check_manifests(bent(change))

    assert [finding.policy for finding in findings] == [policy], "\n".join(f.told for f in findings)
    assert part in findings[0].told
    assert findings[0].told.startswith(findings[0].resource), "a message is a sentence about its object"
    assert findings[0].level == ("advisory" if policy in (WORK, CHECKABLE, VARIABLES, TIGHT) else "mandatory")


HARMLESS: dict[str, Change] = {
    "FP8 weights on a smaller GPU": put(*PRODUCT, value="NVIDIA-GeForce-RTX-5090"),
    "the other name of the same parser": argument("--tool-call-parser", "qwen3_xml"),
    "abbreviated and underscored options": both(
        without("--tool-call-parser"), argument("--tool_call_parser=qwen3_coder")
    ),
    "an unrelated policy with a short limit": put(
        "other",
        value={
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "BackendTrafficPolicy",
            "metadata": {"name": "ui", "namespace": "agents"},
            "spec": {
                "targetRefs": [{"kind": "HTTPRoute", "name": "ui"}],
                "timeout": {"http": {"requestTimeout": "1s"}},
            },
        },
    ),
    "an unrelated route with a short limit": put(
        "other",
        value={
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "ui", "namespace": "agents"},
            "spec": {"rules": [{"backendRefs": [{"name": "ui"}], "timeouts": {"request": "5s"}}]},
        },
    ),
    "no limit at the route": put(*ROUTE_LIMIT, value="0s"),
    "a parser from a plugin": both(
        argument("--tool-call-parser", "ours"), argument("--tool-parser-plugin", "/plugins/ours.py")
    ),
    "an embedding model": both(
        argument("--runner", "pooling"),
        without("--enable-auto-tool-choice"),
        put(*DOWNLOAD, value="hf://a/b"),
    ),
    "another model server": both(
        put(*CONTAINER, "image", value="nvcr.io/nvidia/tritonserver:26.01"),
        put(*CONTAINER, "command", value=["tritonserver"]),
    ),
    "a draft by the model's own layers, without a cache of prompts": both(UNCACHED, DRAFT),
    "options that change no memory": both(
        argument("--dtype", "bfloat16"), argument("--cpu-offload-gb", "0"), argument("--no-enable-lora")
    ),
    "the defaults written out": argument("--enable-prefix-caching", "--enable-chunked-prefill"),
    "images, and a batch that vLLM chooses": both(IMAGES, without("--max-num-batched-tokens")),
    "a small batch of text": GEMMA,
    "a context that vLLM chooses": argument("--max-model-len", "auto"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nothing_is_left_alone(name: str) -> None:
    assert check_manifests(bent(HARMLESS[name])) == []
