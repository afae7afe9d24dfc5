"""Changes to the arguments of the compliant server, each with the one policy that it breaks."""

from __future__ import annotations

from typing import Any

from onprem_agents.stack.labels import AGENTS_LABEL
from policy.packs import serving_options
from tests.policy.programs import ARGS, Manifest, argument, both, put, without
from tests.policy.test_mutations import CONTAINER, DOWNLOAD, START, UNCACHED, WORK, Change

EAGER, CHUNKS, CACHE = "eager-mode-is-off", "chunked-prefill-is-on", "prefix-caching-is-on"
DTYPE, TYPE = "dtype-is-accepted", "weights-keep-their-type"
CODE, GPUS = "checkpoints-bring-no-code", "gpus-are-used"
TAKEN, LIKELY, LOST = "arguments-are-taken", "arguments-are-likely-taken", "arguments-reach-vllm"
SPECULATION, UPGRADE = "speculation-can-start", "arguments-outlive-an-upgrade"
LOADED, GGUF = "checkpoints-can-be-loaded", "checkpoints-are-not-gguf"
MANDATORY = {DTYPE, TAKEN, LOST, LOADED, SPECULATION, START}
# Fired by releases alone that have open holes, which another policy tells of.
BESIDE_ANOTHER = {UPGRADE}
OURS = {policy.name for policy in serving_options.POLICIES}

UNCHUNKED = argument("--no-enable-chunked-prefill")
GPT = both(
    put(*DOWNLOAD, value="hf://openai/gpt-oss-20b"),
    argument("--tool-call-parser", "openai"),
    without("--reasoning-parser"),
    # two agents fail with it, which is not what these rows are about
    put("server", "metadata", "labels", AGENTS_LABEL, value="false"),
)


def gpus(number: Any) -> Change:
    """Return a change of the GPUs that the pod asks for."""
    return put(*CONTAINER, "resources", "limits", "nvidia.com/gpu", value=number)


def image(reference: str) -> Change:
    """Return a change of the image."""
    return put(*CONTAINER, "image", value=reference)


NGRAMS = '{"method":"ngram","num_speculative_tokens":4,"prompt_lookup_max":4}'
SCRIPT = f"exec vllm serve {' '.join(ARGS)}"

MUTATIONS: dict[str, tuple[Change, str, str]] = {
    # change, the one policy that fires, a part of what it tells
    "eager": (
        argument("--enforce-eager"),
        EAGER,
        "Remove --enforce-eager (platform.models[role=coder].extraArgs)",
    ),
    "the level that compiles nothing": (argument("-O0"), EAGER, "--optimization-level 0"),
    "no chunks": (both(UNCACHED, UNCHUNKED), CHUNKS, "Remove --no-enable-chunked-prefill"),
    "no cache of prompts": (UNCACHED, CACHE, "platform.models[role=coder].prefixCaching"),
    "half the range of numbers": (argument("--dtype", "half"), TYPE, "FP16 ends at 65,504"),
    "the other word for it": (argument("--dtype=float16"), TYPE, "Remove --dtype"),
    "half, where the kernels have BF16 alone": (both(GPT, argument("--dtype", "half")), DTYPE, "mxfp4"),
    "code of a checkpoint": (
        argument("--trust-remote-code"),
        CODE,
        "vLLM brings the code of Qwen3.6-27B itself",
    ),
    "an option that is gone": (
        argument("--swap-space", "16"),
        TAKEN,
        "which does not know --swap-space: it stops at start. Change --swap-space: it is gone since vLLM 0.18",
    ),
    "a misspelt option": (
        argument("--max-num-batched-token-s", "2048"),
        TAKEN,
        "did you mean --max-num-batched-tokens",
    ),
    "an option newer than the image": (
        both(argument("--reasoning-effort-map", "{}"), image("vllm/vllm-openai:v0.32.0")),
        TAKEN,
        "it exists since vLLM 0.33",
    ),
    "an option that both neighbours lack": (
        both(argument("--swap-space", "16"), image("vllm/vllm-openai:v0.32.1")),
        TAKEN,
        "judged by 0.32.0",
    ),
    "a switch with a value": (argument("--enable-prompt-tokens-details=True"), TAKEN, "takes no value"),
    "a switch with a word behind it": (
        argument("--enable-prompt-tokens-details", "True"),
        TAKEN,
        "'True' belongs",
    ),
    "a word for a number": (argument("--seed", "many"), TAKEN, "a whole number is expected, not 'many'"),
    "an option without its value": (argument("--seed"), TAKEN, "--seed lacks its value"),
    "a type that does not exist": (argument("--dtype", "fp16"), TAKEN, "Write one of auto, bfloat16"),
    "a method of quantisation that is gone": (
        argument("--quantization", "bitsandbytes"),
        TAKEN,
        "it is gone since vLLM 0.28",
    ),
    "an option that is gone, in an image of one's own": (
        both(argument("--swap-space", "16"), image("registry.example.com/ml/vllm-custom:prod")),
        LIKELY,
        "assumed, as nothing tells the release in its image), which does not know --swap-space: if so",
    ),
    "an option that is gone, in a vendor's image": (
        both(argument("--swap-space", "16"), image("nvcr.io/nvidia/vllm:26.10-py3")),
        LIKELY,
        "as told by NVIDIA vLLM release notes",
    ),
    "an option behind a script": (
        both(
            put(*CONTAINER, "command", value=["bash", "-c", SCRIPT, "bash"]),
            put(*CONTAINER, "args", value=["--seed", "1"]),
        ),
        LOST,
        "has --seed beside a script that does not pass its arguments on",
    ),
    "an option in the place of the script's name": (
        both(
            put(*CONTAINER, "command", value=["bash", "-c", f'{SCRIPT} "$@"']),
            put(*CONTAINER, "args", value=["--seed=1", "--no-enable-log-requests"]),
        ),
        LOST,
        "has --seed in the place of its script's name ($0)",
    ),
    "quantised by llama.cpp": (
        argument("--quantization", "gguf"),
        LOADED,
        "it loads no GGUF and stops at start",
    ),
    "a format of llama.cpp": (
        argument("--load-format", "gguf"),
        LOADED,
        "FP8, NVFP4 (on Blackwell) or W4A16",
    ),
    "quantised by llama.cpp, in an image of one's own": (
        both(argument("--quantization", "gguf"), image("registry.example.com/ml/vllm-custom:prod")),
        GGUF,
        "without a plugin of others",
    ),
    "guessing without an end": (
        both(UNCACHED, argument("--speculative-config", '{"method":"mtp"}')),
        SPECULATION,
        "does not say num_speculative_tokens",
    ),
    "guessing nothing": (
        argument("--speculative-config", '{"method":"mtp","num_speculative_tokens":0}'),
        SPECULATION,
        "speculativeTokens (the argument --speculative-config), leave it out to guess nothing",
    ),
    "a draft that is not named": (
        argument("--speculative-config", '{"method":"eagle3","num_speculative_tokens":3}'),
        SPECULATION,
        "names no model for the method eagle3",
    ),
    "n-grams on a model with states": (
        argument("--speculative-config", NGRAMS),
        WORK,
        "vllm-project/vllm#56077",
    ),
    "n-grams with asynchronous scheduling": (
        both(
            GPT,
            argument("--speculative-config", NGRAMS),
            argument("--async-scheduling"),
            image("vllm:v0.32.0"),
        ),
        START,
        "Change one of them: platform.models[role=coder].speculativeTokens",
    ),
    "one GPU of two": (without("--tensor-parallel-size"), GPUS, "asks for 2 GPUs and uses 1"),
    "two GPUs of four": (gpus(4), GPUS, "tensorParallel (the argument --tensor-parallel-size) to 4"),
}


def deployment(words: list[Any], **container: Any) -> Manifest:
    """Return somebody else's server."""
    server = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "command": ["vllm", "serve"],
        "args": words,
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
        **container,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"template": {"spec": {"containers": [server]}}},
    }
